//! Which rate budgets are closed, as far as this process knows.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use model::Timestamp;
use model::fleet::Budget;
use tokio::sync::watch;

/// What is known of every budget that was ever closed. It lags behind the store by at most the watcher's interval.
pub(crate) struct Gate {
    known: watch::Sender<BTreeMap<String, Known>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Known {
    /// As the store says, which somebody may have opened.
    closed_until: Timestamp,
    /// As this process says while the store has not taken it: it may be out of reach.
    closed_here_until: Timestamp,
    throttled: u32,
    /// When a closing was heard of last. What the store was asked before that is older news.
    news_at: Option<Instant>,
}

impl Known {
    fn closed_until(&self) -> Timestamp {
        self.closed_until.max(self.closed_here_until)
    }
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self { known: watch::Sender::new(BTreeMap::new()) }
    }

    /// Takes over what the store, asked at that time, says of this budget, whatever its key there.
    pub(crate) fn note(&self, name: &str, budget: &Budget, asked_at: Instant) {
        self.change(name, |known| {
            let is_older = known.news_at.is_some_and(|news_at| asked_at < news_at);
            if budget.blocked_until > known.closed_until {
                known.news_at = known.news_at.max(Some(asked_at));
            }
            known.closed_until = match is_older {
                true => known.closed_until.max(budget.blocked_until),
                false => budget.blocked_until,
            };
            known.throttled = budget.throttled;
        });
    }

    /// The store closed a budget, and said so at that time. An answer to a question from before then may be of the time
    /// before the closing: it is older news.
    pub(crate) fn closed_by_store(&self, name: &str, budget: &Budget, answered_at: Instant) {
        self.note(name, budget, answered_at);
        self.change(name, |known| {
            known.news_at = known.news_at.max(Some(answered_at));
            if known.closed_here_until <= budget.blocked_until {
                known.closed_here_until = Timestamp::default();
            }
        });
    }

    /// The store gave no permit before this time.
    pub(crate) fn refused(&self, name: &str, until: Timestamp) {
        self.change(name, |known| {
            known.closed_until = known.closed_until.max(until);
            known.news_at = Some(Instant::now());
        });
    }

    /// Closes a budget for this process, at least until then.
    pub(crate) fn close(&self, name: &str, until: Timestamp) {
        self.change(name, |known| known.closed_here_until = known.closed_here_until.max(until));
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
        let waits =
            names.iter().filter_map(|name| known.get(*name)).map(|known| known.closed_until().duration_since(now));
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
