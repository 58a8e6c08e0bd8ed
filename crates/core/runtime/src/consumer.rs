//! The consumer of one kind: subscribes to its queue and runs the jobs that come.

use std::pin::pin;
use std::sync::Arc;

use futures::stream::{FuturesUnordered, StreamExt};
use queue::{Delivery, Queue, QueueError, Subscription};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::WorkerError;
use crate::backoff::Outage;
use crate::job::JobRunner;
use crate::readiness_check::{CHECK_INTERVAL, ReadinessCheck, ReadinessStatus};

/// Consumes the jobs of one kind, as many at once as there are slots.
pub(crate) struct Consumer {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) runner: Arc<JobRunner>,
    pub(crate) slots: usize,
    pub(crate) outage: Outage,
    pub(crate) check: Arc<ReadinessCheck>,
}

/// The running jobs of a consumer. What is polled here is only what surrounds a job: each handler has a task of its own.
type Jobs<J> = FuturesUnordered<J>;

/// The state of a consumer. It holds a subscription only while it consumes, so that a pause, a closed budget or a stop leaves
/// every job to others.
enum ConsumerState {
    Waiting,
    Subscribing,
    Consuming(Box<dyn Subscription>),
    BackingOff(QueueError),
    Stopped(Result<(), WorkerError>),
}

impl Consumer {
    /// Consumes jobs until stopped or until the first error, then waits for those that run.
    pub(crate) async fn run(self) -> Result<(), WorkerError> {
        let run = |delivery| self.runner.clone().run(delivery);
        let mut jobs = Jobs::new();
        let mut state = ConsumerState::Waiting;
        let mut result = loop {
            state = match state {
                ConsumerState::Waiting => while_jobs_run(&mut jobs, self.wait()).await,
                ConsumerState::Subscribing => while_jobs_run(&mut jobs, self.subscribe()).await,
                ConsumerState::Consuming(subscription) => self.consume(subscription, &mut jobs, &run).await,
                ConsumerState::BackingOff(error @ QueueError::Unusable(_)) => ConsumerState::Stopped(Err(error.into())),
                ConsumerState::BackingOff(error) => while_jobs_run(&mut jobs, self.back_off(&error)).await,
                ConsumerState::Stopped(result) => break result,
            };
        };
        self.check.set(ReadinessStatus::Stopped);
        // After an error the other consumers stop too, and the grace period of the running jobs starts.
        self.runner.shutdown.stop_once();
        while let Some(job) = jobs.next().await {
            result = result.and(job);
        }
        result
    }

    /// Waits until jobs may be taken.
    async fn wait(&self) -> ConsumerState {
        let JobRunner { kind, budgets, control, declines, .. } = &*self.runner;
        let (name, gate) = (kind.name, budgets.gate());
        let allowed = async {
            while control.is_paused(name) || gate.opens_in(kind.budgets).is_some() || declines.is_waiting() {
                self.check.set(declines.reason().map_or(ReadinessStatus::Waiting, ReadinessStatus::Failing));
                if control.is_paused(name) {
                    tracing::info!(kind = name, "paused: no {name} jobs are taken until `spotifai resume {name}`");
                }
                control.until_resumed(name).await;
                gate.until_open(kind.budgets).await;
                declines.until_over().await;
            }
        };
        tokio::select! {
            biased;
            () = self.runner.shutdown.stopped() => ConsumerState::Stopped(Ok(())),
            () = allowed => ConsumerState::Subscribing,
        }
    }

    async fn subscribe(&self) -> ConsumerState {
        self.check.set_subscribing();
        let kinds = [self.runner.kind.name];
        tokio::select! {
            biased;
            () = self.runner.shutdown.stopped() => ConsumerState::Stopped(Ok(())),
            subscribed = self.queue.subscribe(&kinds, self.slots) => match subscribed {
                Ok(subscription) => ConsumerState::Consuming(subscription),
                Err(error) => ConsumerState::BackingOff(error),
            }
        }
    }

    /// Takes deliveries, one for each free slot, as long as nothing else happens.
    async fn consume<J>(
        &self,
        mut subscription: Box<dyn Subscription>,
        jobs: &mut Jobs<J>,
        run: &impl Fn(Delivery) -> J,
    ) -> ConsumerState
    where
        J: Future<Output = Result<(), WorkerError>>,
    {
        self.report_consuming();
        let mut stopped = pin!(self.runner.shutdown.stopped());
        let mut blocked = pin!(self.until_blocked());
        let mut check = interval_at(Instant::now() + CHECK_INTERVAL, CHECK_INTERVAL);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // Kept over all rounds: if it were dropped whenever a job ends, a claim under way would be handed back each time.
            let mut next = pin!(subscription.next());
            let delivery = loop {
                tokio::select! {
                    biased;
                    () = &mut stopped => return ConsumerState::Stopped(Ok(())),
                    () = &mut blocked => return ConsumerState::Waiting,
                    _ = check.tick() => {
                        // A subscription that lasts is the end of an outage, with or without jobs.
                        self.outage.end();
                        self.report_consuming();
                    }
                    Some(job) = jobs.next() => if let Err(error) = job {
                        return ConsumerState::Stopped(Err(error));
                    },
                    next = &mut next, if jobs.len() < self.slots => break next,
                }
            };
            match delivery {
                Ok(delivery) => jobs.push(run(delivery)),
                Err(error) => return ConsumerState::BackingOff(error),
            }
            self.outage.end();
        }
    }

    /// Reports that it consumes. After a declined job that means ready only once no other one follows.
    fn report_consuming(&self) {
        let declined = self.runner.declines.reason();
        self.check.set(declined.map_or(ReadinessStatus::Consuming, ReadinessStatus::Failing));
    }

    /// Waits until no more jobs may be taken.
    async fn until_blocked(&self) {
        let JobRunner { kind, budgets, control, declines, .. } = &*self.runner;
        tokio::select! {
            () = declines.until_waiting() => {}
            () = budgets.gate().until_closed(kind.budgets) => {}
            () = control.until_paused(kind.name) => {}
        }
    }

    async fn back_off(&self, error: &QueueError) -> ConsumerState {
        self.check.set(ReadinessStatus::Failing(error.to_string()));
        let wait = async {
            if matches!(error, QueueError::Unwritable { .. }) {
                self.runner.fault.report(error);
                self.runner.fault.wait_to_retry().await;
            } else {
                self.outage.wait(error).await;
            }
        };
        tokio::select! {
            () = self.runner.shutdown.stopped() => ConsumerState::Stopped(Ok(())),
            () = wait => ConsumerState::Waiting,
        }
    }
}

/// Waits for the next state while the running jobs go on.
async fn while_jobs_run<J>(jobs: &mut Jobs<J>, next: impl Future<Output = ConsumerState>) -> ConsumerState
where
    J: Future<Output = Result<(), WorkerError>>,
{
    let mut next = pin!(next);
    loop {
        tokio::select! {
            biased;
            Some(job) = jobs.next() => if let Err(error) = job {
                return ConsumerState::Stopped(Err(error));
            },
            next = &mut next => return next,
        }
    }
}
