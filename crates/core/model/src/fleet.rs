//! What workers tell each other through the store: heartbeats, budgets, capabilities.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// How the jobs of one kind ended, as one worker process counted them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobCounts {
    /// Jobs acknowledged.
    pub done: u64,
    /// Attempts that failed and were put back.
    pub retried: u64,
    /// Jobs sent to the dead letters.
    pub dead: u64,
}

/// A worker process's sign of life. Natural key: `id`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Unique for the process.
    pub id: String,
    /// Host name.
    pub host: String,
    /// Process id on that host.
    pub pid: u32,
    /// Job kinds it consumes; none once it has stopped.
    pub kinds: Vec<String>,
    /// Jobs under way: (kind, key, since).
    pub running: Vec<(String, String, Timestamp)>,
    /// Counts since the process started, by kind.
    pub counts: BTreeMap<String, JobCounts>,
    /// Why it leaves jobs to others, though nobody told it to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<Trouble>,
    /// Start of the process.
    pub started_at: Timestamp,
    /// This beat.
    pub beat_at: Timestamp,
}

/// Why a worker leaves jobs to others at the moment: it cannot run them, or the queue accepts none of their follow-up jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Kind of job; `None`: all of its kinds.
    pub kind: Option<String>,
    /// Key of the job that it could not run, where it is about one.
    pub job: Option<String>,
    /// Whether it takes other jobs of the kind meanwhile.
    pub partial: bool,
    /// What is wrong, and what to do about it.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// What was said holds until then; the worker tries again before.
    pub until: Timestamp,
}

/// Permits of a rate budget that belong to one worker for a window of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permits {
    /// How many; zero while the budget is blocked.
    pub count: u32,
    /// No permit may be used before this time.
    pub opens_at: Timestamp,
    /// Permits not used by then are lost.
    pub expires_at: Timestamp,
}

/// State of a rate budget. Natural key: `name`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// What is limited, and the group of egress addresses it is limited for.
    pub name: String,
    /// Nobody may ask before this time: the service answered that it is throttling.
    pub blocked_until: Timestamp,
    /// Throttled answers in a row; reset by the first good one.
    pub throttled: u32,
    /// Why it is blocked.
    pub reason: Option<String>,
}

/// A kind of job that nobody takes until it is resumed. Natural key: `kind`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Kind of job.
    pub kind: String,
    /// Since when.
    pub since: Timestamp,
}

/// Whether the app may call a part of an API, found out by calling it. Natural key: `name`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capability {
    /// Such as `spotify.audio-analysis`.
    pub name: String,
    /// Whether the call was allowed.
    pub allowed: bool,
    /// What the service said.
    pub detail: String,
    /// When it was found out.
    pub checked_at: Timestamp,
}
