//! The difference between the server's clock and this machine's.

use std::sync::atomic::{AtomicI64, Ordering};

use model::Timestamp;

/// An estimate of how far the server's clock is ahead of this machine's.
///
/// Budgets use the server's clock, because the clocks of a team's machines differ; callers use their own. A round trip
/// bounds the offset to within the time that it took, and the estimate moves only as far as the bounds require: it
/// settles, and consecutive windows on the server are consecutive here as well.
#[derive(Debug, Default)]
pub(super) struct ServerClock {
    offset_ms: AtomicI64,
}

impl ServerClock {
    /// Corrects the estimate by a round trip: sent and answered at these local times, with `server` the server's time.
    pub(super) fn observe(&self, asked: Timestamp, answered: Timestamp, server: Timestamp) {
        let bounds = [server.0.saturating_sub(answered.0), server.0.saturating_sub(asked.0)];
        // In the wrong order only if the local clock was set meanwhile.
        let (lower, upper) = (bounds[0].min(bounds[1]), bounds[0].max(bounds[1]));
        let _ = self
            .offset_ms
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |offset_ms| Some(offset_ms.clamp(lower, upper)));
    }

    /// A local time by the server's clock.
    pub(super) fn to_server(&self, time: Timestamp) -> Timestamp {
        Timestamp(time.0.saturating_add(self.offset_ms.load(Ordering::Relaxed)))
    }

    /// A server time by the local clock. 0 stands for "never" and stays 0.
    pub(super) fn to_local(&self, time: Timestamp) -> Timestamp {
        match time {
            Timestamp(0) => time,
            Timestamp(server) => Timestamp(server.saturating_sub(self.offset_ms.load(Ordering::Relaxed))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A round trip sent at `at` that took `took`, to a server whose clock is ahead by `offset_ms`.
    fn observe(clock: &ServerClock, at: i64, took: i64, offset_ms: i64) {
        clock.observe(Timestamp(at), Timestamp(at + took), Timestamp(at + took / 2 + offset_ms));
    }

    #[test]
    fn clocks_that_agree_stay_as_they_are() {
        let clock = ServerClock::default();
        for took in [0, 4, 4000] {
            observe(&clock, 1_000_000, took, 0);
        }
        assert_eq!(clock.to_server(Timestamp(5)), Timestamp(5));
    }

    #[test]
    fn the_estimate_moves_no_further_than_required() {
        let clock = ServerClock::default();
        observe(&clock, 1_000_000, 10, 5000);
        assert_eq!(clock.to_server(Timestamp(0)), Timestamp(4995));
        observe(&clock, 2_000_000, 2, 5000);
        assert_eq!(clock.to_server(Timestamp(0)), Timestamp(4999));
        observe(&clock, 3_000_000, 300, 5000);
        assert_eq!(clock.to_local(Timestamp(10_000)), Timestamp(5001));
        observe(&clock, 4_000_000, 2, -60_000);
        assert_eq!(clock.to_server(Timestamp(0)), Timestamp(-59_999));
    }

    #[test]
    fn never_is_never_on_every_clock() {
        let clock = ServerClock::default();
        observe(&clock, 1_000_000, 0, 5000);
        assert_eq!(clock.to_local(Timestamp(0)), Timestamp(0));
    }
}
