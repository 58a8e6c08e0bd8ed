//! Stopping a computation early.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::LearnError;

/// A flag that stops a computation: the caller keeps a clone and raises it; the computation checks it about every 0.3 s,
/// between trees, epochs, folds, and blocks of rows or columns where those are large.
///
/// Once raised, the flag stays raised. An inner loop that sees it may therefore leave its result unfinished: every check
/// that follows sees the flag too, and nothing unfinished leaves this crate.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    is_cancelled: Arc<AtomicBool>,
    /// How often the flag was checked, so that a test knows how far a computation has come.
    #[cfg(test)]
    checks: Arc<std::sync::atomic::AtomicU64>,
}

/// The computation was cancelled: there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cancelled;

impl Cancel {
    /// A flag that is not raised yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks every computation that holds this flag or a clone of it to stop.
    pub fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the flag is raised.
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        #[cfg(test)]
        self.checks.fetch_add(1, Ordering::Relaxed);
        self.is_cancelled.load(Ordering::Relaxed)
    }

    /// `Err` once the flag is raised.
    #[inline]
    pub(crate) fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }

    #[cfg(test)]
    pub(crate) fn checks(&self) -> u64 {
        self.checks.load(Ordering::Relaxed)
    }
}

/// A flag that the caller owns and raises, as the runtime of jobs does.
impl From<Arc<AtomicBool>> for Cancel {
    fn from(is_cancelled: Arc<AtomicBool>) -> Self {
        let mut cancel = Self::new();
        cancel.is_cancelled = is_cancelled;
        cancel
    }
}

impl From<Cancelled> for LearnError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// Families give the reason why there is no model as a text.
impl From<Cancelled> for String {
    fn from(_: Cancelled) -> Self {
        LearnError::Cancelled.to_string()
    }
}
