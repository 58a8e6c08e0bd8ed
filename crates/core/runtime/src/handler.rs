//! What a worker crate provides: one handler for each kind of job.

use std::time::Duration;

use async_trait::async_trait;
use model::job::{Envelope, JobBody};

use crate::{Budgets, Cancellation, Failure};

/// Runs the jobs of one kind. It holds the part of the store that it uses, writes there by natural keys and returns the follow-up jobs. The job
/// is acknowledged once both are safe, so a handler may run twice for one job, and the second time must change nothing.
///
/// An attempt that panics has failed, and so has one that takes longer than its [`timeout`](Self::timeout). Computation of more
/// than a few milliseconds belongs in [`Context::blocking`], or it holds up other jobs and the heartbeat.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// The job's body, which names the kind.
    type Body: JobBody;

    /// How long this attempt may take. By default the kind's time-out.
    async fn timeout(&self, _job: &Self::Body) -> Result<Duration, Failure> {
        Ok(Self::Body::TIMEOUT)
    }

    /// Does one thing, writes one thing, and returns the follow-up jobs.
    async fn run(&self, job: Self::Body, context: &Context) -> Result<Vec<Envelope>, Failure>;
}

/// What a handler may use besides the store, and what it may want to know about its job.
#[derive(Clone)]
pub struct Context {
    /// The rate budgets.
    pub budgets: Budgets,
    /// The run that the job belongs to.
    pub run: Option<String>,
    /// How many failed attempts there were before.
    pub attempt: u32,
    /// Requested when the worker stops and when the job's time is up. A job that takes longer than a second checks it and
    /// ends as [`Failure::Cancelled`]; it is then run again from its beginning.
    pub cancellation: Cancellation,
}

impl Context {
    /// A context for requests that are not part of a job.
    pub fn new(budgets: Budgets) -> Self {
        Self { budgets, run: None, attempt: 0, cancellation: Cancellation::never() }
    }

    /// Computes in a thread that may be blocked. The computation is given the cancellation, to check it.
    ///
    /// # Errors
    /// The computation's own. If it panics, so does this.
    pub async fn blocking<T: Send + 'static>(
        &self,
        compute: impl FnOnce(&Cancellation) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let cancellation = self.cancellation.clone();
        match tokio::task::spawn_blocking(move || compute(&cancellation)).await {
            Ok(computed) => computed,
            // The task is never aborted, so it panicked.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}
