//! How long to wait after a failure.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use metrics::Counter;
use model::settings::BackoffSettings;
use rand::Rng;

use crate::metrics::outages;

/// The largest share that jitter adds to a delay, so that jobs that failed together do not all come back together.
const MAX_JITTER: f64 = 0.25;

/// An exponential back-off: `first`, then twice as long each time, up to `cap`, jitter included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff {
    first: Duration,
    cap: Duration,
}

impl Backoff {
    /// Between the attempts of a job whose failure named no delay.
    pub(crate) const ATTEMPTS: Self = Self { first: Duration::from_secs(1), cap: Duration::from_secs(300) };

    /// Between the attempts of a process to take jobs of a kind that it declines.
    pub(crate) const DECLINES: Self = Self { first: Duration::from_secs(5), cap: Duration::from_secs(60) };

    /// The delay after a failure that follows `earlier` ones in a row; never shorter than `first`, never longer than `cap`.
    pub(crate) fn delay(&self, earlier: u32) -> Duration {
        let cap = self.cap.as_secs_f64();
        let delay = self.first.as_secs_f64() * 2f64.powi(earlier.min(64) as i32);
        let jitter = 1.0 + rand::rng().random_range(0.0..=MAX_JITTER);
        Duration::from_secs_f64((delay.min(cap / (1.0 + MAX_JITTER)) * jitter).min(cap))
    }
}

impl From<BackoffSettings> for Backoff {
    fn from(BackoffSettings { first, cap }: BackoffSettings) -> Self {
        let [first, cap] = [first, cap].map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
        Self { first, cap }
    }
}

/// A period in which the queue or the store is unreachable. Delays grow with how long it lasts, not with how many slots
/// notice it.
pub struct Outage {
    since: Mutex<Option<Instant>>,
    count: Counter,
}

impl Outage {
    const MIN_DELAY: Duration = Duration::from_millis(250);
    /// Two of these may follow each other before a worker takes jobs again, and that has to happen within 5 s.
    const MAX_DELAY: Duration = Duration::from_secs(2);

    /// No outage so far, as noticed by this part of a worker: `consumers`, `jobs` or `start`.
    pub fn seen_by(observer: &'static str) -> Self {
        Self { since: Mutex::default(), count: outages(observer) }
    }

    /// Waits as long as the outage has lasted so far, within bounds.
    pub async fn wait(&self, cause: impl std::fmt::Display) {
        let duration = {
            let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
            if since.is_none() {
                self.count.increment(1);
                tracing::warn!("{cause}; retrying until it is reachable again");
            }
            since.get_or_insert_with(Instant::now).elapsed()
        };
        let jitter = rand::rng().random_range(1.0 - MAX_JITTER..=1.0);
        tokio::time::sleep(duration.clamp(Self::MIN_DELAY, Self::MAX_DELAY).mul_f64(jitter)).await;
    }

    /// Ends the outage, if there is one.
    pub fn end(&self) {
        if let Some(since) = self.since.lock().unwrap_or_else(PoisonError::into_inner).take() {
            tracing::info!(outage_ms = since.elapsed().as_millis() as u64, "reachable again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_and_stay_between_first_and_cap() {
        for _ in 0..200 {
            for (earlier, seconds) in [(0, 1.0), (1, 2.0), (5, 32.0)] {
                let delay = Backoff::ATTEMPTS.delay(earlier).as_secs_f64();
                assert!(
                    (seconds..=seconds * (1.0 + MAX_JITTER)).contains(&delay),
                    "{delay} s after {earlier} failures"
                );
            }
            let longest = Backoff::ATTEMPTS.delay(u32::MAX).as_secs_f64();
            assert!((240.0..=300.0).contains(&longest), "{longest} s at the cap");
        }
    }

    #[test]
    fn a_back_off_is_made_of_a_setting() {
        let backoff = Backoff::from(BackoffSettings { first: 0.5, cap: 2.0 });
        assert!((0.5..=0.625).contains(&backoff.delay(0).as_secs_f64()));
        assert!((1.6..=2.0).contains(&backoff.delay(9).as_secs_f64()));
    }
}
