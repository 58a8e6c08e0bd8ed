//! The kinds of failure: the job's own (retry, dead), everyone's (pause, closed), and ours (decline, cancelled, unavailable,
//! local).

use std::time::Duration;

use store::StoreError;

/// Why a job did not end well, and what is to be done about it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Failure {
    /// Try this job again later; counts as an attempt.
    #[error("{reason}")]
    Retry {
        /// The wait the service asked for; `None`: exponential with jitter.
        after: Option<Duration>,
        /// For the history.
        reason: String,
    },
    /// Nobody may use this budget for a while; not the job's fault, no attempt.
    #[error("{reason}")]
    Pause {
        /// The budget to close.
        budget: String,
        /// How long; `None`: the budget's own back-off, longer with every throttled answer in a row.
        after: Option<Duration>,
        /// For the log and `status`.
        reason: String,
    },
    /// The budget is closed already (somebody else was throttled): hand the job back and wait with the rest.
    #[error("the budget {budget} is closed")]
    Closed {
        /// The budget.
        budget: String,
    },
    /// This process cannot run it, another one may. Not the job's fault, no attempt; handed back at once.
    #[error("{reason}")]
    Decline {
        /// How much else it cannot run.
        scope: Scope,
        /// For the log, `workers` and `doctor`: what is wrong, and what to do about it.
        reason: String,
    },
    /// It was asked to stop, and did: not the job's fault, no attempt. It is handed back.
    #[error("it was asked to stop")]
    Cancelled,
    /// The store or the queue is out of reach for the moment: not the job's fault, no attempt.
    #[error("{reason}")]
    Unavailable {
        /// For the log.
        reason: String,
    },
    /// This process cannot work where it is, whatever the job: its disk is full. Not the job's fault, no attempt; others
    /// go on. A standing worker hands the job back, is unready and tries again; [`Until::Empty`](crate::Until) ends with it.
    #[error("{reason}")]
    Local {
        /// What is wrong and what to do, for a person.
        reason: String,
    },
    /// Trying again won't help.
    #[error("{reason}")]
    Dead {
        /// For the list of dead letters.
        reason: String,
    },
}

/// What a process that declines a job cannot run besides. Where it waits, it takes none of the kind for a while that grows
/// with every try in a row; [`Until::Empty`](crate::Until) ends where all that is left is declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Nothing else: the job is of another version. Those behind it are looked at; it waits when it has seen nothing but jobs
    /// that it declines.
    Job,
    /// All of the kind, until somebody mends something here: nobody is signed in, a key is wrong. It waits at once.
    Process,
    /// All of the kind, until a service can be reached from here. It waits at once, and that may pass by itself.
    Network,
}

impl Failure {
    /// Dead, for this reason.
    pub fn dead(reason: impl ToString) -> Self {
        Self::Dead { reason: reason.to_string() }
    }

    /// This one job is left to other workers, for this reason.
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

    /// Later, by exponential back-off, for this reason.
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
