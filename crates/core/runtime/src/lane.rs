//! The permits of one budget that this process holds.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use model::Timestamp;
use model::fleet::Permits;
use model::settings::BackoffSettings;
use store::{MAX_LEASE_WINDOW, Store, StoreError};
use tokio::sync::Mutex;

use crate::backoff::Backoff;
use crate::meters::BudgetMeters;

/// The shortest window worth a trip to the store.
const SHORTEST_WINDOW: Duration = Duration::from_millis(50);

/// The part of a rate that is leased. Requests are on their way for a while: one that left late and the next that did not
/// come closer together than they were let go. With this part, ten seconds have room for two tenths of a second of that.
const LEASED: f64 = 0.98;

/// How late a permit may still be used, or one period where that is longer. What a process did not use because it was
/// stopped for longer is lost, rather than used all at once.
const CATCH_UP: Duration = Duration::from_millis(100);

/// A rate that a service allows, declared by the worker crate whose handlers spend it.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    /// Its name in the code, as kinds of job name it.
    pub name: &'static str,
    /// Its name in the store: what is limited, and who is, so that those whom the service tells apart do not wait for each
    /// other.
    pub key: String,
    /// Requests a second over the whole team.
    pub rate: f64,
    /// Waits after throttled answers in a row that named none.
    pub backoff: BackoffSettings,
}

/// One budget as this process uses it.
pub(crate) struct Lane {
    /// Its name in the store: what is limited, and who is.
    pub(crate) key: String,
    /// The lock is fair: who asks first is served first.
    pub(crate) lease: Mutex<Lease>,
    /// After throttled answers that named no wait.
    pub(crate) backoff: Backoff,
    pub(crate) meters: BudgetMeters,
}

/// Permits in hand.
pub(crate) struct Lease {
    rate: f64,
    ask: u32,
    permits: Permits,
    pace: Option<DefaultDirectRateLimiter>,
}

impl Lane {
    pub(crate) fn new(budget: Budget) -> Self {
        let Budget { key, rate, backoff, .. } = budget;
        assert!(rate > 0.0 && rate.is_finite(), "a rate is a positive number of requests a second, not {rate}");
        let permits = Permits { count: 0, opens_at: Timestamp(0), expires_at: Timestamp(0) };
        let lease = Mutex::new(Lease { rate: rate * LEASED, ask: 1, permits, pace: None });
        Self { lease, backoff: backoff.into(), meters: BudgetMeters::of(&key), key }
    }
}

impl Lease {
    /// When the permits in hand may be used from; `None`: there is none that can be used any more.
    pub(crate) fn opens_at(&self, now: Timestamp) -> Option<Timestamp> {
        (self.permits.count > 0 && now < self.permits.expires_at).then_some(self.permits.opens_at)
    }

    /// Waits until the next permit of the open window falls due.
    pub(crate) async fn due(&mut self) {
        let pace = self.pace.get_or_insert_with(|| pace(self.rate, self.permits.count));
        pace.until_ready().await;
    }

    /// Uses up one permit, if one is valid now.
    pub(crate) fn take(&mut self, now: Timestamp) -> bool {
        let valid = self.opens_at(now).is_some_and(|opens_at| opens_at <= now);
        self.permits.count -= u32::from(valid);
        valid
    }

    /// Leases the next window. It is twice as long as one that was used well and half as long as one that was not, so that
    /// a busy process seldom asks and an idle one does not keep permits from the others.
    pub(crate) async fn renew(&mut self, store: &dyn Store, key: &str) -> Result<Permits, StoreError> {
        let ask = if self.permits.count <= self.ask / 2 { self.ask.saturating_mul(2) } else { self.ask / 2 };
        self.ask = ask.clamp(worth(self.rate, SHORTEST_WINDOW), worth(self.rate, MAX_LEASE_WINDOW));
        self.permits = store.lease_budget(key, self.rate, self.ask).await?;
        self.pace = None;
        Ok(self.permits)
    }
}

/// Paces the `count` permits of a window that opens now: one at once, the others a period apart. One that is asked for a
/// little late is due at once, so that a timer's lateness does not add up.
fn pace(rate: f64, count: u32) -> DefaultDirectRateLimiter {
    let period = Duration::from_secs_f64((1.0 / rate).clamp(1e-9, 86_400.0));
    let count = count.min(worth(rate, CATCH_UP).max(2));
    let burst = NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
    let quota = Quota::with_period(period).expect("a period of a nanosecond or more").allow_burst(burst);
    let pace = RateLimiter::direct(quota);
    if let Some(not_due_yet) = NonZeroU32::new(count.saturating_sub(1)) {
        // A new limiter starts with its whole burst; a window starts with one.
        let _ = pace.check_n(not_due_yet);
    }
    pace
}

/// How many permits a time is worth; at least one.
fn worth(rate: f64, time: Duration) -> u32 {
    (rate * time.as_secs_f64()).max(1.0) as u32
}
