//! The leases that this process holds.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One lease of one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LeaseId {
    /// The job.
    pub(super) seq: i64,
    /// Incremented whenever the job changes hands.
    pub(super) number: i64,
}

/// The leases to be renewed.
#[derive(Clone, Default)]
pub(super) struct HeldLeases {
    ids: Arc<Mutex<HashSet<LeaseId>>>,
    /// The latest renewal failed: leases may have expired although no worker is lost.
    is_overdue: Arc<AtomicBool>,
}

impl HeldLeases {
    /// Has this lease renewed until the guard is dropped.
    pub(super) fn hold(&self, id: LeaseId) -> Lease {
        lock(&self.ids).insert(id);
        Lease { id, leases: self.clone() }
    }

    pub(super) fn ids(&self) -> Vec<LeaseId> {
        lock(&self.ids).iter().copied().collect()
    }

    /// The leases that must be renewed before a claim mistakes them for those of a lost worker.
    pub(super) fn overdue(&self) -> Vec<LeaseId> {
        if self.is_overdue.load(Ordering::Relaxed) { self.ids() } else { Vec::new() }
    }

    /// Records whether the latest renewal succeeded.
    pub(super) fn set_renewed(&self, succeeded: bool) {
        self.is_overdue.store(!succeeded, Ordering::Relaxed);
    }
}

/// A lease that is renewed until this is dropped; then it expires.
pub(super) struct Lease {
    pub(super) id: LeaseId,
    leases: HeldLeases,
}

impl Drop for Lease {
    fn drop(&mut self) {
        lock(&self.leases.ids).remove(&self.id);
    }
}

/// Locks a mutex whose data is valid even after a panic.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
