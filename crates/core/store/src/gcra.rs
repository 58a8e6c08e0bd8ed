//! Windows of permits by the generic cell rate algorithm (ITU-T I.371, annex A).
//!
//! A budget is one number, its theoretical arrival time: when the next permit may be used at the earliest. A lease takes
//! the stretch of time from there (or from now, if that has passed: idle time is not saved up) that its permits last at
//! the budget's rate. So whoever comes gets the next free window, however many there are, and each in turn: a window is
//! short, hence nobody waits for more than a short window of everyone else. A window whose holder is gone just passes.
//!
//! The embedded home runs it here, in a transaction; the shared home runs the same steps on the server.

use model::Timestamp;
use model::fleet::Permits;

use crate::LEASE_WINDOW;

/// Further ahead than windows are leased, in seconds and in permits, whichever lasts longer: an arrival beyond that was
/// written before the clock was set back.
const TOO_FAR: (f64, f64) = (600.0, 100.0);

/// Nothing lasts longer, in microseconds: sums of times stay within 64 bits.
const LONGEST_US: i64 = i64::MAX / 4;

/// What a lease of some permits of a budget asks for, whatever the budget's state. Times are in microseconds.
pub(crate) struct Ask {
    count: u32,
    /// How long the permits last at the budget's rate.
    pub(crate) lasts_us: i64,
    /// An arrival that is further ahead than this is not believed.
    pub(crate) too_far_us: i64,
}

impl Ask {
    /// At most `want` permits of a budget of `rate` a second (above 0).
    pub(crate) fn new(rate: f64, want: u32) -> Self {
        let most = (rate * LEASE_WINDOW.as_secs_f64()).floor().max(1.0);
        let count = f64::from(want).min(most);
        let lasts_us = ((count * 1e6 / rate).ceil() as i64).min(LONGEST_US);
        let too_far_us = ((TOO_FAR.0.max(TOO_FAR.1 / rate) * 1e6) as i64).min(LONGEST_US);
        Self { count: count as u32, lasts_us, too_far_us }
    }

    /// The window from `start_us` to `end_us` since the Unix epoch. It opens at the next whole millisecond, and the rest
    /// of that millisecond is not lost to the windows after it.
    pub(crate) fn window(&self, start_us: i64, end_us: i64) -> Permits {
        Permits { count: self.count, opens_at: milliseconds(start_us), expires_at: milliseconds(end_us) }
    }
}

/// The next window of at most `want` permits of a budget of `rate` a second (above 0), and the theoretical arrival time
/// after it. These times are in microseconds since the Unix epoch.
pub(crate) fn next_window(now: Timestamp, arrival_us: i64, rate: f64, want: u32) -> (Permits, i64) {
    let ask = Ask::new(rate, want);
    let now_us = now.0.saturating_mul(1000);
    let furthest = now_us.saturating_add(ask.too_far_us);
    let start = if arrival_us > furthest { now_us } else { now_us.max(arrival_us) };
    let end = start.saturating_add(ask.lasts_us);
    (ask.window(start, end), end)
}

/// No permits until a blocked budget opens again.
pub(crate) fn blocked(until: Timestamp) -> Permits {
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
        assert_eq!((permits.count, permits.expires_at), (2500, NOW + LEASE_WINDOW));
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
            // Windows open at whole milliseconds, so that ten seconds are told to the millisecond.
            let most = (rate * 10.001 + 1e-6).floor() as usize + 1;
            for (i, first) in uses.iter().enumerate() {
                let within = uses[i..].partition_point(|time| *time <= first + 10_000.0);
                prop_assert!(within <= most, "{} in ten seconds at {} a second", within, rate);
            }
        }
    }
}
