//! The server's clock, as seen from here.

use std::sync::atomic::{AtomicI64, Ordering};

use model::Timestamp;

/// How many milliseconds the server's clock is ahead of this machine's.
///
/// Budgets go by the server's clock, since those of a team's machines differ; what is told to the caller goes by the
/// caller's. An answer tells the difference up to the time that it took, and the belief is moved only as far as answers
/// ask for: it settles, and windows that follow one another on the server follow one another here.
#[derive(Debug, Default)]
pub(super) struct Clock {
    ahead: AtomicI64,
}

impl Clock {
    /// Learns from an answer that was asked for and came at these times here, and was made at `server` there.
    pub(super) fn learn(&self, asked: Timestamp, answered: Timestamp, server: Timestamp) {
        let bounds = [server.0.saturating_sub(answered.0), server.0.saturating_sub(asked.0)];
        // The wrong way round only when the clock here was set meanwhile.
        let (least, most) = (bounds[0].min(bounds[1]), bounds[0].max(bounds[1]));
        let _ = self.ahead.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |ahead| Some(ahead.clamp(least, most)));
    }

    /// The time there when it is `time` here.
    pub(super) fn there(&self, time: Timestamp) -> Timestamp {
        Timestamp(time.0.saturating_add(self.ahead.load(Ordering::Relaxed)))
    }

    /// The time here when it is `time` there; the beginning of time, which stands for never, stays what it is.
    pub(super) fn here(&self, time: Timestamp) -> Timestamp {
        match time {
            Timestamp(0) => time,
            Timestamp(there) => Timestamp(there.saturating_sub(self.ahead.load(Ordering::Relaxed))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer to a question asked at `at` that took `took`, of a server whose clock is `ahead`.
    fn learn(clock: &Clock, at: i64, took: i64, ahead: i64) {
        clock.learn(Timestamp(at), Timestamp(at + took), Timestamp(at + took / 2 + ahead));
    }

    #[test]
    fn clocks_that_agree_stay_as_they_are() {
        let clock = Clock::default();
        for took in [0, 4, 4000] {
            learn(&clock, 1_000_000, took, 0);
        }
        assert_eq!(clock.there(Timestamp(5)), Timestamp(5));
    }

    #[test]
    fn the_belief_moves_no_further_than_answers_ask_for() {
        let clock = Clock::default();
        learn(&clock, 1_000_000, 10, 5000);
        assert_eq!(clock.there(Timestamp(0)), Timestamp(4995));
        learn(&clock, 2_000_000, 2, 5000);
        assert_eq!(clock.there(Timestamp(0)), Timestamp(4999));
        learn(&clock, 3_000_000, 300, 5000);
        assert_eq!(clock.here(Timestamp(10_000)), Timestamp(5001));
        learn(&clock, 4_000_000, 2, -60_000);
        assert_eq!(clock.there(Timestamp(0)), Timestamp(-59_999));
    }

    #[test]
    fn never_is_never_on_every_clock() {
        let clock = Clock::default();
        learn(&clock, 1_000_000, 0, 5000);
        assert_eq!(clock.here(Timestamp(0)), Timestamp(0));
    }
}
