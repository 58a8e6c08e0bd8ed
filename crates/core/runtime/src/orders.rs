//! What operators ordered: kinds that are paused, runs that are cancelled.

use std::collections::HashSet;

use store::{Store, StoreError};
use tokio::sync::watch;

/// The orders in force, as far as this process knows. They lag behind the store by at most the watcher's interval.
pub(crate) struct Orders {
    known: watch::Sender<Known>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Known {
    paused: HashSet<String>,
    cancelled: HashSet<String>,
}

impl Orders {
    pub(crate) fn new() -> Self {
        Self { known: watch::Sender::new(Known::default()) }
    }

    /// Asks the store.
    pub(crate) async fn refresh(&self, store: &dyn Store) -> Result<(), StoreError> {
        let paused = store.pauses().await?.into_iter().map(|pause| pause.kind).collect();
        let cancelled = store.cancelled_runs().await?.into_iter().collect();
        let now = Known { paused, cancelled };
        self.known.send_if_modified(|known| {
            let is_news = *known != now;
            *known = now;
            is_news
        });
        Ok(())
    }

    /// Whether nobody may take jobs of this kind.
    pub(crate) fn is_paused(&self, kind: &str) -> bool {
        self.known.borrow().paused.contains(kind)
    }

    /// Whether the jobs of this run do nothing any more.
    pub(crate) fn is_cancelled(&self, run: &str) -> bool {
        self.known.borrow().cancelled.contains(run)
    }

    /// Waits until this kind is paused.
    pub(crate) async fn paused(&self, kind: &str) {
        self.reach(|known| known.paused.contains(kind)).await;
    }

    /// Waits until this kind is not paused.
    pub(crate) async fn resumed(&self, kind: &str) {
        self.reach(|known| !known.paused.contains(kind)).await;
    }

    async fn reach(&self, is_so: impl FnMut(&Known) -> bool) {
        // It cannot fail: `self` holds the sender.
        let _ = self.known.subscribe().wait_for(is_so).await;
    }
}
