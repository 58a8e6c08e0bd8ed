//! Jobs of a newer version of the program, which wait for a worker that knows them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long such a job is left to newer workers the first time.
const FIRST_DELAY: Duration = Duration::from_secs(30);

/// How long at most, if jobs come back again and again. Old workers that are alone with a million of them move each one every
/// five minutes, which a broker can bear; a newer worker waits no longer than that for the jobs that they moved.
const MAX_DELAY: Duration = Duration::from_secs(300);

/// The jobs that this process postponed.
#[derive(Debug, Default)]
pub(crate) struct PostponedJobs {
    /// When each comes back, in ascending order.
    due: VecDeque<Instant>,
    delay: Duration,
    /// A job that comes after this time has been postponed before.
    grows_at: Option<Instant>,
    reason: String,
}

impl PostponedJobs {
    /// Adds a job and returns its delay, which doubles once earlier ones come back.
    pub(crate) fn postpone(&mut self, reason: &str, now: Instant) -> Duration {
        // The latest one came back longer ago than it was away: this is another row of jobs.
        let is_new_row = self.due.back().is_none_or(|due| now > *due + self.delay);
        if is_new_row || self.grows_at.is_none_or(|at| now >= at) {
            self.delay = if is_new_row { FIRST_DELAY } else { (self.delay * 2).min(MAX_DELAY) };
            self.grows_at = Some(now + self.delay);
        }
        while self.due.len() > 1 && self.due[0] <= now {
            self.due.pop_front();
        }
        self.due.push_back(now + self.delay);
        reason.clone_into(&mut self.reason);
        self.delay
    }

    /// How many of them are delayed now.
    pub(crate) fn count(&self, now: Instant) -> u64 {
        self.due.iter().rev().take_while(|due| **due > now).count() as u64
    }

    /// Why the latest one was postponed.
    pub(crate) fn reason(&self) -> &str {
        &self.reason
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_grows_when_jobs_come_back_and_starts_anew_when_they_are_gone() {
        let (start, mut postponed) = (Instant::now(), PostponedJobs::default());
        let mut postpone = |at: u64| postponed.postpone("", start + Duration::from_secs(at)).as_secs();
        assert_eq!([0, 1, 29].map(&mut postpone), [30, 30, 30], "they came together");
        assert_eq!([30, 31, 59].map(&mut postpone), [60, 60, 60], "they came back");
        let mut at = 90;
        let delays = [(); 4].map(|()| {
            let delay = postpone(at);
            at += delay;
            delay
        });
        assert_eq!(delays, [120, 240, 300, 300]);
        assert_eq!(postpone(at + 301), 30, "another worker took them long ago");
    }

    #[test]
    fn jobs_that_are_due_are_not_counted() {
        let (start, mut postponed) = (Instant::now(), PostponedJobs::default());
        postponed.postpone("old", start);
        postponed.postpone("new", start + Duration::from_secs(10));
        let count = |at: u64| postponed.count(start + Duration::from_secs(at));
        assert_eq!([10, 29, 30, 39, 40].map(count), [2, 2, 1, 1, 0]);
        assert_eq!(postponed.reason(), "new");
    }
}
