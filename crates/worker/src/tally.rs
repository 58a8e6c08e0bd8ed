//! What this process is doing and has done.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::Timestamp;
use model::fleet::JobCounts;

/// Counts and running jobs, shared by all slots.
#[derive(Default)]
pub(crate) struct Tally {
    state: Mutex<State>,
}

/// A state of the tally.
#[derive(Clone, Default)]
pub(crate) struct State {
    pub(crate) counts: BTreeMap<String, JobCounts>,
    /// Kind, key and beginning of each.
    pub(crate) running: BTreeMap<u64, (&'static str, String, Timestamp)>,
    /// Grows with every change.
    pub(crate) version: u64,
}

/// A job under way, for as long as this lives.
pub(crate) struct Running {
    tally: Arc<Tally>,
    number: u64,
}

impl Tally {
    /// Counts of zero for these kinds.
    pub(crate) fn of(kinds: &[String]) -> Arc<Self> {
        let counts = kinds.iter().map(|kind| (kind.clone(), JobCounts::default())).collect();
        Arc::new(Self { state: Mutex::new(State { counts, ..State::default() }) })
    }

    /// A job begins.
    pub(crate) fn start(self: &Arc<Self>, kind: &'static str, key: &str) -> Running {
        let begun = (kind, key.to_owned(), Timestamp::now());
        let mut state = self.lock();
        state.version += 1;
        let number = state.version;
        state.running.insert(number, begun);
        Running { tally: self.clone(), number }
    }

    /// A job of one of the kinds ended.
    pub(crate) fn count(&self, kind: &str, add: impl FnOnce(&mut JobCounts)) {
        let mut state = self.lock();
        state.version += 1;
        state.counts.get_mut(kind).map(add);
    }

    /// The state now.
    pub(crate) fn snapshot(&self) -> State {
        self.lock().clone()
    }

    /// Grows with every change.
    pub(crate) fn version(&self) -> u64 {
        self.lock().version
    }

    /// Whether a job is under way.
    pub(crate) fn is_busy(&self) -> bool {
        !self.lock().running.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.tally.lock();
        state.version += 1;
        state.running.remove(&self.number);
    }
}
