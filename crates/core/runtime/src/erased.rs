//! Handlers of different kinds in one list.

use std::time::Duration;

use async_trait::async_trait;
use model::id;
use model::job::{Envelope, JobBody, Kind, truncate_reason};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::{Context, Failure, Handler};

/// A [`Handler`] whose body is still JSON.
#[async_trait]
pub(crate) trait AnyHandler: Send + Sync {
    fn kind(&self) -> Kind;
    /// Runs the job, once `within` was told how long that may take.
    async fn run_body(
        &self,
        body: Value,
        context: &Context,
        within: oneshot::Sender<Duration>,
    ) -> Result<Vec<Envelope>, Failure>;
}

#[async_trait]
impl<H: Handler> AnyHandler for H {
    fn kind(&self) -> Kind {
        Kind::of::<H::Body>()
    }

    async fn run_body(
        &self,
        body: Value,
        context: &Context,
        within: oneshot::Sender<Duration>,
    ) -> Result<Vec<Envelope>, Failure> {
        let malformed = |why: String| Failure::dead(format!("the body is not that of a {} job: {why}", H::Body::KIND));
        let job: H::Body =
            serde_json::from_value(body).map_err(|error| malformed(truncate_reason(&error.to_string()).to_owned()))?;
        if let Some(why) = id::all_invalid(job.spotify_ids()) {
            return Err(malformed(why));
        }
        let _ = within.send(self.timeout(&job, context).await?);
        // The one who was told runs next on this thread: a handler that never yields would keep the news from it.
        tokio::task::yield_now().await;
        self.run(job, context).await
    }
}
