//! The time in which a process takes no jobs of a kind, because it declined those that it found.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::Scope;
use crate::backoff::Backoff;

/// How long after its wait a kind that declined counts as still in trouble, unless a job runs: the next job to decline may
/// be under way.
pub(super) const TRYING: Duration = Duration::from_secs(5);

/// How long a service may be out of reach before somebody who waits for its jobs is told: a router restarts in less.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long what a subscription held may be on its way back to the queue, after it was given up for a wait.
const ON_ITS_WAY: Duration = Duration::from_secs(1);

/// A process that knows of new jobs looks again once the part of its wait that is over and the part that is new of the
/// jobs add up to this: jobs that come one by one would otherwise have it look at all of them without end.
const NEWS: f64 = 0.1;

/// The waits of one kind.
pub(super) struct Waits(watch::Sender<Option<Wait>>);

/// A wait, begun or over, that no job which ran came after.
#[derive(Debug, Clone)]
pub(super) struct Wait {
    /// How many of them there were before.
    earlier: u32,
    /// When the first of them began.
    since: Instant,
    pub(super) began: Instant,
    /// It lasts so long whatever comes.
    pub(super) earliest: Instant,
    pub(super) until: Instant,
    scope: Scope,
    seen: Seen,
    reason: String,
}

/// What a process saw that looked at all jobs; of no meaning where it declines them unseen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    /// How many it declined.
    pub(super) jobs: u64,
    /// How many there were, with those in the hands of others and those delayed.
    pub(super) there: u64,
    /// How long others are to have quiet for that.
    pub(super) quiet: Duration,
    /// How many of the kind had ended by then, whoever ran them; `None` where nobody could tell.
    pub(super) ended: Option<u64>,
}

impl Waits {
    /// None so far.
    pub(super) fn none() -> Self {
        Self(watch::Sender::new(None))
    }

    /// Begins a wait, and says how long it is; `None` where one is under way: what was declined meanwhile is of the same
    /// try.
    pub(super) fn begin(&self, scope: Scope, reason: &str, seen: Seen) -> Option<Duration> {
        let (now, mut begun) = (Instant::now(), None);
        self.0.send_if_modified(|wait| {
            if wait.as_ref().is_some_and(|wait| now < wait.until) {
                return false;
            }
            let (earlier, since) = wait.as_ref().map_or((0, now), |wait| (wait.earlier + 1, wait.since));
            let shortest = Backoff::DECLINES.wait(earlier);
            let lasts = shortest.max(seen.quiet);
            let (earliest, until, reason) = (now + shortest, now + lasts, reason.to_owned());
            *wait = Some(Wait { earlier, since, began: now, earliest, until, scope, seen, reason });
            begun = Some(lasts);
            true
        });
        begun
    }

    /// Ends the wait that is under way.
    pub(super) fn end(&self) {
        self.0.send_modify(|wait| {
            if let Some(wait) = wait {
                wait.until = wait.until.min(Instant::now());
            }
        });
    }

    /// A job ran: the next wait is the first. Whether there was one before.
    pub(super) fn clear(&self) -> bool {
        // Looked at first, because nearly every job follows one that ran.
        self.0.borrow().is_some() && self.0.send_if_modified(|wait| wait.take().is_some())
    }

    /// The latest one, begun or over.
    pub(super) fn latest(&self) -> Option<Wait> {
        self.0.borrow().clone()
    }

    /// Whether one is under way.
    pub(super) fn is_on(&self) -> bool {
        self.0.borrow().as_ref().is_some_and(Wait::is_on)
    }

    /// Waits until one is.
    pub(super) async fn begun(&self) {
        // It cannot fail: `self` holds the sender.
        let _ = self.0.subscribe().wait_for(|wait| wait.as_ref().is_some_and(Wait::is_on)).await;
    }

    /// Waits until a job ran.
    pub(super) async fn cleared(&self) {
        let _ = self.0.subscribe().wait_for(Option::is_none).await;
    }

    /// Why jobs are not taken now, or were not a moment ago.
    pub(super) fn reason(&self) -> Option<String> {
        let wait = self.0.borrow();
        wait.as_ref().filter(|wait| Instant::now() < wait.until + TRYING).map(|wait| wait.reason.clone())
    }

    /// Whether one has just begun, so that the queue may not have all jobs back.
    pub(super) fn has_just_begun(&self) -> bool {
        self.0.borrow().as_ref().is_some_and(|wait| wait.began.elapsed() < ON_ITS_WAY)
    }
}

impl Wait {
    pub(super) fn is_on(&self) -> bool {
        Instant::now() < self.until
    }

    pub(super) fn reason(&self) -> &str {
        &self.reason
    }

    /// How many jobs there were.
    pub(super) fn there(&self) -> u64 {
        self.seen.there
    }

    /// Whether there may be others by now than the jobs that it saw, of which `fewest` were left at one time: so many lie
    /// there, and so many have ended since the workers began.
    pub(super) fn is_outdated(&self, fewest: u64, there: Option<u64>, ended: Option<u64>, now: Instant) -> bool {
        if there == Some(0) {
            return true;
        }
        let came = there.map_or(0, |there| there.saturating_sub(fewest));
        // What comes while somebody runs them does not show in how many lie there.
        let are_run = ended.is_some() && ended != self.seen.ended;
        let of_wait = now.duration_since(self.began).as_secs_f64() / self.seen.quiet.as_secs_f64();
        let of_jobs = came as f64 / self.seen.there as f64;
        (came > 0 || are_run) && of_wait + of_jobs >= NEWS
    }

    /// Whether so many ready jobs cannot be run here, and delayed ones cannot where they are all newer.
    pub(super) fn is_of_all(&self, ready: u64, all_newer: bool) -> bool {
        match self.scope {
            Scope::Job => ready <= self.seen.jobs && all_newer,
            Scope::Process => true,
            Scope::Network => self.began.duration_since(self.since) >= PATIENCE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_follow_each_other_until_a_job_runs() {
        let waits = Waits::none();
        let begin = |seen| waits.begin(Scope::Job, "of another version", seen);
        assert!(begin(Seen::default()).is_some_and(|lasts| lasts >= Duration::from_secs(5)));
        assert_eq!(begin(Seen::default()), None, "one is under way");
        waits.end();
        assert!(!waits.is_on() && waits.reason().is_some(), "it tries again, and may decline again");
        assert!(begin(Seen::default()).is_some_and(|lasts| lasts >= Duration::from_secs(10)));
        assert!(waits.clear() && !waits.clear());
        let quiet = Duration::from_secs(1_000);
        assert_eq!(begin(Seen { quiet, ..Seen::default() }), Some(quiet));
        let wait = waits.latest().unwrap();
        assert!(wait.earliest < wait.began + Duration::from_secs(10), "unless something new comes");
    }

    #[test]
    fn what_was_seen_is_outdated_when_more_lie_there_or_somebody_runs_them() {
        let waits = Waits::none();
        let seen = Seen { jobs: 32, there: 40, quiet: Duration::from_secs(1_000), ended: Some(7) };
        waits.begin(Scope::Job, "of another version", seen);
        let wait = waits.latest().unwrap();
        let after = |seconds| wait.began + Duration::from_secs(seconds);
        for (fewest, there, ended, seconds, is_outdated) in [
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
            let found = wait.is_outdated(fewest, there, ended, after(seconds));
            assert_eq!(found, is_outdated, "{there:?} there, {ended:?} ended after {seconds} s");
        }
    }
}
