use async_trait::async_trait;
use model::Timestamp;
use model::fleet::{Budget, Capability, Heartbeat, Pause, Permits};
use model::run::Run;
use mongodb::Collection;
use mongodb::bson::{Bson, Document, doc};
use serde::Deserialize;

use super::bulk::Write;
use super::{Mongo, OPERATION_TIMEOUT};
use crate::gcra::{LeaseRequest, no_permits_until};
use crate::{Capabilities, Fleet, Result, StoreError};

/// A document of `budgets`. Times are the server's.
#[derive(Deserialize)]
struct StoredBudget {
    name: String,
    blocked_until: Timestamp,
    throttled: u32,
    reason: Option<String>,
    /// Theoretical arrival time, in microseconds since the Unix epoch.
    arrival_us: i64,
    /// When the window that was leased last opens, in microseconds since the Unix epoch.
    window_us: i64,
    /// When a window was last asked for.
    asked_at: Timestamp,
}

#[derive(Deserialize)]
struct CrashCount {
    count: u32,
}

#[async_trait]
impl Fleet for Mongo {
    async fn heartbeat(&self, beat: &Heartbeat) -> Result<()> {
        self.save(vec![Write::replace("workers", doc! { "_id": &beat.id }, self.entry(&beat.id, beat)?)]).await
    }

    async fn workers(&self) -> Result<Vec<Heartbeat>> {
        self.find(OPERATION_TIMEOUT, "workers", doc! {}, doc! { "_id": 1 }).await
    }

    async fn pause_kind(&self, pause: &Pause) -> Result<()> {
        let key = doc! { "_id": &pause.kind };
        self.save(vec![Write::insert_if_absent("pauses", key, self.document(pause)?)]).await
    }

    async fn resume_kind(&self, kind: &str) -> Result<bool> {
        let (pauses, pause) = (self.db.collection::<Document>("pauses"), doc! { "_id": kind });
        let deleted = self.run(OPERATION_TIMEOUT, async move { pauses.delete_one(pause).await }).await?;
        Ok(deleted.deleted_count > 0)
    }

    async fn pauses(&self) -> Result<Vec<Pause>> {
        self.find(OPERATION_TIMEOUT, "pauses", doc! {}, doc! { "_id": 1 }).await
    }

    async fn lease_budget(&self, name: &str, rate: f64, want: u32) -> Result<Permits> {
        if rate.is_nan() || rate <= 0.0 {
            return Err(StoreError::Unusable(format!("the budget {name} has a rate of {rate}: set one above 0")));
        }
        let request = LeaseRequest::new(rate, want);
        let asked = Timestamp::now();
        let budget: StoredBudget = self.change_or_create("budgets", name, new_budget(name), lease(&request)).await?;
        self.clock.observe(asked, Timestamp::now(), budget.asked_at);
        if budget.blocked_until > budget.asked_at {
            return Ok(no_permits_until(self.clock.to_local(budget.blocked_until)));
        }
        let Permits { count, opens_at, expires_at } = request.window(budget.window_us, budget.arrival_us);
        Ok(Permits { count, opens_at: self.clock.to_local(opens_at), expires_at: self.clock.to_local(expires_at) })
    }

    async fn block_budget(&self, name: &str, until: Timestamp, reason: &str) -> Result<Budget> {
        let until = self.clock.to_server(until);
        let budget = self.change_or_create("budgets", name, new_budget(name), block(until, reason)).await?;
        Ok(self.localized(budget))
    }

    async fn reset_throttling(&self, name: &str) -> Result<()> {
        // Nearly every success follows another: the filter saves the write. An answer that arrives during a block was asked
        // for before it, and says nothing about it.
        let throttled = doc! { "_id": name, "throttled": { "$gt": 0 } };
        let cleared = doc! { "$cond": [{ "$lte": ["$blocked_until", server_now()] }, 0, "$throttled"] };
        let budgets: Collection<Document> = self.db.collection("budgets");
        let update = async move {
            budgets.update_one(throttled, vec![doc! { "$set": { "throttled": cleared } }]).await.map(drop)
        };
        self.run(OPERATION_TIMEOUT, update).await
    }

    async fn unblock_budget(&self, name: &str) -> Result<bool> {
        let closed = doc! { "_id": name, "blocked_until": { "$gt": self.clock.to_server(Timestamp::now()).0 } };
        let open = doc! { "$set": { "blocked_until": 0_i64, "throttled": 0, "reason": Bson::Null } };
        let budgets: Collection<Document> = self.db.collection("budgets");
        let opened = self.run(OPERATION_TIMEOUT, async move { budgets.update_one(closed, open).await }).await?;
        Ok(opened.modified_count > 0)
    }

    async fn budget(&self, name: &str) -> Result<Option<Budget>> {
        Ok(self.get("budgets", name).await?.map(|budget| self.localized(budget)))
    }

    async fn budgets(&self) -> Result<Vec<Budget>> {
        let budgets = self.find(OPERATION_TIMEOUT, "budgets", doc! {}, doc! { "_id": 1 }).await?;
        Ok(budgets.into_iter().map(|budget| self.localized(budget)).collect())
    }

    async fn cancelled_runs(&self) -> Result<Vec<String>> {
        let cancelled = doc! { "cancelled_at": { "$ne": Bson::Null } };
        let runs: Vec<Run> = self.find(OPERATION_TIMEOUT, "runs", cancelled, doc! { "_id": 1 }).await?;
        Ok(runs.into_iter().map(|run| run.id).collect())
    }

    async fn count_crash(&self, job_id: &str) -> Result<u32> {
        let none = doc! { "job_id": job_id, "count": 0 };
        let one_more = vec![doc! { "$set": { "count": { "$add": ["$count", 1] } } }];
        let crashes: CrashCount = self.change_or_create("crashes", job_id, none, one_more).await?;
        Ok(crashes.count)
    }
}

#[async_trait]
impl Capabilities for Mongo {
    async fn save_capability(&self, capability: &Capability) -> Result<()> {
        let entry = self.entry(&capability.name, capability)?;
        self.save(vec![Write::replace("capabilities", doc! { "_id": &capability.name }, entry)]).await
    }

    async fn capability(&self, name: &str) -> Result<Option<Capability>> {
        self.get("capabilities", name).await
    }

    async fn capabilities(&self) -> Result<Vec<Capability>> {
        self.find(OPERATION_TIMEOUT, "capabilities", doc! {}, doc! { "_id": 1 }).await
    }
}

impl Mongo {
    fn localized(&self, budget: StoredBudget) -> Budget {
        let StoredBudget { name, blocked_until, throttled, reason, .. } = budget;
        Budget { name, blocked_until: self.clock.to_local(blocked_until), throttled, reason }
    }
}

/// A budget that was never used.
fn new_budget(name: &str) -> Document {
    doc! {
        "name": name, "blocked_until": 0_i64, "throttled": 0, "reason": Bson::Null,
        "arrival_us": 0_i64, "window_us": 0_i64, "asked_at": 0_i64,
    }
}

/// The server's time, in milliseconds.
fn server_now() -> Document {
    doc! { "$toLong": "$$NOW" }
}

/// [`crate::gcra::next_window`] as a pipeline for the server: a window for `request`, unless the budget is blocked.
fn lease(request: &LeaseRequest) -> Vec<Document> {
    let now_us = doc! { "$multiply": ["$asked_at", 1000_i64] };
    let furthest = doc! { "$add": [now_us.clone(), request.max_lead_us] };
    let start = doc! { "$max": [now_us.clone(), "$arrival_us"] };
    let start = doc! { "$cond": [{ "$gt": ["$arrival_us", furthest] }, now_us, start] };
    let unless_blocked = |value: Document, kept: &str| {
        doc! { "$cond": [{ "$gt": ["$blocked_until", "$asked_at"] }, kept, value] }
    };
    let end = doc! { "$add": ["$window_us", request.duration_us] };
    vec![
        doc! { "$set": { "asked_at": server_now() } },
        doc! { "$set": { "window_us": unless_blocked(start, "$window_us") } },
        doc! { "$set": { "arrival_us": unless_blocked(end, "$arrival_us") } },
    ]
}

/// Another throttled answer while the budget is blocked was asked for before the block: it counts as the same incident.
fn block(until: Timestamp, reason: &str) -> Vec<Document> {
    let once = doc! { "$max": ["$throttled", 1] };
    let one_more = doc! { "$add": ["$throttled", 1] };
    let throttled = doc! { "$cond": [{ "$gt": ["$blocked_until", server_now()] }, once, one_more] };
    let reason = doc! { "$cond": [{ "$gt": ["$blocked_until", until.0] }, "$reason", { "$literal": reason }] };
    vec![doc! { "$set": {
        "throttled": throttled,
        "reason": reason,
        "blocked_until": { "$max": ["$blocked_until", until.0] },
    } }]
}
