//! What this process is told through the store while it works: closed budgets, pauses, cancelled runs.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use store::StoreError;

use crate::orders::Orders;
use crate::standing::{Stand, Standing};
use crate::{Context, Shutdown};

/// How often the store is asked, so that everyone knows within a second.
const LOOK: Duration = Duration::from_millis(500);

/// Asks the store for everything that concerns all workers.
pub(crate) struct Watch {
    pub(crate) context: Context,
    pub(crate) orders: Arc<Orders>,
    pub(crate) shutdown: Shutdown,
    /// Whether the store answers.
    pub(crate) standing: Arc<Standing>,
}

impl Watch {
    pub(crate) fn new(context: Context, shutdown: Shutdown) -> Self {
        Self { context, orders: Arc::new(Orders::new()), shutdown, standing: Arc::new(Standing::new("store")) }
    }

    /// Looks once.
    pub(crate) async fn look(&self) -> Result<(), StoreError> {
        let looked = async {
            self.context.budgets.refresh().await?;
            self.orders.refresh(&*self.context.store).await
        };
        let result = looked.await;
        self.standing.set(match &result {
            Ok(()) => Stand::Taking,
            Err(error) => Stand::Failing(error.to_string()),
        });
        result
    }

    /// Looks for ever.
    pub(crate) async fn run(&self) -> Infallible {
        loop {
            tokio::time::sleep(LOOK).await;
            if let Err(error) = self.look().await {
                // Jobs that find the store out of reach say so.
                tracing::debug!("budgets and orders could not be read: {error}");
            }
        }
    }
}
