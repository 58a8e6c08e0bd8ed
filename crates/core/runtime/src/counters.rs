//! What this process is doing and has done.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::Timestamp;
use model::fleet::{JobCounts, Trouble};

/// Counters, running jobs and troubles of a worker, shared by all slots.
#[derive(Default)]
pub(crate) struct Counters {
    state: Mutex<CounterSnapshot>,
}

/// The counters at one moment.
#[derive(Clone, Default)]
pub(crate) struct CounterSnapshot {
    pub(crate) counts: BTreeMap<String, JobCounts>,
    /// Kind, key and start of each running job.
    pub(crate) running: BTreeMap<u64, (&'static str, String, Timestamp)>,
    /// What keeps this process from taking jobs, or did until a moment ago.
    pub(crate) troubles: Vec<Trouble>,
    /// Grows with every change.
    pub(crate) version: u64,
}

/// A running job, until this is dropped.
pub(crate) struct RunningJob {
    counters: Arc<Counters>,
    number: u64,
}

impl Counters {
    /// Counts of zero for these kinds.
    pub(crate) fn of(kinds: &[String]) -> Arc<Self> {
        let counts = kinds.iter().map(|kind| (kind.clone(), JobCounts::default())).collect();
        Arc::new(Self { state: Mutex::new(CounterSnapshot { counts, ..CounterSnapshot::default() }) })
    }

    /// A job starts.
    pub(crate) fn start(self: &Arc<Self>, kind: &'static str, key: &str) -> RunningJob {
        let started = (kind, key.to_owned(), Timestamp::now());
        let mut state = self.lock();
        state.version += 1;
        let number = state.version;
        state.running.insert(number, started);
        RunningJob { counters: self.clone(), number }
    }

    /// A job of this kind ended.
    pub(crate) fn count(&self, kind: &str, increment: impl FnOnce(&mut JobCounts)) {
        let mut state = self.lock();
        state.version += 1;
        state.counts.get_mut(kind).map(increment);
    }

    /// Adds a trouble of one kind or of all. It replaces the trouble that there already was and lasts since then.
    pub(crate) fn trouble(&self, mut trouble: Trouble) {
        let mut state = self.lock();
        state.version += 1;
        if let Some(at) = state.troubles.iter().position(|earlier| earlier.kind == trouble.kind) {
            trouble.since = state.troubles.swap_remove(at).since;
        }
        state.troubles.push(trouble);
    }

    /// Whether this kind is in trouble; `None`: whether all are.
    pub(crate) fn is_in_trouble(&self, kind: Option<&str>) -> bool {
        let now = Timestamp::now();
        self.lock().troubles.iter().any(|trouble| trouble.kind.as_deref() == kind && trouble.until > now)
    }

    /// Ends the trouble of this kind; `None`: that of all.
    pub(crate) fn end_trouble(&self, kind: Option<&str>) {
        let mut state = self.lock();
        state.version += 1;
        state.troubles.retain(|trouble| trouble.kind.as_deref() != kind);
    }

    /// Ends the trouble of this kind in `remaining` from now, unless it ends earlier.
    pub(crate) fn shorten_trouble(&self, kind: &str, remaining: Duration) {
        let mut state = self.lock();
        state.version += 1;
        let until = Timestamp::now() + remaining;
        let of_kind = state.troubles.iter_mut().filter(|trouble| trouble.kind.as_deref() == Some(kind));
        of_kind.for_each(|trouble| trouble.until = trouble.until.min(until));
    }

    /// The counters now, without troubles that are over.
    pub(crate) fn snapshot(&self) -> CounterSnapshot {
        let mut state = self.lock();
        let now = Timestamp::now();
        state.troubles.retain(|trouble| trouble.until > now);
        state.clone()
    }

    /// Grows with every change.
    pub(crate) fn version(&self) -> u64 {
        self.lock().version
    }

    /// Whether a job is running.
    pub(crate) fn is_busy(&self) -> bool {
        !self.lock().running.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, CounterSnapshot> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RunningJob {
    fn drop(&mut self) {
        let mut state = self.counters.lock();
        state.version += 1;
        state.running.remove(&self.number);
    }
}
