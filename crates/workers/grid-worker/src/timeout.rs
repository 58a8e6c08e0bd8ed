//! The timeout of a computation, from its estimated time.

use std::time::Duration;

/// How many times its estimate a computation may take: machines differ, and other processes use their cores.
const MAX_ESTIMATE_FACTOR: f64 = 30.0;

/// The most seconds that an estimate adds to the timeout: thirty days.
const MAX_EXTRA_SECONDS: f64 = 30.0 * 86_400.0;

/// The timeout of the kind of job plus many times the estimated core seconds.
pub(crate) fn scaled_timeout(kind: Duration, estimate: f64) -> Duration {
    let extra = if estimate.is_nan() { 0.0 } else { (estimate * MAX_ESTIMATE_FACTOR).clamp(0.0, MAX_EXTRA_SECONDS) };
    kind + Duration::from_secs_f64(extra)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeout_grows_with_the_estimate() {
        let hour = Duration::from_secs(3_600);
        assert_eq!(scaled_timeout(hour, 0.0), hour);
        assert_eq!(scaled_timeout(hour, 60.0), hour + Duration::from_secs(1_800));
        assert_eq!(scaled_timeout(hour, f64::NAN), hour);
        assert_eq!(scaled_timeout(hour, f64::INFINITY), hour + Duration::from_secs(30 * 86_400));
    }
}
