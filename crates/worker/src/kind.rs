//! Taking the jobs of one kind.

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

/// Where a taker stands. Only while it takes does it hold a subscription, so that a closed budget or a stop leaves every
/// job to others.
enum State {
    WaitingForBudgets,
    Subscribing,
    Taking(Box<dyn Subscription>),
    BackingOff(QueueError),
    Stopped,
}

impl Taker {
    /// Takes jobs until stopped, then waits for those that run.
    pub(crate) async fn run(self) -> Result<(), WorkerError> {
        let mut jobs = JoinSet::new();
        let free = Arc::new(Semaphore::new(self.slots));
        let mut state = State::WaitingForBudgets;
        loop {
            state = match state {
                State::WaitingForBudgets => self.wait_for_budgets().await,
                State::Subscribing => self.subscribe().await,
                State::Taking(subscription) => self.take(subscription, &free, &mut jobs).await?,
                State::BackingOff(error @ QueueError::Unusable(_)) => return Err(error.into()),
                State::BackingOff(error) => self.back_off(&error).await,
                State::Stopped => break,
            };
        }
        while let Some(job) = jobs.join_next().await {
            finished(job)?;
        }
        Ok(())
    }

    async fn wait_for_budgets(&self) -> State {
        let Runner { handler, context, shutdown, .. } = &*self.runner;
        tokio::select! {
            biased;
            () = shutdown.stopped() => State::Stopped,
            () = context.budgets.gate().open(handler.pays_from()) => State::Subscribing,
        }
    }

    async fn subscribe(&self) -> State {
        let kinds = [self.runner.handler.kind()];
        tokio::select! {
            biased;
            () = self.runner.shutdown.stopped() => State::Stopped,
            subscribed = self.queue.subscribe(&kinds, self.slots) => match subscribed {
                Ok(subscription) => State::Taking(subscription),
                Err(error) => State::BackingOff(error),
            }
        }
    }

    /// Takes deliveries for as long as nothing else happens.
    async fn take(
        &self,
        mut subscription: Box<dyn Subscription>,
        free: &Arc<Semaphore>,
        jobs: &mut JoinSet<Result<(), WorkerError>>,
    ) -> Result<State, WorkerError> {
        let Runner { handler, context, shutdown, .. } = &*self.runner;
        loop {
            let next = tokio::select! {
                biased;
                () = shutdown.stopped() => return Ok(State::Stopped),
                () = context.budgets.gate().closed(handler.pays_from()) => return Ok(State::WaitingForBudgets),
                Some(job) = jobs.join_next() => { finished(job)?; continue }
                next = next(&mut *subscription, free) => next,
            };
            let (slot, delivery) = match next {
                Ok(next) => next,
                Err(error) => return Ok(State::BackingOff(error)),
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

    async fn back_off(&self, error: &QueueError) -> State {
        tokio::select! {
            () = self.runner.shutdown.stopped() => State::Stopped,
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
