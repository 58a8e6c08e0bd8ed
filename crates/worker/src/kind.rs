//! Taking the jobs of one kind.

use std::pin::pin;
use std::sync::Arc;

use queue::{Delivery, Queue, QueueError, Subscription};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::WorkerError;
use crate::backoff::Outage;
use crate::job::Runner;
use crate::worker::finished;

/// Takes the jobs of one kind, and runs as many at once as there are slots.
pub(crate) struct Taker {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) runner: Arc<Runner>,
    pub(crate) slots: usize,
    pub(crate) outage: Outage,
}

/// The jobs of a taker that run.
type Jobs = JoinSet<Result<(), WorkerError>>;

/// Where a taker stands. Only while it takes does it hold a subscription, so that a closed budget or a stop leaves every
/// job to others.
enum State {
    WaitingForBudgets,
    Subscribing,
    Taking(Box<dyn Subscription>),
    BackingOff(QueueError),
    Stopped(Result<(), WorkerError>),
}

impl Taker {
    /// Takes jobs until stopped or until the first error, then waits for those that run.
    pub(crate) async fn run(self) -> Result<(), WorkerError> {
        let mut jobs = Jobs::new();
        let free = Arc::new(Semaphore::new(self.slots));
        let mut state = State::WaitingForBudgets;
        let mut result = loop {
            state = match state {
                State::WaitingForBudgets => self.wait_for_budgets().await,
                State::Subscribing => self.subscribe().await,
                State::Taking(subscription) => self.take(subscription, &free, &mut jobs).await,
                State::BackingOff(error @ QueueError::Unusable(_)) => State::Stopped(Err(error.into())),
                State::BackingOff(error) => self.back_off(&error).await,
                State::Stopped(result) => break result,
            };
        };
        // After an error the other kinds stop too, and the grace period of the jobs that run begins.
        self.runner.shutdown.begin();
        while let Some(job) = jobs.join_next().await {
            result = result.and(finished(job));
        }
        result
    }

    async fn wait_for_budgets(&self) -> State {
        let Runner { handler, context, shutdown, .. } = &*self.runner;
        tokio::select! {
            biased;
            () = shutdown.stopped() => State::Stopped(Ok(())),
            () = context.budgets.gate().open(handler.pays_from()) => State::Subscribing,
        }
    }

    async fn subscribe(&self) -> State {
        let kinds = [self.runner.handler.kind()];
        tokio::select! {
            biased;
            () = self.runner.shutdown.stopped() => State::Stopped(Ok(())),
            subscribed = self.queue.subscribe(&kinds, self.slots) => match subscribed {
                Ok(subscription) => State::Taking(subscription),
                Err(error) => State::BackingOff(error),
            }
        }
    }

    /// Takes deliveries for as long as nothing else happens.
    async fn take(&self, mut subscription: Box<dyn Subscription>, free: &Arc<Semaphore>, jobs: &mut Jobs) -> State {
        loop {
            let (slot, delivery) = match self.next(&mut *subscription, free, jobs).await {
                Ok(next) => next,
                Err(state) => return state,
            };
            self.outage.over();
            let runner = self.runner.clone();
            jobs.spawn(async move {
                let result = runner.run(delivery).await;
                drop(slot);
                result
            });
        }
    }

    /// The next delivery and the slot to run it in, or what happened instead.
    async fn next(
        &self,
        subscription: &mut dyn Subscription,
        free: &Arc<Semaphore>,
        jobs: &mut Jobs,
    ) -> Result<(OwnedSemaphorePermit, Delivery), State> {
        let Runner { handler, context, shutdown, .. } = &*self.runner;
        // One for all rounds: were it dropped when a job ends, a claim under way would be handed back each time.
        let mut next = pin!(next(subscription, free));
        loop {
            tokio::select! {
                biased;
                () = shutdown.stopped() => return Err(State::Stopped(Ok(()))),
                () = context.budgets.gate().closed(handler.pays_from()) => return Err(State::WaitingForBudgets),
                Some(job) = jobs.join_next() => finished(job).map_err(|error| State::Stopped(Err(error)))?,
                next = &mut next => return next.map_err(State::BackingOff),
            }
        }
    }

    async fn back_off(&self, error: &QueueError) -> State {
        tokio::select! {
            () = self.runner.shutdown.stopped() => State::Stopped(Ok(())),
            () = self.outage.wait(error) => State::WaitingForBudgets,
        }
    }
}

/// A free slot, then a delivery for it: never one that would have to wait.
async fn next(
    subscription: &mut dyn Subscription,
    free: &Arc<Semaphore>,
) -> Result<(OwnedSemaphorePermit, Delivery), QueueError> {
    let slot = free.clone().acquire_owned().await.expect("the semaphore is never closed");
    Ok((slot, subscription.next().await?))
}
