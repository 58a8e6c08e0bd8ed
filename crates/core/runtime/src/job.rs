//! One job, from its delivery to its one end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::fleet::JobCounts;
use model::job::{BadEnvelope, Envelope, Kind};
use model::settings::WorkerSettings as Limits;
use queue::{Delivery, Outcome, QueueError};
use store::{Store, StoreError};
use tokio::sync::oneshot;
use tracing::Instrument;

use crate::attempt::Attempt;
use crate::backoff::{Backoff, Outage};
use crate::cancellation::{Cancellation, Lost};
use crate::declines::Declines;
use crate::erased::AnyHandler;
use crate::fault::Fault;
use crate::meters::{Ending, KindMeters};
use crate::orders::Orders;
use crate::tally::Tally;
use crate::trace::JobSpan;
use crate::waiting::Waiting;
use crate::{Budgets, Context, Failure, Shutdown, WorkerError};

/// A job whose worker was lost this often while it ran is taken for the cause.
const MOST_CRASHES: u32 = 10;

/// Runs the jobs of one kind.
pub(crate) struct Runner {
    pub(crate) handler: Arc<dyn AnyHandler>,
    pub(crate) kind: Kind,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) budgets: Budgets,
    pub(crate) orders: Arc<Orders>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) meters: KindMeters,
    pub(crate) declines: Arc<Declines>,
    /// Seen by the jobs; the subscription has its own, or one's success would end the other's back-off.
    pub(crate) outage: Outage,
    pub(crate) fault: Arc<Fault>,
    pub(crate) lost: Arc<Lost>,
    pub(crate) shutdown: Shutdown,
}

impl Runner {
    /// Runs a delivery's job and ends the delivery.
    pub(crate) async fn run(self: Arc<Self>, mut delivery: Delivery) -> Result<(), WorkerError> {
        let began = Instant::now();
        self.meters.running.increment(1.0);
        let (running, span) = match &delivery.envelope {
            Ok(job) => (Some(self.tally.start(self.kind.name, &job.key)), JobSpan::begin(job)),
            Err(_) => (None, JobSpan::of_no_job(self.kind.name)),
        };
        let (ending, end) = if self.is_cancelled(&delivery) {
            (Ending::Cancelled, Outcome::Done(Vec::new()))
        } else {
            let out_of_time = self.shutdown.out_of_time(grace(&self.limits));
            let end = tokio::select! {
                biased;
                end = self.decide(&mut delivery, &span) => end,
                () = out_of_time => Outcome::Release,
            };
            (ending(&end), end)
        };
        let result = self.end(delivery, ending, end, &span).await;
        self.meters.running.decrement(1.0);
        self.meters.seconds.record(began.elapsed());
        drop(running);
        result
    }

    fn is_cancelled(&self, delivery: &Delivery) -> bool {
        let run = delivery.envelope.as_ref().ok().and_then(|job| job.run.as_deref());
        run.is_some_and(|run| self.orders.is_cancelled(run))
    }

    /// Finds the end of a delivery. Dropped half-way, it aborts the job.
    async fn decide(self: &Arc<Self>, delivery: &mut Delivery, span: &JobSpan) -> Outcome {
        match &mut delivery.envelope {
            Err(newer @ BadEnvelope::Newer { .. }) => {
                Outcome::Postpone { after: self.declines.postponed(&newer.to_string()) }
            }
            Err(bad) => Outcome::Dead { reason: bad.to_string() },
            Ok(job) if job.kind != delivery.kind => Outcome::Dead {
                reason: format!("a job of kind `{}` lay in the queue of `{}`", job.kind, delivery.kind),
            },
            Ok(job) => match self.attempt(job, delivery.redelivered, span).await {
                Ok(mut follow_ups) => {
                    span.hand_on(job, &mut follow_ups);
                    Outcome::Done(follow_ups)
                }
                Err(failure) => self.end_of(job, failure).await,
            },
        }
    }

    /// Runs the handler. The body is handed over; what the queue does with the job later has a copy of its own.
    async fn attempt(
        self: &Arc<Self>,
        job: &mut Envelope,
        redelivered: bool,
        span: &JobSpan,
    ) -> Result<Vec<Envelope>, Failure> {
        if redelivered {
            self.meters.redelivered.increment(1);
            let crashes = self.store.count_crash(&job.id).await?;
            if crashes > MOST_CRASHES {
                return Err(Failure::dead(format!("its worker was lost {crashes} times while it ran")));
            }
        }
        let (canceller, cancellation) = Cancellation::new();
        let (context, waiting) = self.context(job, cancellation);
        let (handler, body, (within, limit)) = (self.handler.clone(), job.body.take(), oneshot::channel());
        // A task of its own: a panic ends it alone, and one that never yields can be left behind.
        let task = async move { handler.run_body(body, &context, within).await };
        let task = Attempt::new(tokio::spawn(task.instrument(span.span.clone())), canceller, self.lost.clone());
        task.end(limit, &waiting, &self.shutdown).await
    }

    fn context(&self, job: &Envelope, cancellation: Cancellation) -> (Context, Arc<Waiting>) {
        let (budgets, waiting) = self.budgets.for_attempt();
        let (store, run) = (self.store.clone(), job.run.clone());
        (Context { store, budgets, run, attempt: job.attempt, cancellation }, waiting)
    }

    /// What is to be done about a failure.
    async fn end_of(&self, job: &Envelope, failure: Failure) -> Outcome {
        match failure {
            Failure::Dead { reason } => Outcome::Dead { reason },
            Failure::Retry { after, reason } => self.next_attempt(job, after, reason),
            Failure::Pause { budget, after, reason } => {
                match self.budgets.pause(&budget, after, &reason).await {
                    Err(error @ StoreError::Unwritable { .. }) => self.meet_fault(error).await,
                    Err(error) => self.outage.wait(error).await,
                    Ok(()) => {}
                }
                Outcome::Release
            }
            Failure::Closed { budget } => {
                let closed = self.budgets.refresh().await;
                // A handler that says so of an open budget must not have the job come back at once, for ever.
                if closed.is_err() || self.budgets.gate().closed_for(&[&budget]).is_none() {
                    self.outage.wait(format!("{} jobs find the budget {budget} closed", job.kind)).await;
                }
                Outcome::Release
            }
            Failure::Decline { scope, reason } => {
                // Before it is handed back, or it would be taken again at once.
                self.declines.declined(job, scope, &reason).await;
                Outcome::Release
            }
            Failure::Cancelled => {
                // One that says so unasked must not have the job come back at once, for ever.
                if !self.shutdown.is_stopping() {
                    self.outage.wait(format!("{} jobs end as cancelled", job.kind)).await;
                }
                Outcome::Release
            }
            Failure::Unavailable { reason } => {
                self.outage.wait(reason).await;
                Outcome::Release
            }
            Failure::Local { reason } => {
                self.meet_fault(reason).await;
                Outcome::Release
            }
        }
    }

    /// Notes a fault of this process, and waits before the job is handed back: it may come here again.
    async fn meet_fault(&self, why: impl std::fmt::Display) {
        self.fault.meet(why);
        tokio::select! {
            () = self.fault.pause() => {}
            () = self.shutdown.stopped() => {}
        }
    }

    fn next_attempt(&self, job: &Envelope, after: Option<Duration>, reason: String) -> Outcome {
        let attempts = job.attempt.saturating_add(1);
        if attempts >= most_attempts(&self.limits, &self.kind) {
            return Outcome::Dead { reason: format!("gave up after {attempts} attempts: {reason}") };
        }
        Outcome::Retry { after: after.unwrap_or_else(|| Backoff::ATTEMPTS.wait(job.attempt)), reason }
    }

    /// Ends the delivery, and counts it when that succeeds.
    async fn end(&self, delivery: Delivery, ending: Ending, end: Outcome, span: &JobSpan) -> Result<(), WorkerError> {
        span.span.in_scope(|| log(ending, &end));
        if let Outcome::Retry { reason, .. } | Outcome::Dead { reason } = &end {
            span.ended(ending, Some(reason));
        } else {
            span.ended(ending, None);
        }
        match delivery.finish(end).await {
            Ok(()) => {
                self.meters.ended(ending);
                self.count(ending);
                Ok(())
            }
            Err(QueueError::Unusable(why)) => Err(QueueError::Unusable(why).into()),
            Err(QueueError::Stale) => {
                self.meters.ended(Ending::Stale);
                let _entered = span.span.enter();
                tracing::warn!("{}; what it wrote stays, as if it had run twice", QueueError::Stale);
                Ok(())
            }
            Err(error @ QueueError::Unwritable { .. }) => {
                self.meet_fault(error).await;
                Ok(())
            }
            Err(error @ QueueError::Unavailable { .. }) => {
                self.outage.wait(error).await;
                Ok(())
            }
        }
    }

    fn count(&self, ending: Ending) {
        let add: fn(&mut JobCounts) = match ending {
            Ending::Done | Ending::Cancelled => |counts| counts.done += 1,
            Ending::Retried => |counts| counts.retried += 1,
            Ending::Dead => |counts| counts.dead += 1,
            Ending::HandedBack | Ending::Stale => return,
        };
        self.outage.over();
        self.fault.over();
        self.declines.ran();
        self.tally.count(self.kind.name, add);
    }
}

fn ending(end: &Outcome) -> Ending {
    match end {
        Outcome::Done(_) => Ending::Done,
        Outcome::Retry { .. } => Ending::Retried,
        Outcome::Dead { .. } => Ending::Dead,
        Outcome::Release | Outcome::Postpone { .. } => Ending::HandedBack,
    }
}

fn log(ending: Ending, end: &Outcome) {
    match end {
        Outcome::Done(follow_ups) => tracing::debug!(follow_ups = follow_ups.len(), "{}", ending.as_str()),
        Outcome::Retry { after, reason } => {
            tracing::warn!(delay_ms = after.as_millis() as u64, "to be tried again: {reason}");
        }
        Outcome::Dead { reason } => tracing::error!("dead: {reason}"),
        Outcome::Release | Outcome::Postpone { .. } => tracing::debug!("handed back"),
    }
}

/// How long a stopping worker may take to finish its jobs.
pub(crate) fn grace(limits: &Limits) -> Duration {
    Duration::try_from_secs_f64(limits.grace_seconds).unwrap_or_default()
}

/// Attempts before a job is dead: the setting's, or the kind's own.
fn most_attempts(limits: &Limits, kind: &Kind) -> u32 {
    if limits.max_attempts > 0 { limits.max_attempts } else { kind.attempts }
}
