//! The time that a computation may take.

use std::time::Duration;

/// How many times as long as estimated it may take: machines differ, and share their cores.
const MOST_TIMES: f64 = 30.0;

/// The most that an estimate allows, in seconds: thirty days.
const MOST_SECONDS: f64 = 30.0 * 86_400.0;

/// The time allowed by the kind, and many times the estimate, which is of one core and in seconds.
pub(crate) fn allowed(kind: Duration, estimate: f64) -> Duration {
    let beside = if estimate.is_nan() { 0.0 } else { (estimate * MOST_TIMES).clamp(0.0, MOST_SECONDS) };
    kind + Duration::from_secs_f64(beside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_the_estimate() {
        let hour = Duration::from_secs(3_600);
        assert_eq!(allowed(hour, 0.0), hour);
        assert_eq!(allowed(hour, 60.0), hour + Duration::from_secs(1_800));
        assert_eq!(allowed(hour, f64::NAN), hour);
        assert_eq!(allowed(hour, f64::INFINITY), hour + Duration::from_secs(30 * 86_400));
    }
}
