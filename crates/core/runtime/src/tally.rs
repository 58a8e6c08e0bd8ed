//! What this process is doing and has done.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::Timestamp;
use model::fleet::{JobCounts, Trouble};

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
    /// What keeps this process from taking jobs, or did a moment ago.
    pub(crate) troubles: Vec<Trouble>,
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

    /// A kind is in trouble, or all are, since the beginning of the trouble that it was in anyway.
    pub(crate) fn trouble(&self, mut trouble: Trouble) {
        let mut state = self.lock();
        state.version += 1;
        if let Some(at) = state.troubles.iter().position(|earlier| earlier.kind == trouble.kind) {
            trouble.since = state.troubles.swap_remove(at).since;
        }
        state.troubles.push(trouble);
    }

    /// Whether a kind is in trouble; `None`: all are.
    pub(crate) fn is_in_trouble(&self, kind: Option<&str>) -> bool {
        let now = Timestamp::now();
        self.lock().troubles.iter().any(|trouble| trouble.kind.as_deref() == kind && trouble.until > now)
    }

    /// The trouble of a kind is over; `None`: that of all.
    pub(crate) fn trouble_over(&self, kind: Option<&str>) {
        let mut state = self.lock();
        state.version += 1;
        state.troubles.retain(|trouble| trouble.kind.as_deref() != kind);
    }

    /// The trouble of a kind lasts no longer than so long from now.
    pub(crate) fn trouble_lasts(&self, kind: &str, most: Duration) {
        let mut state = self.lock();
        state.version += 1;
        let until = Timestamp::now() + most;
        let of_kind = state.troubles.iter_mut().filter(|trouble| trouble.kind.as_deref() == Some(kind));
        of_kind.for_each(|trouble| trouble.until = trouble.until.min(until));
    }

    /// The state now, without troubles whose time is over.
    pub(crate) fn snapshot(&self) -> State {
        let mut state = self.lock();
        let now = Timestamp::now();
        state.troubles.retain(|trouble| trouble.until > now);
        state.clone()
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
