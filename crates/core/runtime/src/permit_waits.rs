//! How long an attempt waited for permits, which does not count towards its time limit.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The waits of one attempt. Waits at the same time count once.
#[derive(Debug, Default)]
pub(crate) struct PermitWaits {
    totals: Mutex<WaitTotals>,
}

#[derive(Debug, Default)]
struct WaitTotals {
    /// Of the waits that are over.
    finished: Duration,
    /// How many are under way, and since when there has been at least one.
    current: Option<(u32, Instant)>,
}

/// A wait, which ends when this is dropped.
pub(crate) struct WaitGuard<'a>(&'a PermitWaits);

impl PermitWaits {
    /// Starts a wait.
    pub(crate) fn start(&self) -> WaitGuard<'_> {
        let mut totals = self.lock();
        let (waiters, since) = totals.current.unwrap_or((0, Instant::now()));
        totals.current = Some((waiters + 1, since));
        WaitGuard(self)
    }

    /// The time spent waiting so far.
    pub(crate) fn total(&self) -> Duration {
        let totals = self.lock();
        totals.finished + totals.current.map_or(Duration::ZERO, |(_, since)| since.elapsed())
    }

    fn lock(&self) -> MutexGuard<'_, WaitTotals> {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for WaitGuard<'_> {
    fn drop(&mut self) {
        let mut totals = self.0.lock();
        match totals.current.take() {
            Some((1, since)) => totals.finished += since.elapsed(),
            Some((waiters, since)) => totals.current = Some((waiters - 1, since)),
            None => {}
        }
    }
}
