//! The time in which a process takes no jobs of a kind, because it declined those that it found.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::Scope;
use crate::backoff::Backoff;

/// How long after its wait a kind still counts as in trouble, unless a job runs: the next job to be declined may be under
/// way.
pub(super) const RETRY_WINDOW: Duration = Duration::from_secs(5);

/// How long a service may be unreachable before a command that waits for its jobs ends: a router restarts in less.
const MIN_NETWORK_OUTAGE: Duration = Duration::from_secs(60);

/// How long the jobs of a subscription may be on their way back to the queue after it was given up for a wait.
const HAND_BACK_TIMEOUT: Duration = Duration::from_secs(1);

/// A process that knows of new jobs looks again once the elapsed share of its wait and the share of new jobs add up to this:
/// jobs that come one by one would otherwise make it scan all of them without end.
const RESCAN_THRESHOLD: f64 = 0.1;

/// The waits of one kind.
pub(super) struct DeclineWaits(watch::Sender<Option<DeclineWait>>);

/// A wait, active or over, since which no job has run.
#[derive(Debug, Clone)]
pub(super) struct DeclineWait {
    /// How many waits in a row preceded it.
    earlier: u32,
    /// When the first of them started.
    since: Instant,
    pub(super) started_at: Instant,
    /// Nothing ends it before this time.
    pub(super) earliest: Instant,
    pub(super) until: Instant,
    scope: Scope,
    result: ScanResult,
    reason: String,
}

/// What a scan of all jobs found; meaningless if they are declined without one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ScanResult {
    /// How many jobs it declined.
    pub(super) declined: u64,
    /// How many jobs there were, including delayed ones and those that other workers held.
    pub(super) total: u64,
    /// How long the others are to be left in peace for it.
    pub(super) quiet: Duration,
    /// How many jobs of the kind had ended by then, in all workers; `None` if the store could not tell.
    pub(super) ended: Option<u64>,
}

impl DeclineWaits {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(None))
    }

    /// Starts a wait and returns how long it is; `None` if one is active: what was declined meanwhile belongs to the same
    /// attempt.
    pub(super) fn start(&self, scope: Scope, reason: &str, result: ScanResult) -> Option<Duration> {
        let (now, mut started) = (Instant::now(), None);
        self.0.send_if_modified(|wait| {
            if wait.as_ref().is_some_and(|wait| now < wait.until) {
                return false;
            }
            let (earlier, since) = wait.as_ref().map_or((0, now), |wait| (wait.earlier + 1, wait.since));
            let shortest = Backoff::DECLINES.delay(earlier);
            let duration = shortest.max(result.quiet);
            let (earliest, until, reason) = (now + shortest, now + duration, reason.to_owned());
            *wait = Some(DeclineWait { earlier, since, started_at: now, earliest, until, scope, result, reason });
            started = Some(duration);
            true
        });
        started
    }

    /// Ends the active wait.
    pub(super) fn end(&self) {
        self.0.send_modify(|wait| {
            if let Some(wait) = wait {
                wait.until = wait.until.min(Instant::now());
            }
        });
    }

    /// Forgets all waits, since a job ran: the next one is the first again. Whether there was one.
    pub(super) fn clear(&self) -> bool {
        // Read first, without the lock for writing: nearly every job follows another one that ran.
        self.0.borrow().is_some() && self.0.send_if_modified(|wait| wait.take().is_some())
    }

    /// The latest one, active or over.
    pub(super) fn latest(&self) -> Option<DeclineWait> {
        self.0.borrow().clone()
    }

    /// Whether one is active.
    pub(super) fn is_active(&self) -> bool {
        self.0.borrow().as_ref().is_some_and(DeclineWait::is_active)
    }

    /// Waits until one is active.
    pub(super) async fn until_active(&self) {
        // It cannot fail: `self` holds the sender.
        let _ = self.0.subscribe().wait_for(|wait| wait.as_ref().is_some_and(DeclineWait::is_active)).await;
    }

    /// Waits until a job ran.
    pub(super) async fn until_cleared(&self) {
        let _ = self.0.subscribe().wait_for(Option::is_none).await;
    }

    /// Why jobs are not taken now, or were not until a moment ago.
    pub(super) fn reason(&self) -> Option<String> {
        let wait = self.0.borrow();
        wait.as_ref().filter(|wait| Instant::now() < wait.until + RETRY_WINDOW).map(|wait| wait.reason.clone())
    }

    /// Whether one has just started, so that the queue may not have all jobs back yet.
    pub(super) fn has_just_started(&self) -> bool {
        self.0.borrow().as_ref().is_some_and(|wait| wait.started_at.elapsed() < HAND_BACK_TIMEOUT)
    }
}

impl DeclineWait {
    pub(super) fn is_active(&self) -> bool {
        Instant::now() < self.until
    }

    pub(super) fn reason(&self) -> &str {
        &self.reason
    }

    /// How many jobs there were.
    pub(super) fn total(&self) -> u64 {
        self.result.total
    }

    /// Whether there may be other jobs now than those that the scan found. `fewest` is the smallest total since, `total` the
    /// present one, and `ended` the jobs that have ended since the workers started.
    pub(super) fn is_outdated(&self, fewest: u64, total: Option<u64>, ended: Option<u64>, now: Instant) -> bool {
        if total == Some(0) {
            return true;
        }
        let new_jobs = total.map_or(0, |total| total.saturating_sub(fewest));
        // Jobs that come while others are run do not show in the total.
        let others_run = ended.is_some() && ended != self.result.ended;
        let elapsed_share = now.duration_since(self.started_at).as_secs_f64() / self.result.quiet.as_secs_f64();
        let new_share = new_jobs as f64 / self.result.total as f64;
        (new_jobs > 0 || others_run) && elapsed_share + new_share >= RESCAN_THRESHOLD
    }

    /// Whether it applies to all jobs of the kind: this many ready ones, and delayed ones that are `all_postponed` or not.
    pub(super) fn covers(&self, ready: u64, all_postponed: bool) -> bool {
        match self.scope {
            Scope::Job => ready <= self.result.declined && all_postponed,
            Scope::Process => true,
            Scope::Network => self.started_at.duration_since(self.since) >= MIN_NETWORK_OUTAGE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_follow_each_other_until_a_job_runs() {
        let waits = DeclineWaits::new();
        let start = |result| waits.start(Scope::Job, "of another version", result);
        assert!(start(ScanResult::default()).is_some_and(|duration| duration >= Duration::from_secs(5)));
        assert_eq!(start(ScanResult::default()), None, "one is active");
        waits.end();
        assert!(!waits.is_active() && waits.reason().is_some(), "it tries again, and may decline again");
        assert!(start(ScanResult::default()).is_some_and(|duration| duration >= Duration::from_secs(10)));
        assert!(waits.clear() && !waits.clear());
        let quiet = Duration::from_secs(1_000);
        assert_eq!(start(ScanResult { quiet, ..ScanResult::default() }), Some(quiet));
        let wait = waits.latest().unwrap();
        assert!(wait.earliest < wait.started_at + Duration::from_secs(10), "unless something new comes");
    }

    #[test]
    fn a_scan_is_outdated_when_there_are_more_jobs_or_others_run_them() {
        let waits = DeclineWaits::new();
        let result = ScanResult { declined: 32, total: 40, quiet: Duration::from_secs(1_000), ended: Some(7) };
        waits.start(Scope::Job, "of another version", result);
        let wait = waits.latest().unwrap();
        let after = |seconds| wait.started_at + Duration::from_secs(seconds);
        for (fewest, total, ended, seconds, is_outdated) in [
            (40, Some(40), Some(7), 900, false),
            (40, Some(32), Some(7), 900, false),
            (40, None, None, 900, false),
            (40, Some(41), Some(7), 74, false),
            (40, Some(41), Some(7), 76, true),
            (40, Some(44), Some(7), 5, true),
            (20, Some(24), Some(7), 5, true),
            (40, Some(0), Some(7), 5, true),
            (40, Some(38), Some(9), 99, false),
            (40, Some(38), Some(9), 101, true),
            (40, Some(41), Some(9), 74, false),
        ] {
            let found = wait.is_outdated(fewest, total, ended, after(seconds));
            assert_eq!(found, is_outdated, "{total:?} in all, {ended:?} ended after {seconds} s");
        }
    }
}
