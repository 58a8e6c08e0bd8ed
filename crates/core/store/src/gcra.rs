//! Windows of permits by the generic cell rate algorithm (ITU-T I.371, annex A).
//!
//! A budget is one number, its theoretical arrival time (TAT): the earliest time at which the next permit may be used. A
//! lease takes the window that starts there (or now, if the TAT has passed: idle time is not saved up) and lasts as long as
//! its permits do at the budget's rate. So every caller gets the next free window, in turn, and since windows are short
//! nobody waits longer than one short window of every other caller. The window of a lost worker simply passes.
//!
//! The embedded backend runs this in a transaction; the MongoDB backend runs the same steps on the server.

use model::Timestamp;
use model::fleet::Permits;

use crate::MAX_LEASE_WINDOW;

/// Windows are never leased further ahead than this many seconds or this many permits, whichever lasts longer: a TAT beyond
/// that was written before the clock was set back, and is ignored. Both are far more than all workers of a team lease.
const MAX_LEAD_SECONDS: f64 = 600.0;
const MAX_LEAD_PERMITS: f64 = 100.0;

/// Upper bound of any duration, in microseconds, so that sums of times fit into 64 bits.
const MAX_DURATION_US: i64 = i64::MAX / 4;

/// A request for permits, independent of the budget's state.
pub(crate) struct LeaseRequest {
    count: u32,
    /// How long the permits last at the budget's rate, in microseconds.
    pub(crate) duration_us: i64,
    /// A TAT further ahead than this, in microseconds, is ignored.
    pub(crate) max_lead_us: i64,
}

impl LeaseRequest {
    /// At most `want` permits of a budget of `rate` permits per second (above 0).
    pub(crate) fn new(rate: f64, want: u32) -> Self {
        let max_count = (rate * MAX_LEASE_WINDOW.as_secs_f64()).floor().max(1.0);
        let count = f64::from(want).min(max_count);
        let duration_us = ((count * 1e6 / rate).ceil() as i64).min(MAX_DURATION_US);
        let max_lead_us = ((MAX_LEAD_SECONDS.max(MAX_LEAD_PERMITS / rate) * 1e6) as i64).min(MAX_DURATION_US);
        Self { count: count as u32, duration_us, max_lead_us }
    }

    /// The window between two times in microseconds since the Unix epoch, rounded up to whole milliseconds. Later windows
    /// start from the exact time, so that rounding does not lower the rate.
    pub(crate) fn window(&self, start_us: i64, end_us: i64) -> Permits {
        Permits { count: self.count, opens_at: milliseconds(start_us), expires_at: milliseconds(end_us) }
    }
}

/// The next window of at most `want` permits of a budget of `rate` permits per second (above 0), and the TAT after it. TATs
/// are in microseconds since the Unix epoch.
pub(crate) fn next_window(now: Timestamp, arrival_us: i64, rate: f64, want: u32) -> (Permits, i64) {
    let request = LeaseRequest::new(rate, want);
    let now_us = now.0.saturating_mul(1000);
    let furthest = now_us.saturating_add(request.max_lead_us);
    let start = if arrival_us > furthest { now_us } else { now_us.max(arrival_us) };
    let end = start.saturating_add(request.duration_us);
    (request.window(start, end), end)
}

/// No permits until `until`, when a blocked budget may be asked again.
pub(crate) fn no_permits_until(until: Timestamp) -> Permits {
    Permits { count: 0, opens_at: until, expires_at: until }
}

fn milliseconds(us: i64) -> Timestamp {
    Timestamp(us.div_euclid(1000) + i64::from(us.rem_euclid(1000) > 0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    #[test]
    fn the_first_permit_opens_now() {
        let (permits, _) = next_window(NOW, 0, 0.3, 5);
        assert_eq!(permits, Permits { count: 1, opens_at: NOW, expires_at: Timestamp(NOW.0 + 3334) });
    }

    #[test]
    fn a_window_lasts_no_longer_than_a_lease_is_worth() {
        let (permits, _) = next_window(NOW, 0, 5000.0, u32::MAX);
        assert_eq!((permits.count, permits.expires_at), (2500, NOW + MAX_LEASE_WINDOW));
    }

    #[test]
    fn idle_time_is_not_saved_up() {
        let (_, arrival) = next_window(NOW, 0, 2.0, 1);
        let later = Timestamp(NOW.0 + 3_600_000);
        let (first, arrival) = next_window(later, arrival, 2.0, 100);
        let (second, _) = next_window(later, arrival, 2.0, 100);
        assert_eq!((first.opens_at, first.count), (later, 1));
        assert_eq!(second.opens_at, first.expires_at);
    }

    #[test]
    fn a_clock_that_was_set_back_stops_nobody() {
        let opens_at = |ahead_s: i64, rate| next_window(NOW, (NOW.0 + ahead_s * 1000) * 1000, rate, 1).0.opens_at;
        assert_eq!(opens_at(600, 2.0), Timestamp(NOW.0 + 600_000));
        assert_eq!(opens_at(601, 2.0), NOW);
        assert_eq!(opens_at(601, 0.05), Timestamp(NOW.0 + 601_000), "a few permits of a slow budget");
    }

    proptest! {
        /// Callers come at any time, ask for any number, and use each permit as early as they may.
        #[test]
        fn no_ten_seconds_see_more_than_the_rate(
            rate in prop_oneof![Just(0.3), Just(0.5), Just(3.0), Just(99.0), Just(5000.0), 0.05f64..500.0],
            calls in prop::collection::vec((0i64..2000, 1u32..5000), 1..60),
        ) {
            let (mut now, mut arrival, mut uses) = (NOW, 0, Vec::new());
            let mut free_from = NOW;
            for (pause_ms, want) in calls {
                now.0 += pause_ms;
                let (permits, next) = next_window(now, arrival, rate, want);
                prop_assert!(permits.count >= 1 && permits.count <= want);
                prop_assert!(permits.opens_at >= now && permits.opens_at >= free_from);
                let opens = (permits.opens_at.0 - NOW.0) as f64;
                uses.extend((0..permits.count).map(|i| opens + f64::from(i) * 1000.0 / rate));
                (arrival, free_from) = (next, permits.expires_at);
            }
            // Windows open at whole milliseconds: ten seconds may hold the uses of 10.001 s.
            let max_uses = (rate * 10.001 + 1e-6).floor() as usize + 1;
            for (i, first) in uses.iter().enumerate() {
                let within = uses[i..].partition_point(|time| *time <= first + 10_000.0);
                prop_assert!(within <= max_uses, "{} in ten seconds at {} a second", within, rate);
            }
        }
    }
}
