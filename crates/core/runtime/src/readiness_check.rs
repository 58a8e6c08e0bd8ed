//! One thing that a worker's readiness depends on: the consumer of a kind, the store, or the queue.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often a consumer reports that it is consuming.
pub(crate) const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// A consumer that has not reported for so long is stuck.
const STUCK_TIMEOUT: Duration = Duration::from_secs(5);

/// The latest report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReadinessStatus {
    /// It has no subscription yet.
    Subscribing,
    /// It holds a subscription and asks it for jobs, or all of its slots are in use.
    Consuming,
    /// It consumes nothing on purpose: the kind is paused, or a rate budget is closed.
    Waiting,
    /// It failed, for this reason, and will try again.
    Failing(String),
    /// It will not consume any more.
    Stopped,
}

/// What one part of a worker reports.
pub(crate) struct ReadinessCheck {
    /// The kind of job, `store` or `queue`.
    pub(crate) name: &'static str,
    latest: Mutex<(ReadinessStatus, Instant)>,
}

impl ReadinessCheck {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, latest: Mutex::new((ReadinessStatus::Subscribing, Instant::now())) }
    }

    /// Reports this status.
    pub(crate) fn set(&self, status: ReadinessStatus) {
        *self.lock() = (status, Instant::now());
    }

    /// Reports that it is subscribing, unless it failed before: why it has to try again says more.
    pub(crate) fn set_subscribing(&self) {
        let mut latest = self.lock();
        if !matches!(latest.0, ReadinessStatus::Failing(_)) {
            *latest = (ReadinessStatus::Subscribing, Instant::now());
        }
    }

    /// Why it is not ready; `None` if it is.
    pub(crate) fn problem(&self) -> Option<String> {
        let (status, reported_at) = self.lock().clone();
        match status {
            ReadinessStatus::Waiting => None,
            ReadinessStatus::Consuming if reported_at.elapsed() < STUCK_TIMEOUT => None,
            ReadinessStatus::Consuming => Some(format!("no activity for {} s", reported_at.elapsed().as_secs())),
            ReadinessStatus::Subscribing => Some("not subscribed yet".to_owned()),
            ReadinessStatus::Failing(reason) => Some(reason),
            ReadinessStatus::Stopped => Some("stopped".to_owned()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, (ReadinessStatus, Instant)> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_consumer_that_consumes_or_waits_on_purpose_is_ready() {
        let check = ReadinessCheck::new("test.apple");
        for (status, is_ready) in [
            (ReadinessStatus::Subscribing, false),
            (ReadinessStatus::Consuming, true),
            (ReadinessStatus::Waiting, true),
            (ReadinessStatus::Failing("unreachable".into()), false),
            (ReadinessStatus::Stopped, false),
        ] {
            check.set(status.clone());
            assert_eq!(check.problem().is_none(), is_ready, "{status:?}");
        }
    }

    #[test]
    fn a_consumer_that_reports_nothing_is_stuck() {
        let check = ReadinessCheck::new("test.apple");
        let long_ago = Instant::now().checked_sub(STUCK_TIMEOUT * 2).expect("the machine is up for ten seconds");
        *check.lock() = (ReadinessStatus::Consuming, long_ago);
        assert_eq!(check.problem().as_deref(), Some("no activity for 10 s"));
        check.set(ReadinessStatus::Consuming);
        assert_eq!(check.problem(), None);
    }
}
