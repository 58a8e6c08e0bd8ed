//! The new file: a kind of job, and what runs it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use host::Registered;
use model::job::{Envelope, JobBody};
use runtime::{Context, Failure, Handler};
use serde::{Deserialize, Serialize};
use store::Store;

/// Do nothing, or for 0 never end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EchoJob {
    n: u32,
}

impl JobBody for EchoJob {
    const KIND: &'static str = "test.echo";
    const WORKER: &'static str = "pitch-worker";
    const MAX_ATTEMPTS: u32 = 2;
    const TIMEOUT: Duration = Duration::from_secs(1);
    const EXAMPLE: &'static str = r#"{"n":1}"#;

    fn key(&self) -> String {
        self.n.to_string()
    }

    fn from_key(key: &str) -> Option<Self> {
        Some(Self { n: key.parse().ok()? })
    }
}

pub struct Echo;

impl Registered<()> for Echo {
    fn new((): &(), _store: Arc<dyn Store>) -> Self {
        Self
    }

    fn slots() -> usize {
        2
    }
}

#[async_trait]
impl Handler for Echo {
    type Body = EchoJob;

    async fn run(&self, job: EchoJob, _context: &Context) -> Result<Vec<Envelope>, Failure> {
        if job.n == 0 {
            std::future::pending::<()>().await;
        }
        Ok(Vec::new())
    }
}
