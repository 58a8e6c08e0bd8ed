use async_trait::async_trait;
use model::Timestamp;
use model::fleet::{Budget, Capability, Heartbeat, Pause, Permits};
use mongodb::Collection;
use mongodb::bson::{Bson, Document, doc};
use serde::Deserialize;

use super::bulk::Write;
use super::{ANSWER_WITHIN, Mongo};
use crate::gcra::{Ask, blocked};
use crate::{Fleet, Result, StoreError};

/// An entry of `budgets`. Times are the server's.
#[derive(Deserialize)]
struct StoredBudget {
    name: String,
    blocked_until: Timestamp,
    throttled: u32,
    reason: Option<String>,
    /// Theoretical arrival time, in microseconds since the Unix epoch.
    arrival_us: i64,
    /// When the window that was leased last opens, in the same unit.
    window_us: i64,
    /// When a window was asked for last.
    asked_at: Timestamp,
}

#[derive(Deserialize)]
struct Crashes {
    count: u32,
}

#[async_trait]
impl Fleet for Mongo {
    async fn heartbeat(&self, beat: &Heartbeat) -> Result<()> {
        self.save(vec![Write::replace("workers", doc! { "_id": &beat.id }, self.entry(&beat.id, beat)?)]).await
    }

    async fn workers(&self) -> Result<Vec<Heartbeat>> {
        self.find(ANSWER_WITHIN, "workers", doc! {}, doc! { "_id": 1 }).await
    }

    async fn pause_kind(&self, pause: &Pause) -> Result<()> {
        let key = doc! { "_id": &pause.kind };
        self.save(vec![Write::first_stays("pauses", key, self.document(pause)?)]).await
    }

    async fn resume_kind(&self, kind: &str) -> Result<bool> {
        let (pauses, pause) = (self.db.collection::<Document>("pauses"), doc! { "_id": kind });
        let deleted = self.run(ANSWER_WITHIN, async move { pauses.delete_one(pause).await }).await?;
        Ok(deleted.deleted_count > 0)
    }

    async fn pauses(&self) -> Result<Vec<Pause>> {
        self.find(ANSWER_WITHIN, "pauses", doc! {}, doc! { "_id": 1 }).await
    }

    async fn lease_budget(&self, name: &str, rate: f64, want: u32) -> Result<Permits> {
        if rate.is_nan() || rate <= 0.0 {
            return Err(StoreError::Unusable(format!("the budget {name} has a rate of {rate}: set one above 0")));
        }
        let ask = Ask::new(rate, want);
        let asked = Timestamp::now();
        let budget: StoredBudget = self.step("budgets", name, unused(name), lease(&ask)).await?;
        self.clock.learn(asked, Timestamp::now(), budget.asked_at);
        if budget.blocked_until > budget.asked_at {
            return Ok(blocked(self.clock.here(budget.blocked_until)));
        }
        let Permits { count, opens_at, expires_at } = ask.window(budget.window_us, budget.arrival_us);
        Ok(Permits { count, opens_at: self.clock.here(opens_at), expires_at: self.clock.here(expires_at) })
    }

    async fn block_budget(&self, name: &str, until: Timestamp, reason: &str) -> Result<Budget> {
        let until = self.clock.there(until);
        let budget = self.step("budgets", name, unused(name), block(until, reason)).await?;
        Ok(self.budget_here(budget))
    }

    async fn budget_answered(&self, name: &str) -> Result<()> {
        // Nearly every answer is a good one after a good one: the filter sees to it that it costs no write. An answer that
        // comes during a block was asked for before it, and says nothing about it.
        let throttled = doc! { "_id": name, "throttled": { "$gt": 0 } };
        let anew = doc! { "$cond": [{ "$lte": ["$blocked_until", now()] }, 0, "$throttled"] };
        let budgets: Collection<Document> = self.db.collection("budgets");
        let update =
            async move { budgets.update_one(throttled, vec![doc! { "$set": { "throttled": anew } }]).await.map(drop) };
        self.run(ANSWER_WITHIN, update).await
    }

    async fn open_budget(&self, name: &str) -> Result<bool> {
        let closed = doc! { "_id": name, "blocked_until": { "$gt": self.clock.there(Timestamp::now()).0 } };
        let open = doc! { "$set": { "blocked_until": 0_i64, "throttled": 0, "reason": Bson::Null } };
        let budgets: Collection<Document> = self.db.collection("budgets");
        let opened = self.run(ANSWER_WITHIN, async move { budgets.update_one(closed, open).await }).await?;
        Ok(opened.modified_count > 0)
    }

    async fn budget(&self, name: &str) -> Result<Option<Budget>> {
        Ok(self.get("budgets", name).await?.map(|budget| self.budget_here(budget)))
    }

    async fn budgets(&self) -> Result<Vec<Budget>> {
        let budgets = self.find(ANSWER_WITHIN, "budgets", doc! {}, doc! { "_id": 1 }).await?;
        Ok(budgets.into_iter().map(|budget| self.budget_here(budget)).collect())
    }

    async fn save_capability(&self, capability: &Capability) -> Result<()> {
        let entry = self.entry(&capability.name, capability)?;
        self.save(vec![Write::replace("capabilities", doc! { "_id": &capability.name }, entry)]).await
    }

    async fn capability(&self, name: &str) -> Result<Option<Capability>> {
        self.get("capabilities", name).await
    }

    async fn capabilities(&self) -> Result<Vec<Capability>> {
        self.find(ANSWER_WITHIN, "capabilities", doc! {}, doc! { "_id": 1 }).await
    }

    async fn count_crash(&self, job_id: &str) -> Result<u32> {
        let none = doc! { "job_id": job_id, "count": 0 };
        let one_more = vec![doc! { "$set": { "count": { "$add": ["$count", 1] } } }];
        let crashes: Crashes = self.step("crashes", job_id, none, one_more).await?;
        Ok(crashes.count)
    }
}

impl Mongo {
    fn budget_here(&self, budget: StoredBudget) -> Budget {
        let StoredBudget { name, blocked_until, throttled, reason, .. } = budget;
        Budget { name, blocked_until: self.clock.here(blocked_until), throttled, reason }
    }
}

/// A budget before its first step.
fn unused(name: &str) -> Document {
    doc! {
        "name": name, "blocked_until": 0_i64, "throttled": 0, "reason": Bson::Null,
        "arrival_us": 0_i64, "window_us": 0_i64, "asked_at": 0_i64,
    }
}

/// The server's time, in milliseconds.
fn now() -> Document {
    doc! { "$toLong": "$$NOW" }
}

/// The steps of [`crate::gcra::next_window`] on the server: a window of `ask`, unless the budget is blocked.
fn lease(ask: &Ask) -> Vec<Document> {
    let now_us = doc! { "$multiply": ["$asked_at", 1000_i64] };
    let furthest = doc! { "$add": [now_us.clone(), ask.too_far_us] };
    let start = doc! { "$max": [now_us.clone(), "$arrival_us"] };
    let start = doc! { "$cond": [{ "$gt": ["$arrival_us", furthest] }, now_us, start] };
    let unless_blocked = |value: Document, kept: &str| {
        doc! { "$cond": [{ "$gt": ["$blocked_until", "$asked_at"] }, kept, value] }
    };
    let end = doc! { "$add": ["$window_us", ask.lasts_us] };
    vec![
        doc! { "$set": { "asked_at": now() } },
        doc! { "$set": { "window_us": unless_blocked(start, "$window_us") } },
        doc! { "$set": { "arrival_us": unless_blocked(end, "$arrival_us") } },
    ]
}

/// While the budget is blocked already, one more throttled answer is of the same incident: it was asked for before the
/// block, and counts with the others as one.
fn block(until: Timestamp, reason: &str) -> Vec<Document> {
    let once = doc! { "$max": ["$throttled", 1] };
    let one_more = doc! { "$add": ["$throttled", 1] };
    let throttled = doc! { "$cond": [{ "$gt": ["$blocked_until", now()] }, once, one_more] };
    let reason = doc! { "$cond": [{ "$gt": ["$blocked_until", until.0] }, "$reason", { "$literal": reason }] };
    vec![doc! { "$set": {
        "throttled": throttled,
        "reason": reason,
        "blocked_until": { "$max": ["$blocked_until", until.0] },
    } }]
}
