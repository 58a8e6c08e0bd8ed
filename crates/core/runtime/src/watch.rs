//! What this process is told while it works: through the store of closed budgets, pauses and cancelled runs, by the queue
//! whether it accepts jobs.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use model::fleet::Trouble;
use queue::Queue;
use store::{Store, StoreError};

use crate::orders::Orders;
use crate::standing::{Stand, Standing};
use crate::tally::Tally;
use crate::{Budgets, Shutdown};

/// How often the store is asked, so that everyone knows within a second.
const LOOK: Duration = Duration::from_millis(500);

/// How long what is said of the queue holds: longer than a heartbeat is old.
const HOLDS: Duration = Duration::from_secs(10);

/// Asks queue and store for everything that concerns all workers.
pub(crate) struct Watch {
    pub(crate) budgets: Budgets,
    pub(crate) orders: Arc<Orders>,
    pub(crate) shutdown: Shutdown,
    /// Whether the store answers.
    pub(crate) store: Arc<Standing>,
    /// Whether the queue accepts jobs.
    pub(crate) accepts: Arc<Standing>,
    queue: Arc<dyn Queue>,
    collections: Arc<dyn Store>,
    tally: Arc<Tally>,
}

impl Watch {
    pub(crate) fn new(
        budgets: Budgets,
        queue: Arc<dyn Queue>,
        collections: Arc<dyn Store>,
        tally: Arc<Tally>,
        shutdown: Shutdown,
    ) -> Self {
        let [store, accepts] = ["store", "queue"].map(|name| Arc::new(Standing::new(name)));
        accepts.set(Stand::Waiting);
        let orders = Arc::new(Orders::new());
        Self { budgets, orders, shutdown, store, accepts, queue, collections, tally }
    }

    /// Looks once.
    pub(crate) async fn look(&self) -> Result<(), StoreError> {
        let looked = async {
            self.budgets.refresh().await?;
            self.orders.refresh(&*self.collections).await
        };
        let result = looked.await;
        self.store.set(match &result {
            Ok(()) => Stand::Taking,
            Err(error) => Stand::Failing(error.to_string()),
        });
        result
    }

    /// A queue that accepts no jobs keeps every worker from ending those that others follow from.
    fn look_at_queue(&self) {
        let now = Timestamp::now();
        match self.queue.blocked() {
            Some(reason) => {
                self.accepts.set(Stand::Failing(reason.clone()));
                let (since, until) = (now, now + HOLDS);
                self.tally.trouble(Trouble { kind: None, job: None, partial: false, reason, since, until });
            }
            None if self.accepts.trouble().is_some() => {
                self.accepts.set(Stand::Waiting);
                self.tally.trouble_over(None);
            }
            None => {}
        }
    }

    /// Looks for ever.
    pub(crate) async fn run(&self) -> Infallible {
        loop {
            tokio::time::sleep(LOOK).await;
            self.look_at_queue();
            if let Err(error) = self.look().await {
                // Jobs that find the store out of reach say so.
                tracing::debug!("budgets and orders could not be read: {error}");
            }
        }
    }
}
