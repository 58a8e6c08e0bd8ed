//! Jobs of a newer program, which wait for a worker that knows them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long such a job is left to newer workers before one of this version looks at it again.
const FIRST: Duration = Duration::from_secs(30);

/// How long at most, when they come back again and again. Old workers that are alone with a million of them move each
/// every five minutes, which a broker bears; a newer worker waits no longer for what they moved.
const LONGEST: Duration = Duration::from_secs(300);

/// Those that this process handed back for a while.
#[derive(Debug, Default)]
pub(crate) struct Newer {
    /// When each comes back, in that order.
    due: VecDeque<Instant>,
    wait: Duration,
    /// A job that comes after this time is one that was handed back before.
    grows_at: Option<Instant>,
    reason: String,
}

impl Newer {
    /// Notes that one is handed back now, and says for how long: twice as long once those of before come back.
    pub(crate) fn postpone(&mut self, reason: &str, now: Instant) -> Duration {
        // The latest one is back for longer than it was away: these are others.
        let is_over = self.due.back().is_none_or(|due| now > *due + self.wait);
        if is_over || self.grows_at.is_none_or(|at| now >= at) {
            self.wait = if is_over { FIRST } else { (self.wait * 2).min(LONGEST) };
            self.grows_at = Some(now + self.wait);
        }
        while self.due.len() > 1 && self.due[0] <= now {
            self.due.pop_front();
        }
        self.due.push_back(now + self.wait);
        reason.clone_into(&mut self.reason);
        self.wait
    }

    /// How many of them wait now.
    pub(crate) fn count(&self, now: Instant) -> u64 {
        self.due.iter().rev().take_while(|due| **due > now).count() as u64
    }

    /// Why the latest one was handed back.
    pub(crate) fn reason(&self) -> &str {
        &self.reason
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_when_jobs_come_back_and_begins_anew_when_they_are_gone() {
        let (began, mut newer) = (Instant::now(), Newer::default());
        let mut postpone = |at: u64| newer.postpone("", began + Duration::from_secs(at)).as_secs();
        assert_eq!([0, 1, 29].map(&mut postpone), [30, 30, 30], "they came together");
        assert_eq!([30, 31, 59].map(&mut postpone), [60, 60, 60], "they came back");
        let mut at = 90;
        let waits = [(); 4].map(|()| {
            let wait = postpone(at);
            at += wait;
            wait
        });
        assert_eq!(waits, [120, 240, 300, 300]);
        assert_eq!(postpone(at + 301), 30, "somebody took them long ago");
    }

    #[test]
    fn those_that_are_due_are_not_counted() {
        let (began, mut newer) = (Instant::now(), Newer::default());
        newer.postpone("old", began);
        newer.postpone("new", began + Duration::from_secs(10));
        let count = |at: u64| newer.count(began + Duration::from_secs(at));
        assert_eq!([10, 29, 30, 39, 40].map(count), [2, 2, 1, 1, 0]);
        assert_eq!(newer.reason(), "new");
    }
}
