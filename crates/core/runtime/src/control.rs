//! The control state: what operators have decided. Some kinds are paused, some runs are cancelled.

use std::collections::HashSet;

use store::{Fleet, StoreError};
use tokio::sync::watch;

/// The control state as far as this process knows. It lags behind the store by at most the control poller's interval.
pub(crate) struct ControlState {
    flags: watch::Sender<ControlFlags>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct ControlFlags {
    paused_kinds: HashSet<String>,
    cancelled_runs: HashSet<String>,
}

impl ControlState {
    pub(crate) fn new() -> Self {
        Self { flags: watch::Sender::new(ControlFlags::default()) }
    }

    /// Reads it from the store.
    pub(crate) async fn refresh(&self, fleet: &dyn Fleet) -> Result<(), StoreError> {
        let paused_kinds = fleet.pauses().await?.into_iter().map(|pause| pause.kind).collect();
        let cancelled_runs = fleet.cancelled_runs().await?.into_iter().collect();
        let latest = ControlFlags { paused_kinds, cancelled_runs };
        self.flags.send_if_modified(|flags| {
            let has_changed = *flags != latest;
            *flags = latest;
            has_changed
        });
        Ok(())
    }

    /// Whether nobody may take jobs of this kind.
    pub(crate) fn is_paused(&self, kind: &str) -> bool {
        self.flags.borrow().paused_kinds.contains(kind)
    }

    /// Whether the jobs of this run are to do nothing.
    pub(crate) fn is_cancelled(&self, run: &str) -> bool {
        self.flags.borrow().cancelled_runs.contains(run)
    }

    /// Waits until this kind is paused.
    pub(crate) async fn until_paused(&self, kind: &str) {
        self.until(|flags| flags.paused_kinds.contains(kind)).await;
    }

    /// Waits until this kind is not paused.
    pub(crate) async fn until_resumed(&self, kind: &str) {
        self.until(|flags| !flags.paused_kinds.contains(kind)).await;
    }

    async fn until(&self, condition: impl FnMut(&ControlFlags) -> bool) {
        // It cannot fail: `self` holds the sender.
        let _ = self.flags.subscribe().wait_for(condition).await;
    }
}
