//! A kind of job of your own, run on the built-in queue and store in a temporary folder:
//!
//! ```text
//! cargo run --release -p host --example hello
//! ```

use std::time::Duration;

use async_trait::async_trait;
use host::Backends;
use model::job::{Envelope, JobBody};
use model::settings::Settings;
use runtime::{Context, Failure, Handler, Shutdown, Until};
use serde::{Deserialize, Serialize};

/// What is in the queue: plain data, and what the system has to know of its kind.
#[derive(Default, Serialize, Deserialize)]
struct HelloJob {
    name: String,
}

impl JobBody for HelloJob {
    const KIND: &'static str = "example.hello";
    const WORKER: &'static str = "hello-worker";
    const TIMEOUT: Duration = Duration::from_secs(5);
    const EXAMPLE: &'static str = r#"{"name":"world"}"#;

    fn key(&self) -> String {
        self.name.clone()
    }

    fn from_key(key: &str) -> Option<Self> {
        Some(Self { name: key.to_owned() })
    }
}

/// What runs it.
struct Greeter;

#[async_trait]
impl Handler for Greeter {
    type Body = HelloJob;

    async fn run(&self, job: HelloJob, _context: &Context) -> Result<Vec<Envelope>, Failure> {
        println!("Hello, {}!", job.name);
        // Follow-up jobs: they are safe in the queue before this one is acknowledged.
        Ok(match job.name.as_str() {
            "world" => vec![Envelope::new(&HelloJob { name: "moon".into() })],
            _ => Vec::new(),
        })
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}", folder.path().join("hello.db").display());
    let backends = Backends::open(Settings { queue: url.clone(), store: url, ..Settings::default() }).await?;

    backends.queue.publish(&[Envelope::new(&HelloJob { name: "world".into() })]).await?;

    let worker = backends.worker().with(Greeter, 4);
    let counts = worker.run(Until::Empty, Shutdown::new()).await?;
    println!("{} jobs done", counts[HelloJob::KIND].done);
    Ok(())
}
