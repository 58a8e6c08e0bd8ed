//! How long an attempt waited for permits: a rate's time, not its own.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The waits of one attempt. Those at the same time count once.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    over: Duration,
    /// How many wait now, and since when somebody has.
    now: Option<(u32, Instant)>,
}

/// A wait, for as long as this lives.
pub(crate) struct Wait<'a>(&'a Waiting);

impl Waiting {
    /// A wait begins.
    pub(crate) fn begin(&self) -> Wait<'_> {
        let mut state = self.lock();
        let (waiters, since) = state.now.unwrap_or((0, Instant::now()));
        state.now = Some((waiters + 1, since));
        Wait(self)
    }

    /// All waits so far.
    pub(crate) fn so_far(&self) -> Duration {
        let state = self.lock();
        state.over + state.now.map_or(Duration::ZERO, |(_, since)| since.elapsed())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        match state.now.take() {
            Some((1, since)) => state.over += since.elapsed(),
            Some((waiters, since)) => state.now = Some((waiters - 1, since)),
            None => {}
        }
    }
}
