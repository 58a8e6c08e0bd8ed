//! One job, from its delivery to its one end.

use std::sync::Arc;
use std::time::Duration;

use model::fleet::JobCounts;
use model::job::Envelope;
use model::settings::Settings;
use queue::{Delivery, End, QueueError};
use tokio::task::{JoinError, JoinHandle};
use tracing::Instrument;

use crate::backoff::{Backoff, Outage};
use crate::erased::AnyHandler;
use crate::tally::Tally;
use crate::{Context, Failure, Shutdown, WorkerError};

/// A job whose worker was lost this often while it ran is taken for the cause.
const MOST_CRASHES: u32 = 10;

/// Runs the jobs of one kind.
pub(crate) struct Runner {
    pub(crate) handler: Arc<dyn AnyHandler>,
    pub(crate) context: Context,
    pub(crate) settings: Arc<Settings>,
    pub(crate) tally: Arc<Tally>,
    /// Seen by the jobs; the subscription has its own, or one's success would end the other's back-off.
    pub(crate) outage: Outage,
    pub(crate) shutdown: Shutdown,
}

impl Runner {
    /// Runs a delivery's job and ends the delivery.
    pub(crate) async fn run(self: &Arc<Self>, delivery: Delivery) -> Result<(), WorkerError> {
        let running = delivery.envelope.as_ref().ok().map(|job| self.tally.start(&job.kind, &job.key));
        let out_of_time = self.shutdown.out_of_time(grace(&self.settings));
        let end = tokio::select! {
            end = self.decide(&delivery) => end,
            () = out_of_time => End::Release,
        };
        let result = self.end(delivery, end).await;
        drop(running);
        result
    }

    /// Finds the end of a delivery. Dropped half-way, it aborts the job.
    async fn decide(self: &Arc<Self>, delivery: &Delivery) -> End {
        match &delivery.envelope {
            Err(bad) => End::Dead { reason: bad.to_string() },
            Ok(job) if job.kind != delivery.kind => {
                End::Dead { reason: format!("a job of kind `{}` lay in the queue of `{}`", job.kind, delivery.kind) }
            }
            Ok(job) => match self.attempt(job, delivery.redelivered).await {
                Ok(follow_ups) => End::Done(follow_ups),
                Err(failure) => self.end_of(job, failure).await,
            },
        }
    }

    async fn attempt(self: &Arc<Self>, job: &Envelope, redelivered: bool) -> Result<Vec<Envelope>, Failure> {
        if redelivered {
            let crashes = self.context.store.count_crash(&job.id).await?;
            if crashes > MOST_CRASHES {
                return Err(Failure::dead(format!("its worker was lost {crashes} times while it ran")));
            }
        }
        let (runner, body) = (self.clone(), job.body.clone());
        let span = tracing::info_span!("job", kind = job.kind, key = job.key);
        // A task of its own: a panic ends it alone, and one that never yields can be left behind.
        let task = async move { runner.handler.run_body(body, &runner.context).await };
        let mut task = AbortOnDrop(tokio::spawn(task.instrument(span)));
        (&mut task.0).await.unwrap_or_else(|error| Err(Failure::retry(panicked(error))))
    }

    /// What is to be done about a failure.
    async fn end_of(&self, job: &Envelope, failure: Failure) -> End {
        match failure {
            Failure::Dead { reason } => End::Dead { reason },
            Failure::Retry { after, reason } => self.next_attempt(job, after, reason),
            Failure::Pause { budget, after, reason } => {
                let backoff = Backoff::of_budget(&budget, &self.settings);
                if let Err(error) = self.context.budgets.pause(&budget, after, &reason, backoff).await {
                    self.outage.wait(error).await;
                }
                End::Release
            }
            Failure::Closed { budget } => {
                let closed = self.context.budgets.refresh().await;
                // A handler that says so of an open budget must not have the job come back at once, for ever.
                if closed.is_err() || self.context.budgets.gate().closed_for(&[&budget]).is_none() {
                    self.outage.wait(format!("{} jobs find the budget {budget} closed", job.kind)).await;
                }
                End::Release
            }
            Failure::Unavailable { reason } => {
                self.outage.wait(reason).await;
                End::Release
            }
        }
    }

    fn next_attempt(&self, job: &Envelope, after: Option<Duration>, reason: String) -> End {
        let attempts = job.attempt.saturating_add(1);
        if attempts >= self.settings.worker.max_attempts {
            return End::Dead { reason: format!("gave up after {attempts} attempts: {reason}") };
        }
        End::Retry { after: after.unwrap_or_else(|| Backoff::ATTEMPTS.wait(job.attempt)), reason }
    }

    /// Ends the delivery, and counts it when that succeeds.
    async fn end(&self, delivery: Delivery, end: End) -> Result<(), WorkerError> {
        let kind = self.handler.kind();
        let key = delivery.envelope.as_ref().map_or_else(|_| String::new(), |job| job.key.clone());
        log(kind, &key, &end);
        let add: Option<fn(&mut JobCounts)> = match &end {
            End::Done(_) => Some(|counts| counts.done += 1),
            End::Retry { .. } => Some(|counts| counts.retried += 1),
            End::Dead { .. } => Some(|counts| counts.dead += 1),
            End::Release => None,
        };
        match delivery.end(end).await {
            Ok(()) => {
                if let Some(add) = add {
                    self.outage.over();
                    self.tally.count(kind, add);
                }
                Ok(())
            }
            Err(QueueError::Unusable(why)) => Err(QueueError::Unusable(why).into()),
            Err(QueueError::Stale) => {
                tracing::warn!(kind, key, "{}; what it wrote stays, as if it had run twice", QueueError::Stale);
                Ok(())
            }
            Err(error @ QueueError::Unavailable { .. }) => {
                self.outage.wait(error).await;
                Ok(())
            }
        }
    }
}

fn log(kind: &str, key: &str, end: &End) {
    match end {
        End::Done(follow_ups) => tracing::debug!(kind, key, follow_ups = follow_ups.len(), "done"),
        End::Retry { after, reason } => {
            tracing::warn!(kind, key, delay_ms = after.as_millis() as u64, "to be tried again: {reason}");
        }
        End::Dead { reason } => tracing::error!(kind, key, "dead: {reason}"),
        End::Release => tracing::debug!(kind, key, "handed back"),
    }
}

/// How long a stopping worker may take to finish its jobs.
pub(crate) fn grace(settings: &Settings) -> Duration {
    Duration::try_from_secs_f64(settings.worker.grace_seconds).unwrap_or_default()
}

/// What a handler's panic says.
fn panicked(error: JoinError) -> String {
    let Ok(payload) = error.try_into_panic() else { return "the job was aborted".to_owned() };
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    format!("panicked: {}", text.as_deref().unwrap_or("without a message"))
}

/// A task that ends with the one who waits for it.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
