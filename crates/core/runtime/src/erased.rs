//! Handlers of different kinds in one list.

use std::time::Duration;

use async_trait::async_trait;
use model::id;
use model::job::{Envelope, JobBody, Kind, truncate_reason};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::{Context, Failure, Handler};

/// A [`Handler`] whose job bodies are still JSON.
#[async_trait]
pub(crate) trait ErasedHandler: Send + Sync {
    fn kind(&self) -> Kind;
    /// Runs the job, after sending its time limit to `limit`.
    async fn run_json(
        &self,
        body: Value,
        context: &Context,
        limit: oneshot::Sender<Duration>,
    ) -> Result<Vec<Envelope>, Failure>;
}

#[async_trait]
impl<H: Handler> ErasedHandler for H {
    fn kind(&self) -> Kind {
        Kind::of::<H::Body>()
    }

    async fn run_json(
        &self,
        body: Value,
        context: &Context,
        limit: oneshot::Sender<Duration>,
    ) -> Result<Vec<Envelope>, Failure> {
        let malformed = |why: String| Failure::dead(format!("this is not the body of a {} job: {why}", H::Body::KIND));
        let job: H::Body =
            serde_json::from_value(body).map_err(|error| malformed(truncate_reason(&error.to_string()).to_owned()))?;
        if let Some(why) = id::all_invalid(job.source_ids()) {
            return Err(malformed(why));
        }
        let _ = limit.send(self.timeout(&job).await?);
        // The receiver runs next on this thread: a handler that never yields would otherwise keep the limit from it.
        tokio::task::yield_now().await;
        self.run(job, context).await
    }
}
