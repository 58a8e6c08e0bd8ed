//! Ending a computation early.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::LearnError;

/// A flag that asks a computation to end: whoever started it keeps a clone and raises it, and the computation looks at it
/// at least every 0.3 s or so, between trees, epochs, folds, and blocks of rows or columns where those are large.
///
/// It never goes down again. A loop deep inside that sees it may therefore leave its result unfinished: whoever looks
/// afterwards sees it too, and nothing unfinished leaves this crate.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    is_cancelled: Arc<AtomicBool>,
    /// How often anybody looked, so that a test knows where a computation is.
    #[cfg(test)]
    looks: Arc<std::sync::atomic::AtomicU64>,
}

/// The computation was asked to end, and there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cancelled;

impl Cancel {
    /// A flag that nobody has raised yet.
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
        self.looks.fetch_add(1, Ordering::Relaxed);
        self.is_cancelled.load(Ordering::Relaxed)
    }

    /// `Err` once the flag is raised.
    #[inline]
    pub(crate) fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }

    #[cfg(test)]
    pub(crate) fn looks(&self) -> u64 {
        self.looks.load(Ordering::Relaxed)
    }
}

/// A flag that somebody else raises, such as who runs jobs.
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

/// Inside a family, one more reason why there is no model.
impl From<Cancelled> for String {
    fn from(_: Cancelled) -> Self {
        LearnError::Cancelled.to_string()
    }
}
