//! The kinds of failure: of the job (retry, dead), of a service and so of everyone (pause, closed), and of this process
//! (decline, cancelled, unavailable, local).

use std::time::Duration;

use store::StoreError;

/// Why an attempt failed, and what is to be done about it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Failure {
    /// Try this job again later; counts as an attempt.
    #[error("{reason}")]
    Retry {
        /// The delay that the service asked for; `None`: exponential, with jitter.
        after: Option<Duration>,
        /// For the history.
        reason: String,
    },
    /// Nobody may use this budget for a while. Not the job's fault, so it does not count as an attempt.
    #[error("{reason}")]
    Pause {
        /// The budget to close.
        budget: String,
        /// For how long; `None`: by the budget's own back-off, longer with every throttled answer in a row.
        after: Option<Duration>,
        /// For the log and `status`.
        reason: String,
    },
    /// The budget is closed already, since another job was throttled: the job is handed back and waits with the others.
    #[error("the budget {budget} is closed")]
    Closed {
        /// The budget.
        budget: String,
    },
    /// This process cannot run the job, but another one may. It is handed back at once, without counting an attempt.
    #[error("{reason}")]
    Decline {
        /// What else this process cannot run.
        scope: Scope,
        /// For the log, `workers` and `doctor`: what is wrong, and what to do about it.
        reason: String,
    },
    /// The job stopped because its cancellation was requested. It is handed back, without counting an attempt.
    #[error("the job was cancelled")]
    Cancelled,
    /// The store or the queue is unreachable at the moment. Not the job's fault, so it does not count as an attempt.
    #[error("{reason}")]
    Unavailable {
        /// For the log.
        reason: String,
    },
    /// This process cannot work, whatever the job: its disk is full. Others go on, and no attempt is counted. A worker that
    /// runs until stopped hands the job back, is unready and tries again; with [`Until::Empty`](crate::Until) it ends.
    #[error("{reason}")]
    Local {
        /// What is wrong and what to do, for the user.
        reason: String,
    },
    /// Trying again will not help.
    #[error("{reason}")]
    Dead {
        /// For the list of dead letters.
        reason: String,
    },
}

/// What else a process cannot run when it declines a job. If it waits, it takes no jobs of the kind for a while that grows with
/// every attempt in a row; [`Until::Empty`](crate::Until) ends if it declines all remaining jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Nothing else: the job is of another version. The process looks at the jobs behind it, and waits once it has found
    /// only jobs that it declines.
    Job,
    /// All jobs of the kind, until something is fixed here: nobody is signed in, or a key is wrong. It waits at once.
    Process,
    /// All jobs of the kind, until a service can be reached from here, which may happen by itself. It waits at once.
    Network,
}

impl Failure {
    /// The job fails permanently, for this reason.
    pub fn dead(reason: impl ToString) -> Self {
        Self::Dead { reason: reason.to_string() }
    }

    /// This job alone is left to other workers, for this reason.
    pub fn decline_job(reason: impl ToString) -> Self {
        Self::Decline { scope: Scope::Job, reason: reason.to_string() }
    }

    /// All jobs of the kind are left to other workers, for this reason.
    pub fn decline(reason: impl ToString) -> Self {
        Self::Decline { scope: Scope::Process, reason: reason.to_string() }
    }

    /// All jobs of the kind are left to other workers until a service can be reached from here again, for this reason.
    pub fn unreachable(reason: impl ToString) -> Self {
        Self::Decline { scope: Scope::Network, reason: reason.to_string() }
    }

    /// The job is retried with exponential back-off, for this reason.
    pub fn retry(reason: impl ToString) -> Self {
        Self::Retry { after: None, reason: reason.to_string() }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { .. } => Self::Unavailable { reason: error.to_string() },
            StoreError::Unwritable { .. } => Self::Local { reason: error.to_string() },
            StoreError::Unusable(_) => Self::retry(error),
        }
    }
}
