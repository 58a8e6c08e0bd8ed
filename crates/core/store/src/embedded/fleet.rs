use async_trait::async_trait;
use model::Timestamp;
use model::fleet::{Budget, Capability, Heartbeat, Pause, Permits};
use sqlite::rusqlite::{self, Connection, OptionalExtension, Row};

use super::{Embedded, to_doc};
use crate::gcra::{next_window, no_permits_until};
use crate::{Capabilities, Fleet, Result, StoreError};

#[async_trait]
impl Fleet for Embedded {
    async fn heartbeat(&self, beat: &Heartbeat) -> Result<()> {
        self.save("REPLACE INTO workers (id, doc) VALUES (?1, ?2)", vec![(beat.id.clone(), to_doc(beat))]).await
    }

    async fn workers(&self) -> Result<Vec<Heartbeat>> {
        self.docs("SELECT doc FROM workers ORDER BY id", []).await
    }

    async fn pause_kind(&self, pause: &Pause) -> Result<()> {
        let rows = vec![(pause.kind.clone(), to_doc(pause))];
        self.save("INSERT INTO pauses (kind, doc) VALUES (?1, ?2) ON CONFLICT DO NOTHING", rows).await
    }

    async fn resume_kind(&self, kind: &str) -> Result<bool> {
        let kind = kind.to_owned();
        self.write(move |connection| Ok(connection.execute("DELETE FROM pauses WHERE kind = ?1", [kind])? > 0)).await
    }

    async fn pauses(&self) -> Result<Vec<Pause>> {
        self.docs("SELECT doc FROM pauses ORDER BY kind", []).await
    }

    async fn lease_budget(&self, name: &str, rate: f64, want: u32) -> Result<Permits> {
        if rate.is_nan() || rate <= 0.0 {
            return Err(StoreError::Unusable(format!("the budget {name} has a rate of {rate}: set one above 0")));
        }
        let name = name.to_owned();
        // The time is taken inside the transaction: waiting for the file may have taken a while.
        self.write(move |connection| lease(connection, &name, rate, want, Timestamp::now())).await
    }

    async fn block_budget(&self, name: &str, until: Timestamp, reason: &str) -> Result<Budget> {
        let (name, reason) = (name.to_owned(), reason.to_owned());
        self.write(move |connection| block(connection, &name, until, &reason, Timestamp::now())).await
    }

    async fn reset_throttling(&self, name: &str) -> Result<()> {
        // Nearly every success follows another: that must cost no write.
        if self.budget(name).await?.is_none_or(|budget| budget.throttled == 0) {
            return Ok(());
        }
        // An answer that arrives during a block was asked for before it, and says nothing about it.
        let clear = "UPDATE budgets SET throttled = 0 WHERE name = ?1 AND throttled > 0 AND blocked_until <= ?2";
        self.save(clear, vec![(name.to_owned(), Timestamp::now().0)]).await
    }

    async fn unblock_budget(&self, name: &str) -> Result<bool> {
        let name = name.to_owned();
        let open =
            "UPDATE budgets SET blocked_until = 0, throttled = 0, reason = NULL WHERE name = ?1 AND blocked_until > ?2";
        self.write(move |connection| Ok(connection.execute(open, (name, Timestamp::now().0))? > 0)).await
    }

    async fn budget(&self, name: &str) -> Result<Option<Budget>> {
        let query = "SELECT name, blocked_until, throttled, reason FROM budgets WHERE name = ?1";
        Ok(self.rows(query, [name.to_owned()], budget).await?.pop())
    }

    async fn budgets(&self) -> Result<Vec<Budget>> {
        self.rows("SELECT name, blocked_until, throttled, reason FROM budgets ORDER BY name", [], budget).await
    }

    async fn cancelled_runs(&self) -> Result<Vec<String>> {
        let query = "SELECT id FROM runs WHERE doc ->> '$.cancelled_at' IS NOT NULL ORDER BY id";
        self.rows(query, [], |row| row.get(0)).await
    }

    async fn count_crash(&self, job_id: &str) -> Result<u32> {
        let job_id = job_id.to_owned();
        let statement = "INSERT INTO crashes (job_id, count) VALUES (?1, 1)
            ON CONFLICT (job_id) DO UPDATE SET count = count + 1 RETURNING count";
        self.write(move |connection| connection.query_row(statement, [job_id], |row| row.get(0))).await
    }
}

#[async_trait]
impl Capabilities for Embedded {
    async fn save_capability(&self, capability: &Capability) -> Result<()> {
        let rows = vec![(capability.name.clone(), to_doc(capability))];
        self.save("REPLACE INTO capabilities (name, doc) VALUES (?1, ?2)", rows).await
    }

    async fn capability(&self, name: &str) -> Result<Option<Capability>> {
        self.doc("SELECT doc FROM capabilities WHERE name = ?1", [name.to_owned()]).await
    }

    async fn capabilities(&self) -> Result<Vec<Capability>> {
        self.docs("SELECT doc FROM capabilities ORDER BY name", []).await
    }
}

fn lease(connection: &Connection, name: &str, rate: f64, want: u32, now: Timestamp) -> rusqlite::Result<Permits> {
    let state = connection
        .prepare_cached("SELECT blocked_until, arrival_us FROM budgets WHERE name = ?1")?
        .query_row([name], |row| Ok((Timestamp(row.get(0)?), row.get(1)?)))
        .optional()?;
    let (blocked_until, arrival_us) = state.unwrap_or_default();
    if blocked_until > now {
        return Ok(no_permits_until(blocked_until));
    }
    let (permits, arrival_us) = next_window(now, arrival_us, rate, want);
    let save = "INSERT INTO budgets (name, arrival_us) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET arrival_us = excluded.arrival_us";
    connection.prepare_cached(save)?.execute((name, arrival_us))?;
    Ok(permits)
}

/// Another throttled answer while the budget is blocked was asked for before the block: it counts as the same incident.
fn block(
    connection: &Connection,
    name: &str,
    until: Timestamp,
    reason: &str,
    now: Timestamp,
) -> rusqlite::Result<Budget> {
    let save = "INSERT INTO budgets (name, blocked_until, throttled, reason) VALUES (?1, ?2, 1, ?3)
        ON CONFLICT (name) DO UPDATE SET
            throttled = iif(blocked_until > ?4, max(throttled, 1), throttled + 1),
            reason = iif(blocked_until > excluded.blocked_until, reason, excluded.reason),
            blocked_until = max(blocked_until, excluded.blocked_until)
        RETURNING name, blocked_until, throttled, reason";
    connection.prepare_cached(save)?.query_row((name, until.0, reason, now.0), budget)
}

fn budget(row: &Row) -> rusqlite::Result<Budget> {
    Ok(Budget { name: row.get(0)?, blocked_until: Timestamp(row.get(1)?), throttled: row.get(2)?, reason: row.get(3)? })
}
