//! Taking the jobs of one kind.

use std::pin::pin;
use std::sync::Arc;

use futures::stream::{FuturesUnordered, StreamExt};
use queue::{Delivery, Queue, QueueError, Subscription};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::WorkerError;
use crate::backoff::Outage;
use crate::job::Runner;
use crate::standing::{CHECK, Stand, Standing};

/// Takes the jobs of one kind, and runs as many at once as there are slots.
pub(crate) struct Taker {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) runner: Arc<Runner>,
    pub(crate) slots: usize,
    pub(crate) outage: Outage,
    pub(crate) standing: Arc<Standing>,
}

/// The jobs of a taker that run. What is polled here is only what surrounds a job: each handler has a task of its own.
type Jobs<J> = FuturesUnordered<J>;

/// Where a taker stands. Only while it takes does it hold a subscription, so that a pause, a closed budget or a stop leaves
/// every job to others.
enum State {
    Waiting,
    Subscribing,
    Taking(Box<dyn Subscription>),
    BackingOff(QueueError),
    Stopped(Result<(), WorkerError>),
}

impl Taker {
    /// Takes jobs until stopped or until the first error, then waits for those that run.
    pub(crate) async fn run(self) -> Result<(), WorkerError> {
        let run = |delivery| self.runner.clone().run(delivery);
        let mut jobs = Jobs::new();
        let mut state = State::Waiting;
        let mut result = loop {
            state = match state {
                State::Waiting => meanwhile(&mut jobs, self.wait()).await,
                State::Subscribing => meanwhile(&mut jobs, self.subscribe()).await,
                State::Taking(subscription) => self.take(subscription, &mut jobs, &run).await,
                State::BackingOff(error @ QueueError::Unusable(_)) => State::Stopped(Err(error.into())),
                State::BackingOff(error) => meanwhile(&mut jobs, self.back_off(&error)).await,
                State::Stopped(result) => break result,
            };
        };
        self.standing.set(Stand::Stopped);
        // After an error the other kinds stop too, and the grace period of the jobs that run begins.
        self.runner.shutdown.begin();
        while let Some(job) = jobs.next().await {
            result = result.and(job);
        }
        result
    }

    /// Waits until jobs may be taken.
    async fn wait(&self) -> State {
        let Runner { kind, budgets, orders, declines, .. } = &*self.runner;
        let (name, gate) = (kind.name, budgets.gate());
        let free = async {
            while orders.is_paused(name) || gate.closed_for(kind.budgets).is_some() || declines.is_waiting() {
                self.standing.set(declines.reason().map_or(Stand::Waiting, Stand::Failing));
                if orders.is_paused(name) {
                    tracing::info!(kind = name, "paused: none of these jobs is taken until `spotifai resume {name}`");
                }
                orders.resumed(name).await;
                gate.open(kind.budgets).await;
                declines.over().await;
            }
        };
        tokio::select! {
            biased;
            () = self.runner.shutdown.stopped() => State::Stopped(Ok(())),
            () = free => State::Subscribing,
        }
    }

    async fn subscribe(&self) -> State {
        self.standing.begin();
        let kinds = [self.runner.kind.name];
        tokio::select! {
            biased;
            () = self.runner.shutdown.stopped() => State::Stopped(Ok(())),
            subscribed = self.queue.subscribe(&kinds, self.slots) => match subscribed {
                Ok(subscription) => State::Taking(subscription),
                Err(error) => State::BackingOff(error),
            }
        }
    }

    /// Takes deliveries, one for each free slot, for as long as nothing else happens.
    async fn take<J>(
        &self,
        mut subscription: Box<dyn Subscription>,
        jobs: &mut Jobs<J>,
        run: &impl Fn(Delivery) -> J,
    ) -> State
    where
        J: Future<Output = Result<(), WorkerError>>,
    {
        self.takes();
        let mut stopped = pin!(self.runner.shutdown.stopped());
        let mut barred = pin!(self.barred());
        let mut check = interval_at(Instant::now() + CHECK, CHECK);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // One for all rounds: were it dropped when a job ends, a claim under way would be handed back each time.
            let mut next = pin!(subscription.next());
            let delivery = loop {
                tokio::select! {
                    biased;
                    () = &mut stopped => return State::Stopped(Ok(())),
                    () = &mut barred => return State::Waiting,
                    _ = check.tick() => {
                        // A subscription that lasts is the end of an outage, jobs or none.
                        self.outage.over();
                        self.takes();
                    }
                    Some(job) = jobs.next() => if let Err(error) = job {
                        return State::Stopped(Err(error));
                    },
                    next = &mut next, if jobs.len() < self.slots => break next,
                }
            };
            match delivery {
                Ok(delivery) => jobs.push(run(delivery)),
                Err(error) => return State::BackingOff(error),
            }
            self.outage.over();
        }
    }

    /// It looks after its subscription. After a decline that makes it ready only when no other follows.
    fn takes(&self) {
        self.standing.set(self.runner.declines.reason().map_or(Stand::Taking, Stand::Failing));
    }

    /// Waits until no more jobs may be taken.
    async fn barred(&self) {
        let Runner { kind, budgets, orders, declines, .. } = &*self.runner;
        tokio::select! {
            () = declines.begun() => {}
            () = budgets.gate().closed(kind.budgets) => {}
            () = orders.paused(kind.name) => {}
        }
    }

    async fn back_off(&self, error: &QueueError) -> State {
        self.standing.set(Stand::Failing(error.to_string()));
        let wait = async {
            if matches!(error, QueueError::Unwritable { .. }) {
                self.runner.fault.meet(error);
                self.runner.fault.pause().await;
            } else {
                self.outage.wait(error).await;
            }
        };
        tokio::select! {
            () = self.runner.shutdown.stopped() => State::Stopped(Ok(())),
            () = wait => State::Waiting,
        }
    }
}

/// Waits for the next state, while the jobs that run go on.
async fn meanwhile<J>(jobs: &mut Jobs<J>, next: impl Future<Output = State>) -> State
where
    J: Future<Output = Result<(), WorkerError>>,
{
    let mut next = pin!(next);
    loop {
        tokio::select! {
            biased;
            Some(job) = jobs.next() => if let Err(error) = job {
                return State::Stopped(Err(error));
            },
            next = &mut next => return next,
        }
    }
}
