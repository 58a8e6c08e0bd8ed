//! Rate budgets: a team's rate, leased from the store in batches and paced locally.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::Timestamp;
use model::settings::BackoffSettings;
use store::{Fleet, StoreError};
use tokio::sync::Mutex;

use crate::Failure;
use crate::backoff::Backoff;
use crate::gate::BudgetGate;
use crate::lease::Lease;
use crate::metrics::BudgetMetrics;
use crate::permit_waits::PermitWaits;

/// A job waits this long for a closed budget to open; if it takes longer, the job is handed back.
const MAX_WAIT_IN_JOB: Duration = Duration::from_secs(2);

/// Throttled answers to requests that were under way at the same time close a budget once, not once each: one that would
/// prolong the closing by less than this is of the same moment.
const SAME_CLOSING: Duration = Duration::from_secs(1);

/// The shortest closing. Some services answer `Retry-After: 0`, which would close nothing.
const MIN_CLOSING: Duration = Duration::from_secs(1);

/// A rate that a service allows, declared by the worker crate whose handlers spend it.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    /// Its name in the code, which kinds of job refer to.
    pub name: &'static str,
    /// Its name in the store: what is limited and who is, so that two that the service counts separately do not wait for
    /// each other.
    pub key: String,
    /// Requests a second, for the whole team.
    pub rate: f64,
    /// How long it closes after throttled answers in a row that named no delay.
    pub backoff: BackoffSettings,
}

/// One budget as this process uses it.
struct LocalBudget {
    /// Its name in the store.
    key: String,
    /// The lock is fair: first come, first served.
    lease: Mutex<Lease>,
    backoff: Backoff,
    metrics: BudgetMetrics,
}

impl LocalBudget {
    fn new(budget: Budget) -> Self {
        let Budget { key, rate, backoff, .. } = budget;
        let lease = Mutex::new(Lease::new(rate));
        Self { lease, backoff: backoff.into(), metrics: BudgetMetrics::of(&key), key }
    }
}

/// The rate budgets of this process. Clones share their leases.
#[derive(Clone)]
pub struct Budgets {
    inner: Arc<BudgetsInner>,
    /// Of the attempt that this clone is for.
    permit_waits: Arc<PermitWaits>,
}

struct BudgetsInner {
    fleet: Arc<dyn Fleet>,
    local: HashMap<&'static str, LocalBudget>,
    gate: BudgetGate,
    /// Held while a budget is being closed, so that throttled answers of the same moment see each other.
    closing: Mutex<()>,
}

impl Budgets {
    /// These budgets, leased from this store.
    ///
    /// # Panics
    /// When a rate is not a positive number.
    pub fn new(fleet: Arc<dyn Fleet>, budgets: impl IntoIterator<Item = Budget>) -> Self {
        let local = budgets.into_iter().map(|budget| (budget.name, LocalBudget::new(budget))).collect();
        let inner = Arc::new(BudgetsInner { fleet, local, gate: BudgetGate::new(), closing: Mutex::new(()) });
        Self { inner, permit_waits: Arc::default() }
    }

    /// The same budgets for one attempt, and the record of how long it waits for permits.
    pub(crate) fn for_attempt(&self) -> (Self, Arc<PermitWaits>) {
        let permit_waits = Arc::<PermitWaits>::default();
        (Self { inner: self.inner.clone(), permit_waits: permit_waits.clone() }, permit_waits)
    }

    /// Waits for a permit to make one request now. [`Failure::Closed`] if the budget stays closed for long.
    pub async fn permit(&self, name: &'static str) -> Result<(), Failure> {
        let BudgetsInner { fleet, local, gate, .. } = &*self.inner;
        let budget = local.get(name).ok_or_else(|| Failure::dead(format!("no rate is set for the budget {name}")))?;
        let (started_at, _wait) = (Instant::now(), self.permit_waits.start());
        let mut lease = budget.lease.lock().await;
        let names = [name];
        loop {
            self.wait_until_open(name).await?;
            let now = Timestamp::now();
            match lease.opens_at(now) {
                None => {
                    let permits = lease.renew(&**fleet, &budget.key).await?;
                    if permits.count == 0 {
                        gate.no_permits_before(name, permits.opens_at);
                    }
                }
                Some(opens_at) if opens_at > now => tokio::select! {
                    () = tokio::time::sleep(opens_at.duration_since(now)) => {}
                    () = gate.until_closed(&names) => {}
                },
                Some(_) => {
                    lease.until_due().await;
                    if gate.opens_in(&names).is_none() && lease.take(Timestamp::now()) {
                        budget.metrics.permits.increment(1);
                        budget.metrics.wait_seconds.record(started_at.elapsed());
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Records that the service gave a good answer, which ends a row of throttled ones. Free if there is no such row.
    pub async fn record_success(&self, name: &'static str) -> Result<(), Failure> {
        let gate = &self.inner.gate;
        // A good answer while the budget is closed belongs to an earlier request and says nothing.
        if gate.throttled(name) > 0 && gate.opens_in(&[name]).is_none() {
            self.inner.fleet.reset_throttling(self.key(name)).await?;
            gate.reset_throttled(name);
        }
        Ok(())
    }

    /// Closes a budget for everyone, for the time the service asked for or by the budget's own back-off.
    pub(crate) async fn close(&self, name: &str, after: Option<Duration>, reason: &str) -> Result<(), StoreError> {
        let BudgetsInner { fleet, local, gate, closing } = &*self.inner;
        let key = self.key(name);
        let after = after.map(|delay| delay.max(MIN_CLOSING));
        let backoff = local.get(name).map_or(Backoff::ATTEMPTS, |budget| budget.backoff);
        let _closing = closing.lock().await;
        let (now, asked_at) = (Timestamp::now(), Instant::now());
        let stored = fleet.budget(key).await.inspect_err(|_| {
            // The store cannot tell the others, but this process at least keeps quiet.
            gate.close_locally(name, now + after.unwrap_or_else(|| backoff.delay(gate.throttled(name))));
        })?;
        let (closed_until, throttled) = stored.map_or_else(Default::default, |budget| {
            gate.update(name, &budget, asked_at);
            (budget.blocked_until, budget.throttled)
        });
        let is_closed = closed_until > now;
        let until = match after {
            None if is_closed => return Ok(()),
            Some(delay) if is_closed && now + delay <= closed_until + SAME_CLOSING => return Ok(()),
            _ => now + after.unwrap_or_else(|| backoff.delay(throttled)),
        };
        gate.close_locally(name, until);
        let closed = fleet.block_budget(key, until, reason).await?;
        gate.closed_in_store(name, &closed, Instant::now());
        if let Some(budget) = local.get(name) {
            budget.metrics.closed.increment(1);
        }
        let closed_ms = until.duration_since(now).as_millis() as u64;
        tracing::warn!(budget = key, closed_ms, "the budget is closed for all workers: {reason}");
        Ok(())
    }

    /// Reads the state of these budgets from the store. Budgets with other keys are none of this process's business.
    pub(crate) async fn refresh(&self) -> Result<(), StoreError> {
        let BudgetsInner { fleet, local, gate, .. } = &*self.inner;
        let asked_at = Instant::now();
        for stored in fleet.budgets().await? {
            for (name, _) in local.iter().filter(|(_, budget)| budget.key == stored.name) {
                gate.update(name, &stored, asked_at);
            }
        }
        for (name, budget) in local {
            let opens_in = gate.opens_in(&[name]).unwrap_or_default();
            budget.metrics.closed_seconds.set(opens_in.as_secs_f64());
        }
        Ok(())
    }

    /// Which budgets are closed.
    pub(crate) fn gate(&self) -> &BudgetGate {
        &self.inner.gate
    }

    /// A budget's key in the store.
    fn key<'a>(&'a self, name: &'a str) -> &'a str {
        self.inner.local.get(name).map_or(name, |budget| &budget.key)
    }

    async fn wait_until_open(&self, name: &str) -> Result<(), Failure> {
        let gate = &self.inner.gate;
        while let Some(opens_in) = gate.opens_in(&[name]) {
            if opens_in > MAX_WAIT_IN_JOB {
                return Err(Failure::Closed { budget: name.to_owned() });
            }
            gate.until_open(&[name]).await;
        }
        Ok(())
    }
}
