//! One job, from its delivery to the end of that delivery.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::fleet::JobCounts;
use model::job::{BadEnvelope, Envelope, Kind};
use model::settings::WorkerSettings;
use queue::{Delivery, Outcome, QueueError};
use store::{Fleet, StoreError};
use tokio::sync::oneshot;
use tracing::Instrument;

use crate::attempt::Attempt;
use crate::backoff::{Backoff, Outage};
use crate::cancellation::{Cancellation, LostThreads};
use crate::control::ControlState;
use crate::counters::Counters;
use crate::decline_tracker::DeclineTracker;
use crate::erased::ErasedHandler;
use crate::fault::Fault;
use crate::metrics::{Ending, KindMetrics};
use crate::permit_waits::PermitWaits;
use crate::trace::JobSpan;
use crate::{Budgets, Context, Failure, Shutdown, WorkerError};

/// A job whose worker was lost more often than this while running it is assumed to be the cause.
const MAX_CRASHES: u32 = 10;

/// Runs the jobs of one kind.
pub(crate) struct JobRunner {
    pub(crate) handler: Arc<dyn ErasedHandler>,
    pub(crate) kind: Kind,
    pub(crate) fleet: Arc<dyn Fleet>,
    pub(crate) budgets: Budgets,
    pub(crate) control: Arc<ControlState>,
    pub(crate) settings: Arc<WorkerSettings>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) metrics: KindMetrics,
    pub(crate) declines: Arc<DeclineTracker>,
    /// As noticed by jobs. The subscription has its own, or one's success would end the other's back-off.
    pub(crate) outage: Outage,
    pub(crate) fault: Arc<Fault>,
    pub(crate) lost: Arc<LostThreads>,
    pub(crate) shutdown: Shutdown,
}

impl JobRunner {
    /// Runs the job of a delivery and ends the delivery.
    pub(crate) async fn run(self: Arc<Self>, mut delivery: Delivery) -> Result<(), WorkerError> {
        let started_at = Instant::now();
        self.metrics.running.increment(1.0);
        let (running, span) = match &delivery.envelope {
            Ok(job) => (Some(self.counters.start(self.kind.name, &job.key)), JobSpan::start(job)),
            Err(_) => (None, JobSpan::of_malformed(self.kind.name)),
        };
        let (ending, outcome) = if self.is_cancelled(&delivery) {
            (Ending::Cancelled, Outcome::Done(Vec::new()))
        } else {
            let out_of_time = self.shutdown.out_of_time(grace_period(&self.settings));
            let outcome = tokio::select! {
                biased;
                outcome = self.outcome(&mut delivery, &span) => outcome,
                () = out_of_time => Outcome::Release,
            };
            (ending(&outcome), outcome)
        };
        let result = self.end(delivery, ending, outcome, &span).await;
        self.metrics.running.decrement(1.0);
        self.metrics.seconds.record(started_at.elapsed());
        drop(running);
        result
    }

    fn is_cancelled(&self, delivery: &Delivery) -> bool {
        let run = delivery.envelope.as_ref().ok().and_then(|job| job.run.as_deref());
        run.is_some_and(|run| self.control.is_cancelled(run))
    }

    /// Runs the job and decides how the delivery ends. If this is dropped half-way, the job is aborted.
    async fn outcome(self: &Arc<Self>, delivery: &mut Delivery, span: &JobSpan) -> Outcome {
        match &mut delivery.envelope {
            Err(newer @ BadEnvelope::Newer { .. }) => {
                Outcome::Postpone { after: self.declines.postpone(&newer.to_string()) }
            }
            Err(bad) => Outcome::Dead { reason: bad.to_string() },
            Ok(job) if job.kind != delivery.kind => Outcome::Dead {
                reason: format!("a job of kind `{}` was in the queue of `{}`", job.kind, delivery.kind),
            },
            Ok(job) => match self.attempt(job, delivery.redelivered, span).await {
                Ok(mut follow_ups) => {
                    span.pass_on(job, &mut follow_ups);
                    Outcome::Done(follow_ups)
                }
                Err(failure) => self.outcome_of(job, failure).await,
            },
        }
    }

    /// Runs the handler. It is given the body itself; what the queue does with the job later uses a copy.
    async fn attempt(
        self: &Arc<Self>,
        job: &mut Envelope,
        redelivered: bool,
        span: &JobSpan,
    ) -> Result<Vec<Envelope>, Failure> {
        if redelivered {
            self.metrics.redelivered.increment(1);
            let crashes = self.fleet.count_crash(&job.id).await?;
            if crashes > MAX_CRASHES {
                return Err(Failure::dead(format!("its worker was lost {crashes} times while running it")));
            }
        }
        let (canceller, cancellation) = Cancellation::new();
        let (context, permit_waits) = self.context(job, cancellation);
        let (handler, body, (send_limit, limit)) = (self.handler.clone(), job.body.take(), oneshot::channel());
        // A task of its own: a panic ends only that, and a handler that never yields can be left behind.
        let task = async move { handler.run_json(body, &context, send_limit).await };
        let task = Attempt::new(tokio::spawn(task.instrument(span.span.clone())), canceller, self.lost.clone());
        task.finish(limit, &permit_waits, &self.shutdown).await
    }

    fn context(&self, job: &Envelope, cancellation: Cancellation) -> (Context, Arc<PermitWaits>) {
        let (budgets, permit_waits) = self.budgets.for_attempt();
        (Context { budgets, run: job.run.clone(), attempt: job.attempt, cancellation }, permit_waits)
    }

    /// What becomes of a job that failed.
    async fn outcome_of(&self, job: &Envelope, failure: Failure) -> Outcome {
        match failure {
            Failure::Dead { reason } => Outcome::Dead { reason },
            Failure::Retry { after, reason } => self.next_attempt(job, after, reason),
            Failure::Pause { budget, after, reason } => {
                match self.budgets.close(&budget, after, &reason).await {
                    Err(error @ StoreError::Unwritable { .. }) => self.report_fault(error).await,
                    Err(error) => self.outage.wait(error).await,
                    Ok(()) => {}
                }
                Outcome::Release
            }
            Failure::Closed { budget } => {
                let refreshed = self.budgets.refresh().await;
                // A handler that says this of an open budget must not get the job back at once, over and over.
                if refreshed.is_err() || self.budgets.gate().opens_in(&[&budget]).is_none() {
                    self.outage.wait(format!("{} jobs report that the budget {budget} is closed", job.kind)).await;
                }
                Outcome::Release
            }
            Failure::Decline { scope, reason } => {
                // Before the job is handed back, or it would be taken again at once.
                self.declines.decline(job, scope, &reason).await;
                Outcome::Release
            }
            Failure::Cancelled => {
                // A handler that says this without a request must not get the job back at once, over and over.
                if !self.shutdown.is_stopping() {
                    self.outage.wait(format!("{} jobs report that they were cancelled", job.kind)).await;
                }
                Outcome::Release
            }
            Failure::Unavailable { reason } => {
                self.outage.wait(reason).await;
                Outcome::Release
            }
            Failure::Local { reason } => {
                self.report_fault(reason).await;
                Outcome::Release
            }
        }
    }

    /// Reports a fault of this process, and waits before the job is handed back: it may come here again.
    async fn report_fault(&self, reason: impl std::fmt::Display) {
        self.fault.report(reason);
        tokio::select! {
            () = self.fault.wait_to_retry() => {}
            () = self.shutdown.stopped() => {}
        }
    }

    fn next_attempt(&self, job: &Envelope, after: Option<Duration>, reason: String) -> Outcome {
        let attempts = job.attempt.saturating_add(1);
        if attempts >= max_attempts(&self.settings, &self.kind) {
            return Outcome::Dead { reason: format!("gave up after {attempts} attempts: {reason}") };
        }
        Outcome::Retry { after: after.unwrap_or_else(|| Backoff::ATTEMPTS.delay(job.attempt)), reason }
    }

    /// Ends the delivery, and counts it if that succeeds.
    async fn end(
        &self,
        delivery: Delivery,
        ending: Ending,
        outcome: Outcome,
        span: &JobSpan,
    ) -> Result<(), WorkerError> {
        span.span.in_scope(|| log(ending, &outcome));
        if let Outcome::Retry { reason, .. } | Outcome::Dead { reason } = &outcome {
            span.record_end(ending, Some(reason));
        } else {
            span.record_end(ending, None);
        }
        match delivery.finish(outcome).await {
            Ok(()) => {
                self.metrics.count(ending);
                self.count(ending);
                Ok(())
            }
            Err(QueueError::Unusable(why)) => Err(QueueError::Unusable(why).into()),
            Err(QueueError::Stale) => {
                self.metrics.count(Ending::Stale);
                let _entered = span.span.enter();
                tracing::warn!("{}; what this attempt wrote stays, as if the job had run twice", QueueError::Stale);
                Ok(())
            }
            Err(error @ QueueError::Unwritable { .. }) => {
                self.report_fault(error).await;
                Ok(())
            }
            Err(error @ QueueError::Unavailable { .. }) => {
                self.outage.wait(error).await;
                Ok(())
            }
        }
    }

    fn count(&self, ending: Ending) {
        let increment: fn(&mut JobCounts) = match ending {
            Ending::Done | Ending::Cancelled => |counts| counts.done += 1,
            Ending::Retried => |counts| counts.retried += 1,
            Ending::Dead => |counts| counts.dead += 1,
            Ending::HandedBack | Ending::Stale => return,
        };
        self.outage.end();
        self.fault.clear();
        self.declines.record_run();
        self.counters.count(self.kind.name, increment);
    }
}

fn ending(outcome: &Outcome) -> Ending {
    match outcome {
        Outcome::Done(_) => Ending::Done,
        Outcome::Retry { .. } => Ending::Retried,
        Outcome::Dead { .. } => Ending::Dead,
        Outcome::Release | Outcome::Postpone { .. } => Ending::HandedBack,
    }
}

fn log(ending: Ending, outcome: &Outcome) {
    match outcome {
        Outcome::Done(follow_ups) => tracing::debug!(follow_ups = follow_ups.len(), "{}", ending.as_str()),
        Outcome::Retry { after, reason } => {
            tracing::warn!(delay_ms = after.as_millis() as u64, "will be retried: {reason}");
        }
        Outcome::Dead { reason } => tracing::error!("failed permanently: {reason}"),
        Outcome::Release | Outcome::Postpone { .. } => tracing::debug!("handed back"),
    }
}

/// How long a stopping worker may take to finish its jobs.
pub(crate) fn grace_period(settings: &WorkerSettings) -> Duration {
    Duration::try_from_secs_f64(settings.grace_seconds).unwrap_or_default()
}

/// How many attempts a job has: as the settings say, or else its kind.
fn max_attempts(settings: &WorkerSettings, kind: &Kind) -> u32 {
    if settings.max_attempts > 0 { settings.max_attempts } else { kind.attempts }
}
