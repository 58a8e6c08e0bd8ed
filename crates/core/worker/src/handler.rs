//! What a worker crate provides: one handler a kind.

use std::sync::Arc;

use async_trait::async_trait;
use model::job::{Body, Envelope};
use store::Store;

use crate::{Budgets, Failure};

/// Runs the jobs of one kind. It writes to the store by natural keys and returns the follow-up jobs; the acknowledgement
/// comes after both are safe, so it may be run twice for one job and must change nothing then.
///
/// A panic is a failed attempt. Computation of more than a few milliseconds goes to `tokio::task::spawn_blocking`, or it
/// holds up other jobs and the heartbeat.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// The job's body; names the kind.
    type Body: Body;

    /// The rate budgets its requests are paid from. While one of them is closed, no job of this kind is taken.
    fn budgets(&self) -> &[&'static str] {
        &[]
    }

    /// Does one thing, writes one thing, names the follow-up jobs.
    async fn run(&self, job: Self::Body, context: &Context) -> Result<Vec<Envelope>, Failure>;
}

/// What a handler may use.
#[derive(Clone)]
pub struct Context {
    /// The shared collections.
    pub store: Arc<dyn Store>,
    /// The rate budgets.
    pub budgets: Budgets,
}
