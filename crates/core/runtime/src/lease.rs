//! The permits of one budget that this process has leased.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use model::Timestamp;
use model::fleet::Permits;
use store::{Fleet, MAX_LEASE_WINDOW, StoreError};

/// The shortest window worth a round trip to the store.
const MIN_WINDOW: Duration = Duration::from_millis(50);

/// The share of a rate that is leased. Requests arrive closer together than they were sent if an early one was slow and a
/// later one fast. With this share, ten seconds leave room for 0.2 s of that.
const LEASED_SHARE: f64 = 0.98;

/// How late a permit may still be used, unless one period is longer. What a process did not use because it was suspended for
/// longer is lost, rather than used all at once.
const MAX_LATENESS: Duration = Duration::from_millis(100);

/// The permits in hand.
pub(crate) struct Lease {
    rate: f64,
    /// How many permits the latest window was asked to hold.
    batch: u32,
    permits: Permits,
    limiter: Option<DefaultDirectRateLimiter>,
}

impl Lease {
    /// No permits so far, of a budget of this rate.
    ///
    /// # Panics
    /// When the rate is not a positive number.
    pub(crate) fn new(rate: f64) -> Self {
        assert!(rate > 0.0 && rate.is_finite(), "a rate is a positive number of requests a second, not {rate}");
        let permits = Permits { count: 0, opens_at: Timestamp(0), expires_at: Timestamp(0) };
        Self { rate: rate * LEASED_SHARE, batch: 1, permits, limiter: None }
    }

    /// When the permits in hand may be used from; `None` if none of them can be used any more.
    pub(crate) fn opens_at(&self, now: Timestamp) -> Option<Timestamp> {
        (self.permits.count > 0 && now < self.permits.expires_at).then_some(self.permits.opens_at)
    }

    /// Waits until the next permit of the open window is due.
    pub(crate) async fn until_due(&mut self) {
        let limiter = self.limiter.get_or_insert_with(|| pace(self.rate, self.permits.count));
        limiter.until_ready().await;
    }

    /// Uses up one permit, if one is valid now.
    pub(crate) fn take(&mut self, now: Timestamp) -> bool {
        let is_valid = self.opens_at(now).is_some_and(|opens_at| opens_at <= now);
        self.permits.count -= u32::from(is_valid);
        is_valid
    }

    /// Leases the next window: twice as long if most of the previous one was used, else half as long. So a busy process
    /// seldom asks, and an idle one does not keep permits from the others.
    pub(crate) async fn renew(&mut self, fleet: &dyn Fleet, key: &str) -> Result<Permits, StoreError> {
        let batch = if self.permits.count <= self.batch / 2 { self.batch.saturating_mul(2) } else { self.batch / 2 };
        self.batch = batch.clamp(permits_in(self.rate, MIN_WINDOW), permits_in(self.rate, MAX_LEASE_WINDOW));
        self.permits = fleet.lease_budget(key, self.rate, self.batch).await?;
        self.limiter = None;
        Ok(self.permits)
    }
}

/// Paces the `count` permits of a window that opens now: one at once, the others a period apart. A permit that is asked for a
/// little late is due at once, so that the lateness of timers does not add up.
fn pace(rate: f64, count: u32) -> DefaultDirectRateLimiter {
    let period = Duration::from_secs_f64((1.0 / rate).clamp(1e-9, 86_400.0));
    let count = count.min(permits_in(rate, MAX_LATENESS).max(2));
    let burst = NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
    let quota = Quota::with_period(period).expect("a period of a nanosecond or more").allow_burst(burst);
    let limiter = RateLimiter::direct(quota);
    if let Some(not_due_yet) = NonZeroU32::new(count.saturating_sub(1)) {
        // A new limiter starts with its whole burst; a window starts with one permit.
        let _ = limiter.check_n(not_due_yet);
    }
    limiter
}

/// How many permits this rate gives in this time; at least one.
fn permits_in(rate: f64, time: Duration) -> u32 {
    (rate * time.as_secs_f64()).max(1.0) as u32
}
