//! What workers share through the store: heartbeats, budgets, capabilities.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// How the jobs of one kind ended, as one worker process counted them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobCounts {
    /// Jobs done.
    pub done: u64,
    /// Failed attempts that will be retried.
    pub retried: u64,
    /// Jobs that failed permanently.
    pub dead: u64,
}

/// The heartbeat of a worker process. Natural key: `id`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Unique to the process.
    pub id: String,
    /// Host name.
    pub host: String,
    /// Process id on that host.
    pub pid: u32,
    /// Kinds of job that it takes; empty once it has stopped.
    pub kinds: Vec<String>,
    /// Running jobs: (kind, key, start).
    pub running: Vec<(String, String, Timestamp)>,
    /// Counts since the process started, by kind.
    pub counts: BTreeMap<String, JobCounts>,
    /// Why it does not take jobs at the moment, apart from pauses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<Trouble>,
    /// Start of the process.
    pub started_at: Timestamp,
    /// When the heartbeat was sent.
    pub beat_at: Timestamp,
}

/// Why a worker does not take jobs at the moment: it cannot run them, or the queue does not accept their follow-up jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Kind of job; `None`: all kinds of the worker.
    pub kind: Option<String>,
    /// Key of the job that it could not run, if the trouble is about one job.
    pub job: Option<String>,
    /// Whether it still takes other jobs of the kind.
    pub partial: bool,
    /// What is wrong, and what to do about it.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when this is valid; the worker tries again before.
    pub until: Timestamp,
}

/// Permits of a rate budget that belong to one worker for a window of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permits {
    /// How many; zero while the budget is blocked.
    pub count: u32,
    /// Permits may be used from this time on.
    pub opens_at: Timestamp,
    /// Permits that are unused at this time are lost.
    pub expires_at: Timestamp,
}

/// State of a rate budget. Natural key: `name`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// What is limited, and for which egress group.
    pub name: String,
    /// No request may be made before this time: the service has answered that it is throttling.
    pub blocked_until: Timestamp,
    /// Throttled answers in a row; reset by the first success.
    pub throttled: u32,
    /// Why it is blocked.
    pub reason: Option<String>,
}

/// A paused kind of job: no worker takes its jobs until it is resumed. Natural key: `kind`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Kind of job.
    pub kind: String,
    /// Since when.
    pub since: Timestamp,
}

/// Whether the app may use a part of an API, found out by using it. Natural key: `name`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capability {
    /// Such as `spotify.audio-analysis`.
    pub name: String,
    /// Whether the request was allowed.
    pub allowed: bool,
    /// What the service said.
    pub detail: String,
    /// When it was found out.
    pub checked_at: Timestamp,
}
