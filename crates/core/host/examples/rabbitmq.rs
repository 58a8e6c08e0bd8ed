//! A handler of your own on RabbitMQ, with an attempt that fails and a job that can never work:
//!
//! ```text
//! cargo run --release -p host --example rabbitmq -- amqp://guest:guest@localhost/%2F
//! ```
//!
//! Without an argument the URL is taken from `SPOTIFAI_QUEUE`: better, if it contains a password.

use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use host::Backends;
use model::job::{Envelope, JobBody};
use model::settings::Settings;
use queue::DeadLetterFilter;
use runtime::{Context, Failure, Handler, Shutdown, Until};
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct DivideJob {
    divisor: u32,
}

impl JobBody for DivideJob {
    const KIND: &'static str = "example.divide";
    const WORKER: &'static str = "divide-worker";
    const TIMEOUT: Duration = Duration::from_secs(5);
    const EXAMPLE: &'static str = r#"{"divisor":3}"#;

    fn key(&self) -> String {
        self.divisor.to_string()
    }

    fn from_key(key: &str) -> Option<Self> {
        Some(Self { divisor: key.parse().ok()? })
    }
}

struct Divider;

#[async_trait]
impl Handler for Divider {
    type Body = DivideJob;

    async fn run(&self, job: DivideJob, context: &Context) -> Result<Vec<Envelope>, Failure> {
        let quotient = 60_u32.checked_div(job.divisor).ok_or_else(|| Failure::dead("cannot divide by zero"))?;
        if job.divisor == 5 && context.attempt == 0 {
            return Err(Failure::retry("the first attempt at 5 fails"));
        }
        println!("60 / {} = {quotient}", job.divisor);
        Ok(Vec::new())
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let queue = std::env::args().nth(1).or_else(|| std::env::var("SPOTIFAI_QUEUE").ok());
    let queue = queue.context("pass the URL of a RabbitMQ vhost, or set SPOTIFAI_QUEUE")?;
    host::install_crypto();
    let folder = tempfile::tempdir()?;
    let store = format!("sqlite:{}", folder.path().join("store.db").display());
    let backends = Backends::open(Settings { queue, store, ..Settings::default() }).await?;

    let jobs = [0, 4, 5, 6].map(|divisor| Envelope::new(&DivideJob { divisor }));
    backends.queue.publish(&jobs).await?;
    let counts = backends.worker().with(Divider, 4).run(Until::Empty, Shutdown::new()).await?;
    let counts = &counts[DivideJob::KIND];
    println!("{} done, {} retried, {} dead", counts.done, counts.retried, counts.dead);

    // Dead letters stay until a person deletes them or puts them back, as `spotifai dead` does.
    let dead = backends.queue.dead_letters(Some(DivideJob::KIND)).await?;
    dead.iter().for_each(|letter| println!("dead: {}: {}", letter.key.as_deref().unwrap_or("?"), letter.reason));
    backends.queue.purge(&DeadLetterFilter::Ids(dead.into_iter().map(|letter| letter.id).collect())).await?;
    backends.queue.flush().await;
    Ok(())
}
