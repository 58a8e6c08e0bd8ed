//! The life of a job, in SQL. Every function is one step of a transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::Timestamp;
use model::job::{Envelope, Priority};
use sqlite::rusqlite::{Connection, Error, OptionalExtension, params};

use super::lease::LeaseId;
use crate::KindStats;

/// Jobs that one claim makes ready at most, so that a million which are due at once don't hold everyone up.
const WOKEN_AT_ONCE: usize = 1_000;

/// A job on its way into the table.
pub(super) struct Message {
    kind: String,
    priority: i64,
    payload: Vec<u8>,
}

impl Message {
    /// Each into the queue of its kind.
    pub(super) fn all(jobs: &[Envelope]) -> Vec<Self> {
        jobs.iter().map(|job| Self::new(job.kind.clone(), job)).collect()
    }

    pub(super) fn new(kind: String, job: &Envelope) -> Self {
        Self { kind, priority: priority(job.priority), payload: job.to_bytes() }
    }

    /// One that is no envelope.
    pub(super) fn raw(kind: String, payload: Vec<u8>) -> Self {
        Self { kind, priority: priority(Priority::Normal), payload }
    }
}

fn priority(priority: Priority) -> i64 {
    match priority {
        Priority::High => 0,
        Priority::Normal => 1,
    }
}

/// A job that was just claimed.
pub(super) struct Row {
    pub(super) id: LeaseId,
    pub(super) kind: String,
    pub(super) lost: bool,
    pub(super) payload: Vec<u8>,
}

pub(super) fn insert(c: &Connection, messages: &[Message]) -> Result<(), Error> {
    let mut kinds = c.prepare_cached("INSERT OR IGNORE INTO job_kinds (kind) VALUES (?1)")?;
    for kind in messages.iter().map(|message| &message.kind).collect::<BTreeSet<_>>() {
        kinds.execute([kind])?;
    }
    let mut jobs = c.prepare_cached("INSERT INTO jobs (kind, priority, payload) VALUES (?1, ?2, ?3)")?;
    for message in messages {
        jobs.execute(params![message.kind, message.priority, message.payload])?;
    }
    Ok(())
}

/// Whether a claim may find something: a ready job of `kinds`, or one of any kind that is due.
pub(super) fn is_work(c: &Connection, kinds: &[String], now: Timestamp) -> Result<bool, Error> {
    let mut due = c.prepare_cached("SELECT 1 FROM jobs WHERE wakes_at <= ?1 LIMIT 1")?;
    let mut ready = c.prepare_cached("SELECT 1 FROM jobs WHERE wakes_at IS NULL AND kind = ?1 LIMIT 1")?;
    let mut found = due.exists([now.0])?;
    for kind in kinds {
        found = found || ready.exists([kind])?;
    }
    Ok(found)
}

/// Takes up to `limit` jobs of `kinds` for the length of `lease`: the high ones first, then in order of publication.
pub(super) fn claim(
    c: &Connection,
    kinds: &[String],
    limit: usize,
    lease: Duration,
    now: Timestamp,
) -> Result<Vec<Row>, Error> {
    wake(c, now)?;
    let until = now + lease;
    let mut take = c.prepare_cached(
        "UPDATE jobs SET lease = lease + 1, wakes_at = ?2, running = 1 WHERE seq = ?1
         RETURNING lease, kind, lost, payload",
    )?;
    let claimed = first_ready(c, kinds, limit)?.into_iter().map(|seq| {
        take.query_row(params![seq, until.0], |row| {
            let id = LeaseId { seq, number: row.get(0)? };
            Ok(Row { id, kind: row.get(1)?, lost: row.get(2)?, payload: row.get(3)? })
        })
    });
    claimed.collect()
}

/// Makes ready what is due: delayed jobs, and those of lost workers.
fn wake(c: &Connection, now: Timestamp) -> Result<(), Error> {
    let mut wake = c.prepare_cached(
        "UPDATE jobs SET wakes_at = NULL, lost = running, running = 0
         WHERE seq IN (SELECT seq FROM jobs WHERE wakes_at <= ?1 ORDER BY wakes_at LIMIT ?2)",
    )?;
    wake.execute(params![now.0, WOKEN_AT_ONCE as i64]).map(drop)
}

fn first_ready(c: &Connection, kinds: &[String], limit: usize) -> Result<Vec<i64>, Error> {
    let mut of_kind = c.prepare_cached(
        "SELECT priority, seq FROM jobs WHERE wakes_at IS NULL AND kind = ?1 ORDER BY priority, seq LIMIT ?2",
    )?;
    let mut first: Vec<(i64, i64)> = Vec::new();
    for kind in kinds {
        let found = of_kind.query_map(params![kind, limit as i64], |row| Ok((row.get(0)?, row.get(1)?)))?;
        first.extend(found.collect::<Result<Vec<_>, _>>()?);
    }
    first.sort_unstable();
    Ok(first.into_iter().take(limit).map(|(_, seq)| seq).collect())
}

/// Prolongs leases. One that ran out and that nobody took since is taken again: the worker was not lost, only late.
pub(super) fn renew(c: &Connection, ids: &[LeaseId], until: Timestamp) -> Result<(), Error> {
    let mut renew = c.prepare_cached(
        "UPDATE jobs SET wakes_at = ?3, lost = iif(running, lost, 0), running = 1 WHERE seq = ?1 AND lease = ?2",
    )?;
    for id in ids {
        renew.execute(params![id.seq, id.number, until.0])?;
    }
    Ok(())
}

/// Ends a lease by deleting the job; `false` when the lease is stale.
pub(super) fn delete(c: &Connection, id: LeaseId) -> Result<bool, Error> {
    let mut delete = c.prepare_cached("DELETE FROM jobs WHERE seq = ?1 AND lease = ?2")?;
    Ok(delete.execute(params![id.seq, id.number])? == 1)
}

/// Ends a lease by putting the job, as it was, behind all that wait: whoever cannot run it finds those first. `false` when
/// the lease is stale.
pub(super) fn release(c: &Connection, id: LeaseId) -> Result<bool, Error> {
    let mut take =
        c.prepare_cached("DELETE FROM jobs WHERE seq = ?1 AND lease = ?2 RETURNING kind, priority, payload")?;
    let message = take.query_row(params![id.seq, id.number], |row| {
        Ok(Message { kind: row.get(0)?, priority: row.get(1)?, payload: row.get(2)? })
    });
    let message = message.optional()?;
    insert(c, message.as_slice())?;
    Ok(message.is_some())
}

/// Ends a lease by making the job, as it was, ready at that time; `false` when the lease is stale.
///
/// It counts the lease's number up, or a renewal that is already on its way would find the job and keep it from everyone.
pub(super) fn postpone(c: &Connection, id: LeaseId, due_at: Timestamp) -> Result<bool, Error> {
    let mut postpone = c.prepare_cached(
        "UPDATE jobs SET lease = lease + 1, wakes_at = ?3, running = 0, lost = 0 WHERE seq = ?1 AND lease = ?2",
    )?;
    Ok(postpone.execute(params![id.seq, id.number, due_at.0])? == 1)
}

/// Hands back a job that nobody has asked for: it keeps its place, and that its worker was lost is still to be told.
pub(super) fn hand_back(c: &Connection, id: LeaseId) -> Result<(), Error> {
    let mut hand_back = c.prepare_cached(
        "UPDATE jobs SET lease = lease + 1, wakes_at = NULL, running = 0 WHERE seq = ?1 AND lease = ?2",
    )?;
    hand_back.execute(params![id.seq, id.number]).map(drop)
}

/// Ends a lease with another payload and a wait; the lease must be good.
pub(super) fn put_back(c: &Connection, id: LeaseId, payload: &[u8], due_at: Timestamp) -> Result<(), Error> {
    let mut put_back = c.prepare_cached(
        "UPDATE jobs SET lease = lease + 1, wakes_at = ?3, running = 0, lost = 0, payload = ?4
         WHERE seq = ?1 AND lease = ?2",
    )?;
    put_back.execute(params![id.seq, id.number, due_at.0, payload]).map(drop)
}

/// Kind and payload of a leased job; `None` when the lease is stale.
pub(super) fn leased(c: &Connection, id: LeaseId) -> Result<Option<(String, Vec<u8>)>, Error> {
    let mut leased = c.prepare_cached("SELECT kind, payload FROM jobs WHERE seq = ?1 AND lease = ?2")?;
    leased.query_row(params![id.seq, id.number], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

/// Counts by kind. Every row is looked at, in covering indexes.
pub(super) fn stats(c: &Connection, now: Timestamp) -> Result<Vec<KindStats>, Error> {
    let mut counts = c.prepare_cached(
        "SELECT kind, 'ready', 0 FROM job_kinds
         UNION ALL SELECT kind, 'ready', count(*) FROM jobs WHERE wakes_at IS NULL GROUP BY kind
         UNION ALL SELECT kind, CASE WHEN wakes_at <= ?1 THEN 'ready' WHEN running THEN 'running' ELSE 'delayed' END,
                          count(*) FROM jobs WHERE wakes_at IS NOT NULL GROUP BY 1, 2
         UNION ALL SELECT kind, 'dead', count(*) FROM dead_letters GROUP BY kind",
    )?;
    let mut stats = BTreeMap::<String, KindStats>::new();
    let mut rows = counts.query([now.0])?;
    while let Some(row) = rows.next()? {
        let (kind, state, count): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let of_kind =
            stats.entry(kind.clone()).or_insert_with(|| KindStats { kind, running: Some(0), ..KindStats::default() });
        let column = match state.as_str() {
            "ready" => &mut of_kind.ready,
            "running" => of_kind.running.get_or_insert_default(),
            "delayed" => &mut of_kind.delayed,
            _ => &mut of_kind.dead,
        };
        *column += count as u64;
    }
    Ok(stats.into_values().collect())
}
