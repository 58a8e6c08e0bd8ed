//! The life of a job, in SQL. Each function is one step of a transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::Timestamp;
use model::job::{Envelope, Priority};
use sqlite::rusqlite::{Connection, Error, OptionalExtension, ToSql, params};

use super::lease::LeaseId;
use crate::KindStats;

/// Delayed jobs that one claim makes ready, so that a million which are due at once do not hold up all other writers.
const MAX_WOKEN_PER_CLAIM: usize = 1_000;

/// A job to be inserted.
pub(super) struct NewJob {
    kind: String,
    priority: i64,
    run: Option<String>,
    payload: Vec<u8>,
}

/// Which jobs a subscription takes.
#[derive(Clone)]
pub(super) struct JobFilter {
    pub(super) kinds: Vec<String>,
    /// Only jobs of this run; `None`: jobs of any.
    pub(super) run: Option<String>,
}

impl NewJob {
    /// Each goes to the queue of its kind.
    pub(super) fn from_envelopes(jobs: &[Envelope]) -> Vec<Self> {
        jobs.iter().map(|job| Self::new(job.kind.clone(), job)).collect()
    }

    pub(super) fn new(kind: String, job: &Envelope) -> Self {
        Self { kind, priority: priority(job.priority), run: job.run.clone(), payload: job.to_bytes() }
    }

    /// A message that is not an envelope.
    pub(super) fn raw(kind: String, payload: Vec<u8>) -> Self {
        Self { kind, priority: priority(Priority::Normal), run: None, payload }
    }
}

fn priority(priority: Priority) -> i64 {
    match priority {
        Priority::High => 0,
        Priority::Normal => 1,
    }
}

/// A job that has just been claimed.
pub(super) struct ClaimedRow {
    pub(super) id: LeaseId,
    pub(super) kind: String,
    pub(super) lost: bool,
    pub(super) payload: Vec<u8>,
}

pub(super) fn insert(c: &Connection, messages: &[NewJob]) -> Result<(), Error> {
    let mut kinds = c.prepare_cached("INSERT OR IGNORE INTO job_kinds (kind) VALUES (?1)")?;
    for kind in messages.iter().map(|message| &message.kind).collect::<BTreeSet<_>>() {
        kinds.execute([kind])?;
    }
    let mut jobs = c.prepare_cached("INSERT INTO jobs (kind, priority, run, payload) VALUES (?1, ?2, ?3, ?4)")?;
    for message in messages {
        jobs.execute(params![message.kind, message.priority, message.run, message.payload])?;
    }
    Ok(())
}

/// Whether a claim may find something: a ready job that passes the filter, or any delayed job that is due.
pub(super) fn may_claim(c: &Connection, filter: &JobFilter, now: Timestamp) -> Result<bool, Error> {
    let mut due = c.prepare_cached("SELECT 1 FROM jobs WHERE wakes_at <= ?1 LIMIT 1")?;
    Ok(due.exists([now.0])? || !first_ready(c, filter, 1)?.is_empty())
}

/// Leases up to `limit` jobs that pass the filter, for `lease_duration`: high priority first, then in order of publication.
pub(super) fn claim(
    c: &Connection,
    filter: &JobFilter,
    limit: usize,
    lease_duration: Duration,
    now: Timestamp,
) -> Result<Vec<ClaimedRow>, Error> {
    wake(c, now)?;
    let until = now + lease_duration;
    let mut take = c.prepare_cached(
        "UPDATE jobs SET lease = lease + 1, wakes_at = ?2, running = 1 WHERE seq = ?1
         RETURNING lease, kind, lost, payload",
    )?;
    let claimed = first_ready(c, filter, limit)?.into_iter().map(|seq| {
        take.query_row(params![seq, until.0], |row| {
            let id = LeaseId { seq, number: row.get(0)? };
            Ok(ClaimedRow { id, kind: row.get(1)?, lost: row.get(2)?, payload: row.get(3)? })
        })
    });
    claimed.collect()
}

/// Makes ready what is due: delayed jobs, and jobs of lost workers.
fn wake(c: &Connection, now: Timestamp) -> Result<(), Error> {
    let mut wake = c.prepare_cached(
        "UPDATE jobs SET wakes_at = NULL, lost = running, running = 0
         WHERE seq IN (SELECT seq FROM jobs WHERE wakes_at <= ?1 ORDER BY wakes_at LIMIT ?2)",
    )?;
    wake.execute(params![now.0, MAX_WOKEN_PER_CLAIM as i64]).map(drop)
}

fn first_ready(c: &Connection, JobFilter { kinds, run }: &JobFilter, limit: usize) -> Result<Vec<i64>, Error> {
    // With the index on runs, or a million jobs of other runs would be scanned.
    let mut ready = c.prepare_cached(match run {
        None => "SELECT priority, seq FROM jobs WHERE wakes_at IS NULL AND kind = ?1 ORDER BY priority, seq LIMIT ?2",
        Some(_) => {
            "SELECT priority, seq FROM jobs INDEXED BY jobs_of_run
             WHERE wakes_at IS NULL AND kind = ?1 AND run = ?3 ORDER BY priority, seq LIMIT ?2"
        }
    })?;
    let mut first: Vec<(i64, i64)> = Vec::new();
    for kind in kinds {
        let limit = limit as i64;
        let mut bound: Vec<&dyn ToSql> = vec![kind, &limit];
        bound.extend(run.iter().map(|run| run as &dyn ToSql));
        let found = ready.query_map(&*bound, |row| Ok((row.get(0)?, row.get(1)?)))?;
        first.extend(found.collect::<Result<Vec<_>, _>>()?);
    }
    first.sort_unstable();
    Ok(first.into_iter().take(limit).map(|(_, seq)| seq).collect())
}

/// Renews leases. One that has expired and that nobody has claimed since is taken again: the worker was late, not lost.
pub(super) fn renew(c: &Connection, ids: &[LeaseId], until: Timestamp) -> Result<(), Error> {
    let mut renew = c.prepare_cached(
        "UPDATE jobs SET wakes_at = ?3, lost = iif(running, lost, 0), running = 1 WHERE seq = ?1 AND lease = ?2",
    )?;
    for id in ids {
        renew.execute(params![id.seq, id.number, until.0])?;
    }
    Ok(())
}

/// Deletes a leased job; `false` if the lease is stale.
pub(super) fn delete(c: &Connection, id: LeaseId) -> Result<bool, Error> {
    let mut delete = c.prepare_cached("DELETE FROM jobs WHERE seq = ?1 AND lease = ?2")?;
    Ok(delete.execute(params![id.seq, id.number])? == 1)
}

/// Puts a leased job back unchanged, at the end of its queue: a worker that cannot run it finds the others first. `false`
/// if the lease is stale.
pub(super) fn release(c: &Connection, id: LeaseId) -> Result<bool, Error> {
    let mut take =
        c.prepare_cached("DELETE FROM jobs WHERE seq = ?1 AND lease = ?2 RETURNING kind, priority, run, payload")?;
    let message = take.query_row(params![id.seq, id.number], |row| {
        Ok(NewJob { kind: row.get(0)?, priority: row.get(1)?, run: row.get(2)?, payload: row.get(3)? })
    });
    let message = message.optional()?;
    insert(c, message.as_slice())?;
    Ok(message.is_some())
}

/// Puts a leased job back unchanged, to be ready at `due_at`; `false` if the lease is stale.
///
/// Increments the lease's number, or a renewal that is already on its way would find the job and withhold it from everyone.
pub(super) fn postpone(c: &Connection, id: LeaseId, due_at: Timestamp) -> Result<bool, Error> {
    let mut postpone = c.prepare_cached(
        "UPDATE jobs SET lease = lease + 1, wakes_at = ?3, running = 0, lost = 0 WHERE seq = ?1 AND lease = ?2",
    )?;
    Ok(postpone.execute(params![id.seq, id.number, due_at.0])? == 1)
}

/// Hands back a job that nobody has asked for: it keeps its place in the queue, and its next delivery still reports a lost
/// worker.
pub(super) fn hand_back(c: &Connection, id: LeaseId) -> Result<(), Error> {
    let mut hand_back = c.prepare_cached(
        "UPDATE jobs SET lease = lease + 1, wakes_at = NULL, running = 0 WHERE seq = ?1 AND lease = ?2",
    )?;
    hand_back.execute(params![id.seq, id.number]).map(drop)
}

/// Puts a leased job back with another payload, to be ready at `due_at`. The lease must not be stale.
pub(super) fn put_back(c: &Connection, id: LeaseId, payload: &[u8], due_at: Timestamp) -> Result<(), Error> {
    let mut put_back = c.prepare_cached(
        "UPDATE jobs SET lease = lease + 1, wakes_at = ?3, running = 0, lost = 0, payload = ?4
         WHERE seq = ?1 AND lease = ?2",
    )?;
    put_back.execute(params![id.seq, id.number, due_at.0, payload]).map(drop)
}

/// Kind and payload of a leased job; `None` if the lease is stale.
pub(super) fn leased(c: &Connection, id: LeaseId) -> Result<Option<(String, Vec<u8>)>, Error> {
    let mut leased = c.prepare_cached("SELECT kind, payload FROM jobs WHERE seq = ?1 AND lease = ?2")?;
    leased.query_row(params![id.seq, id.number], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

/// Deletes up to `limit` jobs of a run that nobody has leased; returns how many there were.
pub(super) fn delete_of_run(c: &Connection, run: &str, limit: usize, now: Timestamp) -> Result<usize, Error> {
    let mut delete = c.prepare_cached(
        "DELETE FROM jobs WHERE seq IN (
             SELECT seq FROM jobs INDEXED BY jobs_of_run WHERE run = ?1 AND NOT (running AND wakes_at > ?3) LIMIT ?2
         )",
    )?;
    delete.execute(params![run, limit as i64, now.0])
}

/// Counts by kind, of all jobs or of a run's. Costs a scan of the indexes.
pub(super) fn stats(c: &Connection, run: Option<&str>, now: Timestamp) -> Result<Vec<KindStats>, Error> {
    let (index, run_condition) = match run {
        None => ("", ""),
        Some(_) => ("INDEXED BY jobs_of_run", "AND run = ?2"),
    };
    let mut counts = c.prepare_cached(&format!(
        "SELECT kind, 'ready', 0 FROM job_kinds
         UNION ALL SELECT kind, 'ready', count(*) FROM jobs {index} WHERE wakes_at IS NULL {run_condition} GROUP BY kind
         UNION ALL SELECT kind, CASE WHEN wakes_at <= ?1 THEN 'ready' WHEN running THEN 'running' ELSE 'delayed' END,
                          count(*) FROM jobs {index} WHERE wakes_at IS NOT NULL {run_condition} GROUP BY 1, 2
         UNION ALL SELECT kind, 'dead', count(*) FROM dead_letters GROUP BY kind",
    ))?;
    let mut bound: Vec<&dyn ToSql> = vec![&now.0];
    bound.extend(run.iter().map(|run| run as &dyn ToSql));
    let mut stats = BTreeMap::<String, KindStats>::new();
    let mut rows = counts.query(&*bound)?;
    while let Some(row) = rows.next()? {
        let (kind, state, count): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let kind_stats =
            stats.entry(kind.clone()).or_insert_with(|| KindStats { kind, running: Some(0), ..KindStats::default() });
        let column = match state.as_str() {
            "ready" => &mut kind_stats.ready,
            "running" => kind_stats.running.get_or_insert_default(),
            "delayed" => &mut kind_stats.delayed,
            _ => &mut kind_stats.dead,
        };
        *column += count as u64;
    }
    Ok(stats.into_values().collect())
}
