//! Which jobs this process has in hand.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One lease of one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LeaseId {
    /// The job.
    pub(super) seq: i64,
    /// Counted up with every change of owner.
    pub(super) number: i64,
}

/// The leases that are to be renewed.
#[derive(Clone, Default)]
pub(super) struct Leases {
    held: Arc<Mutex<HashSet<LeaseId>>>,
    /// The latest renewal failed, so that leases may have run out though nobody is lost.
    behind: Arc<AtomicBool>,
}

impl Leases {
    /// Has this lease renewed until the guard is dropped.
    pub(super) fn hold(&self, id: LeaseId) -> Lease {
        lock(&self.held).insert(id);
        Lease { id, leases: self.clone() }
    }

    pub(super) fn ids(&self) -> Vec<LeaseId> {
        lock(&self.held).iter().copied().collect()
    }

    /// Those that are to be renewed before a claim takes them for the leases of a lost worker.
    pub(super) fn overdue(&self) -> Vec<LeaseId> {
        if self.behind.load(Ordering::Relaxed) { self.ids() } else { Vec::new() }
    }

    /// Notes whether a renewal succeeded.
    pub(super) fn renewed(&self, well: bool) {
        self.behind.store(!well, Ordering::Relaxed);
    }
}

/// A lease that is renewed for as long as this lives; dropped, it runs out.
pub(super) struct Lease {
    pub(super) id: LeaseId,
    leases: Leases,
}

impl Drop for Lease {
    fn drop(&mut self) {
        lock(&self.leases.held).remove(&self.id);
    }
}

/// A lock whose holders don't panic half-way.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
