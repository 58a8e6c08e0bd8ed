//! Which rate budgets are closed, as far as this process knows.

use std::collections::BTreeMap;
use std::time::Duration;

use model::Timestamp;
use model::fleet::Budget;
use tokio::sync::watch;

/// What is known of every budget that was ever closed. It lags behind the store by at most the watcher's interval.
pub(crate) struct Gate {
    known: watch::Sender<BTreeMap<String, Known>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Known {
    closed_until: Timestamp,
    throttled: u32,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self { known: watch::Sender::new(BTreeMap::new()) }
    }

    /// Takes over what the store says of this budget, whatever its key there. It never opens a budget earlier: the store
    /// may have been out of reach when this process closed it.
    pub(crate) fn note(&self, name: &str, budget: &Budget) {
        self.change(name, |known| {
            known.closed_until = known.closed_until.max(budget.blocked_until);
            known.throttled = budget.throttled;
        });
    }

    /// Closes a budget for this process, at least until then.
    pub(crate) fn close(&self, name: &str, until: Timestamp) {
        self.change(name, |known| known.closed_until = known.closed_until.max(until));
    }

    /// A good answer came.
    pub(crate) fn answered(&self, name: &str) {
        self.change(name, |known| known.throttled = 0);
    }

    /// Throttled answers in a row.
    pub(crate) fn throttled(&self, name: &str) -> u32 {
        self.known.borrow().get(name).map_or(0, |known| known.throttled)
    }

    /// How long until the last of these budgets opens; `None`: all are open.
    pub(crate) fn closed_for(&self, names: &[&str]) -> Option<Duration> {
        let now = Timestamp::now();
        let known = self.known.borrow();
        let waits = names.iter().filter_map(|name| known.get(*name)).map(|known| known.closed_until.after(now));
        waits.max().filter(|wait| !wait.is_zero())
    }

    /// Waits until all of these budgets are open.
    pub(crate) async fn open(&self, names: &[&str]) {
        let mut changes = self.known.subscribe();
        while let Some(wait) = self.closed_for(names) {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = changes.changed() => {}
            }
        }
    }

    /// Waits until one of these budgets is closed.
    pub(crate) async fn closed(&self, names: &[&str]) {
        // Subscribed before looking, or a change in between would be missed.
        let mut changes = self.known.subscribe();
        while self.closed_for(names).is_none() {
            let _ = changes.changed().await;
        }
    }

    /// In one step, because jobs and the watcher change it at the same time.
    fn change(&self, name: &str, change: impl FnOnce(&mut Known)) {
        self.known.send_if_modified(|all| {
            let known = all.entry(name.to_owned()).or_default();
            let before = *known;
            change(known);
            *known != before
        });
    }
}
