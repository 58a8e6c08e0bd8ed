//! How a worker ends badly.

use queue::QueueError;
use store::StoreError;

/// Why a worker cannot go on. Being out of reach for a while is no reason.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The queue cannot be used.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// This process cannot work where it is, and somebody waits for it.
    #[error("{0}")]
    Local(String),
    /// Jobs were given up and go on for ever, with threads that the others need.
    #[error("{threads} thread(s) do not come back from jobs whose time was up: a new process has to take over")]
    Lost {
        /// How many.
        threads: usize,
    },
    /// Nothing but jobs that this process cannot run is left, and somebody waits for it.
    #[error("all that is left cannot be run here (jobs: {jobs}): {reason}")]
    Declined {
        /// How many.
        jobs: u64,
        /// Why not, and what to do.
        reason: String,
    },
}
