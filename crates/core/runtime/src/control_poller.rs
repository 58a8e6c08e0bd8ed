//! The control poller: asks the store for closed budgets, pauses and cancelled runs, and the queue whether it accepts jobs.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use model::fleet::Trouble;
use queue::Queue;
use store::{Fleet, StoreError};

use crate::control::ControlState;
use crate::counters::Counters;
use crate::readiness_check::{ReadinessCheck, ReadinessStatus};
use crate::{Budgets, Shutdown};

/// How often the store is asked, so that every worker knows within a second.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// How long a report about the queue is valid: longer than the oldest heartbeat of a live worker.
const TROUBLE_DURATION: Duration = Duration::from_secs(10);

/// Keeps what concerns all workers up to date.
pub(crate) struct ControlPoller {
    pub(crate) budgets: Budgets,
    pub(crate) control: Arc<ControlState>,
    pub(crate) shutdown: Shutdown,
    /// Whether the store answers.
    pub(crate) store_check: Arc<ReadinessCheck>,
    /// Whether the queue accepts jobs.
    pub(crate) queue_check: Arc<ReadinessCheck>,
    queue: Arc<dyn Queue>,
    fleet: Arc<dyn Fleet>,
    counters: Arc<Counters>,
}

impl ControlPoller {
    pub(crate) fn new(
        budgets: Budgets,
        queue: Arc<dyn Queue>,
        fleet: Arc<dyn Fleet>,
        counters: Arc<Counters>,
        shutdown: Shutdown,
    ) -> Self {
        let [store_check, queue_check] = ["store", "queue"].map(|name| Arc::new(ReadinessCheck::new(name)));
        queue_check.set(ReadinessStatus::Waiting);
        let control = Arc::new(ControlState::new());
        Self { budgets, control, shutdown, store_check, queue_check, queue, fleet, counters }
    }

    /// Asks the store once.
    pub(crate) async fn poll_store(&self) -> Result<(), StoreError> {
        let polled = async {
            self.budgets.refresh().await?;
            self.control.refresh(&*self.fleet).await
        };
        let result = polled.await;
        self.store_check.set(match &result {
            Ok(()) => ReadinessStatus::Consuming,
            Err(error) => ReadinessStatus::Failing(error.to_string()),
        });
        result
    }

    /// Asks the queue once. While it accepts no jobs, no worker can end a job that has follow-up jobs.
    fn poll_queue(&self) {
        let now = Timestamp::now();
        match self.queue.blocked() {
            Some(reason) => {
                self.queue_check.set(ReadinessStatus::Failing(reason.clone()));
                let (since, until) = (now, now + TROUBLE_DURATION);
                self.counters.trouble(Trouble { kind: None, job: None, partial: false, reason, since, until });
            }
            None if self.queue_check.problem().is_some() => {
                self.queue_check.set(ReadinessStatus::Waiting);
                self.counters.end_trouble(None);
            }
            None => {}
        }
    }

    /// Polls both forever.
    pub(crate) async fn run(&self) -> Infallible {
        loop {
            tokio::time::sleep(POLL_INTERVAL).await;
            self.poll_queue();
            if let Err(error) = self.poll_store().await {
                // Jobs that find the store unreachable say so.
                tracing::debug!("cannot read budgets and control state: {error}");
            }
        }
    }
}
