//! What a worker crate provides: one handler a kind.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::job::{Envelope, JobBody};
use store::Store;

use crate::{Budgets, Cancellation, Failure};

/// Runs the jobs of one kind. It writes to the store by natural keys and returns the follow-up jobs; the acknowledgement
/// comes after both are safe, so it may be run twice for one job and must change nothing then.
///
/// A panic is a failed attempt, and so is one that takes longer than its [`timeout`](Self::timeout). Computation of more
/// than a few milliseconds goes to [`Context::blocking`], or it holds up other jobs and the heartbeat.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// The job's body; names the kind.
    type Body: JobBody;

    /// How long this attempt may take; the kind's time-out unless the job says more.
    async fn timeout(&self, _job: &Self::Body, _context: &Context) -> Result<Duration, Failure> {
        Ok(Self::Body::TIMEOUT)
    }

    /// Does one thing, writes one thing, names the follow-up jobs.
    async fn run(&self, job: Self::Body, context: &Context) -> Result<Vec<Envelope>, Failure>;
}

/// What a handler may use, and what it may want to know of its job.
#[derive(Clone)]
pub struct Context {
    /// The shared collections.
    pub store: Arc<dyn Store>,
    /// The rate budgets.
    pub budgets: Budgets,
    /// The run that the job belongs to.
    pub run: Option<String>,
    /// Failed attempts before this one.
    pub attempt: u32,
    /// Asked for when the worker stops and when the job's time is up. A job that takes longer than a second looks at it, ends
    /// as [`Failure::Cancelled`], and is run again from its beginning.
    pub cancellation: Cancellation,
}

impl Context {
    /// A context for requests that belong to no job.
    pub fn new(store: Arc<dyn Store>, budgets: Budgets) -> Self {
        Self { store, budgets, run: None, attempt: 0, cancellation: Cancellation::never() }
    }

    /// Computes in a thread that may be busy, which is given the cancellation to look at.
    ///
    /// # Errors
    /// The computation's own. Its panic goes on.
    pub async fn blocking<T: Send + 'static>(
        &self,
        compute: impl FnOnce(&Cancellation) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let cancellation = self.cancellation.clone();
        match tokio::task::spawn_blocking(move || compute(&cancellation)).await {
            Ok(computed) => computed,
            // It is never aborted: what ended early panicked.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}
