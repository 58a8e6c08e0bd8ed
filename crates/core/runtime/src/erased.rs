//! Handlers of different kinds in one list.

use std::time::Duration;

use async_trait::async_trait;
use model::id::is_id;
use model::job::{Body, Envelope, Kind, short};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::{Context, Failure, Handler};

/// As much of an odd id as a reason quotes, in characters.
const MOST_QUOTED: usize = 100;

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
            serde_json::from_value(body).map_err(|error| malformed(short(&error.to_string()).to_owned()))?;
        if let Some(why) = odd(job.ids()) {
            return Err(malformed(why));
        }
        let _ = within.send(self.timeout(&job, context).await?);
        // The one who was told runs next on this thread: a handler that never yields would keep the news from it.
        tokio::task::yield_now().await;
        self.run(job, context).await
    }
}

/// What is wrong with the ids of a job of which none can be one: anyone can publish a job.
fn odd(ids: &[String]) -> Option<String> {
    let first = ids.first().filter(|_| !ids.iter().any(|id| is_id(id)))?;
    let first: String = first.chars().take(MOST_QUOTED).collect();
    let others = if ids.len() > 1 { format!(", nor are {} others", ids.len() - 1) } else { String::new() };
    Some(format!("{first:?} is no Spotify id (22 letters and digits){others}"))
}
