//! A kind of job as a value, for lists of kinds.

use std::time::Duration;

use serde::Serialize;

use super::{Envelope, JobBody, line};

/// One kind of job, as the type of its body declares it.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Kind {
    /// The kind's name, in envelopes and in names of queues.
    pub name: &'static str,
    /// The worker program that runs it.
    pub worker: &'static str,
    /// Attempts before a job counts as failed permanently.
    pub attempts: u32,
    /// How long one attempt may take; serialized in seconds.
    #[serde(rename = "timeout_seconds", serialize_with = "seconds")]
    pub timeout: Duration,
    /// The rate budgets that its requests draw on.
    pub budgets: &'static [&'static str],
    /// A body as a line of `enqueue file`.
    pub example: &'static str,
    #[serde(skip)]
    read: fn(&str) -> Result<Envelope, String>,
}

impl Kind {
    /// The kind of jobs with this body.
    pub const fn of<B: JobBody>() -> Self {
        Self {
            name: B::KIND,
            worker: B::WORKER,
            attempts: B::MAX_ATTEMPTS,
            timeout: B::TIMEOUT,
            budgets: B::BUDGETS,
            example: B::EXAMPLE,
            read: line::parse_line::<B>,
        }
    }

    /// The job of a line: its body as a JSON object, or its key.
    ///
    /// # Errors
    /// What is wrong with the line.
    pub fn read(&self, line: &str) -> Result<Envelope, String> {
        (self.read)(line)
    }
}

fn seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(time.as_secs())
}
