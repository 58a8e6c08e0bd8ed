//! Why a worker ends with an error.

use queue::QueueError;
use store::StoreError;

/// Why a worker cannot go on. A queue or store that is unreachable for a while is no reason.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The queue cannot be used.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// This process has a fault of its own, and a command waits for its jobs.
    #[error("{0}")]
    Local(String),
    /// Abandoned jobs run on forever, in threads that the others need.
    #[error("{threads} thread(s) are stuck in jobs that timed out: restart this process")]
    LostThreads {
        /// How many.
        threads: usize,
    },
    /// Only jobs that this process cannot run are left, and a command waits for them.
    #[error("none of the remaining jobs ({jobs}) can be run here: {reason}")]
    Declined {
        /// How many.
        jobs: u64,
        /// Why not, and what to do.
        reason: String,
    },
}
