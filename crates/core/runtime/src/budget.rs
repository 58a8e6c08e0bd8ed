//! Rate budgets: a team's rate, leased from the store in batches and paced locally.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::Timestamp;
use store::{Store, StoreError};
use tokio::sync::Mutex;

use crate::Failure;
use crate::backoff::Backoff;
use crate::gate::Gate;
use crate::lane::{Budget, Lane};
use crate::waiting::Waiting;

/// A budget that opens within this time is waited for by the job itself; for a longer one the job is handed back.
const WORTH_WAITING: Duration = Duration::from_secs(2);

/// Throttled answers to requests that were under way together close a budget once, not once each.
const TOGETHER: Duration = Duration::from_secs(1);

/// The shortest time a service can ask for. Some answer `Retry-After: 0`, which would close nothing.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// The rate budgets of this process. Clones share their leases.
#[derive(Clone)]
pub struct Budgets {
    shared: Arc<Shared>,
    /// Of the attempt that this clone is for.
    waiting: Arc<Waiting>,
}

struct Shared {
    store: Arc<dyn Store>,
    lanes: HashMap<&'static str, Lane>,
    gate: Gate,
    pausing: Mutex<()>,
}

impl Budgets {
    /// The budgets of a store.
    ///
    /// # Panics
    /// When a rate is not a positive number.
    pub fn new(store: Arc<dyn Store>, budgets: impl IntoIterator<Item = Budget>) -> Self {
        let lanes = budgets.into_iter().map(|budget| (budget.name, Lane::new(budget))).collect();
        let shared = Arc::new(Shared { store, lanes, gate: Gate::new(), pausing: Mutex::new(()) });
        Self { shared, waiting: Arc::default() }
    }

    /// The same budgets for one attempt, and how long it waits for permits.
    pub(crate) fn for_attempt(&self) -> (Self, Arc<Waiting>) {
        let waiting = Arc::<Waiting>::default();
        (Self { shared: self.shared.clone(), waiting: waiting.clone() }, waiting)
    }

    /// Waits for a permit to make one request now. [`Failure::Closed`] while the budget is closed for long.
    pub async fn permit(&self, name: &'static str) -> Result<(), Failure> {
        let Shared { store, lanes, gate, .. } = &*self.shared;
        let lane = lanes.get(name).ok_or_else(|| Failure::dead(format!("no rate is set for the budget {name}")))?;
        let (began, _waits) = (Instant::now(), self.waiting.begin());
        let mut lease = lane.lease.lock().await;
        let names = [name];
        loop {
            self.wait_until_open(name).await?;
            let now = Timestamp::now();
            match lease.opens_at(now) {
                None => {
                    let permits = lease.renew(&**store, &lane.key).await?;
                    if permits.count == 0 {
                        gate.refused(name, permits.opens_at);
                    }
                }
                Some(opens_at) if opens_at > now => tokio::select! {
                    () = tokio::time::sleep(opens_at.duration_since(now)) => {}
                    () = gate.closed(&names) => {}
                },
                Some(_) => {
                    lease.due().await;
                    if gate.closed_for(&names).is_none() && lease.take(Timestamp::now()) {
                        lane.meters.permits.increment(1);
                        lane.meters.wait_seconds.record(began.elapsed());
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Notes that the service gave a good answer. Costs nothing unless throttled answers were counted before.
    pub async fn answered(&self, name: &'static str) -> Result<(), Failure> {
        let gate = &self.shared.gate;
        // While the budget is closed, a good answer belongs to a request from before and says nothing.
        if gate.throttled(name) > 0 && gate.closed_for(&[name]).is_none() {
            self.shared.store.reset_throttling(self.key(name)).await?;
            gate.answered(name);
        }
        Ok(())
    }

    /// Closes a budget for everyone, for the time the service asked for or by its own back-off.
    pub(crate) async fn pause(&self, name: &str, after: Option<Duration>, reason: &str) -> Result<(), StoreError> {
        let Shared { store, lanes, gate, pausing } = &*self.shared;
        let key = self.key(name);
        let after = after.map(|wait| wait.max(SHORTEST_PAUSE));
        let backoff = lanes.get(name).map_or(Backoff::ATTEMPTS, |lane| lane.backoff);
        let _turn = pausing.lock().await;
        let (asked_at, asked) = (Timestamp::now(), Instant::now());
        let known = store.budget(key).await.inspect_err(|_| {
            // Out of reach, the store cannot tell the others; this process at least keeps quiet.
            gate.close(name, asked_at + after.unwrap_or_else(|| backoff.wait(gate.throttled(name))));
        })?;
        let (closed_until, throttled) = known.map_or_else(Default::default, |budget| {
            gate.note(name, &budget, asked);
            (budget.blocked_until, budget.throttled)
        });
        let is_closed = closed_until > asked_at;
        let until = match after {
            None if is_closed => return Ok(()),
            Some(wait) if is_closed && asked_at + wait <= closed_until + TOGETHER => return Ok(()),
            _ => asked_at + after.unwrap_or_else(|| backoff.wait(throttled)),
        };
        gate.close(name, until);
        let closed = store.block_budget(key, until, reason).await?;
        gate.closed_by_store(name, &closed, Instant::now());
        if let Some(lane) = lanes.get(name) {
            lane.meters.closed.increment(1);
        }
        let closed_ms = until.duration_since(asked_at).as_millis() as u64;
        tracing::warn!(budget = key, closed_ms, "the budget is closed for everyone: {reason}");
        Ok(())
    }

    /// Asks the store what it knows of these budgets. Those of others, with other keys, are none of this process's.
    pub(crate) async fn refresh(&self) -> Result<(), StoreError> {
        let Shared { store, lanes, gate, .. } = &*self.shared;
        let asked = Instant::now();
        for budget in store.budgets().await? {
            for (name, _) in lanes.iter().filter(|(_, lane)| lane.key == budget.name) {
                gate.note(name, &budget, asked);
            }
        }
        for (name, lane) in lanes {
            let left = gate.closed_for(&[name]).unwrap_or_default();
            lane.meters.closed_seconds.set(left.as_secs_f64());
        }
        Ok(())
    }

    /// Which budgets are closed.
    pub(crate) fn gate(&self) -> &Gate {
        &self.shared.gate
    }

    /// A budget's key in the store.
    fn key<'a>(&'a self, name: &'a str) -> &'a str {
        self.shared.lanes.get(name).map_or(name, |lane| &lane.key)
    }

    async fn wait_until_open(&self, name: &str) -> Result<(), Failure> {
        let gate = &self.shared.gate;
        while let Some(wait) = gate.closed_for(&[name]) {
            if wait > WORTH_WAITING {
                return Err(Failure::Closed { budget: name.to_owned() });
            }
            gate.open(&[name]).await;
        }
        Ok(())
    }
}
