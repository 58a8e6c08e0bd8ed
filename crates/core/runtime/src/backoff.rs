//! How long to wait after a failure.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use metrics::Counter;
use model::settings::BackoffSettings;
use rand::Rng;

use crate::meters;

/// The largest part that jitter adds to a wait, so that those who failed together do not come back together.
const JITTER: f64 = 0.25;

/// An exponential back-off: `first`, then twice as long each time, up to `cap`, jitter included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff {
    first: Duration,
    cap: Duration,
}

impl Backoff {
    /// Between the attempts of one job whose failure named no wait.
    pub(crate) const ATTEMPTS: Self = Self { first: Duration::from_secs(1), cap: Duration::from_secs(300) };

    /// Between the jobs that a process declines.
    pub(crate) const DECLINES: Self = Self { first: Duration::from_secs(5), cap: Duration::from_secs(60) };

    /// The wait after one more failure than `earlier` ones in a row; never shorter than `first`, never longer than `cap`.
    pub(crate) fn wait(&self, earlier: u32) -> Duration {
        let cap = self.cap.as_secs_f64();
        let wait = self.first.as_secs_f64() * 2f64.powi(earlier.min(64) as i32);
        let jitter = 1.0 + rand::rng().random_range(0.0..=JITTER);
        Duration::from_secs_f64((wait.min(cap / (1.0 + JITTER)) * jitter).min(cap))
    }
}

impl From<BackoffSettings> for Backoff {
    fn from(BackoffSettings { first, cap }: BackoffSettings) -> Self {
        let [first, cap] = [first, cap].map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
        Self { first, cap }
    }
}

/// A queue or store that is out of reach. Waits grow with how long that lasts, not with how many slots notice it.
pub struct Outage {
    since: Mutex<Option<Instant>>,
    count: Counter,
}

impl Outage {
    const SHORTEST: Duration = Duration::from_millis(250);
    /// Two of these may follow each other before a worker takes jobs again, which is to be within 5 s of the return.
    const LONGEST: Duration = Duration::from_secs(2);

    /// No outage so far, as these notice it: `takers`, `jobs` ….
    pub fn seen_by(who: &'static str) -> Self {
        Self { since: Mutex::default(), count: meters::outages(who) }
    }

    /// Waits as long as the outage has lasted by now, within bounds.
    pub async fn wait(&self, cause: impl std::fmt::Display) {
        let lasted = {
            let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
            if since.is_none() {
                self.count.increment(1);
                tracing::warn!("{cause}; trying again until it is back");
            }
            since.get_or_insert_with(Instant::now).elapsed()
        };
        let jitter = rand::rng().random_range(1.0 - JITTER..=1.0);
        tokio::time::sleep(lasted.clamp(Self::SHORTEST, Self::LONGEST).mul_f64(jitter)).await;
    }

    /// It answers again.
    pub fn over(&self) {
        if let Some(since) = self.since.lock().unwrap_or_else(PoisonError::into_inner).take() {
            tracing::info!(outage_ms = since.elapsed().as_millis() as u64, "back in reach");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_stay_between_first_and_cap() {
        for _ in 0..200 {
            for (earlier, seconds) in [(0, 1.0), (1, 2.0), (5, 32.0)] {
                let wait = Backoff::ATTEMPTS.wait(earlier).as_secs_f64();
                assert!((seconds..=seconds * (1.0 + JITTER)).contains(&wait), "{wait} s after {earlier} failures");
            }
            let longest = Backoff::ATTEMPTS.wait(u32::MAX).as_secs_f64();
            assert!((240.0..=300.0).contains(&longest), "{longest} s at the cap");
        }
    }

    #[test]
    fn a_back_off_is_made_of_a_setting() {
        let backoff = Backoff::from(BackoffSettings { first: 0.5, cap: 2.0 });
        assert!((0.5..=0.625).contains(&backoff.wait(0).as_secs_f64()));
        assert!((1.6..=2.0).contains(&backoff.wait(9).as_secs_f64()));
    }
}
