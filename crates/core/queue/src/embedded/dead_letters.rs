//! Dead letters, in SQL.

use model::Timestamp;
use model::job::Envelope;
use sqlite::rusqlite::{Connection, Error, OptionalExtension, Row, params};

use super::jobs::{self, NewJob};
use super::lease::LeaseId;
use crate::{DeadLetter, DeadLetterFilter};

/// Moves a leased job to the dead letters; `false` if the lease is stale.
///
/// A job that was published twice and died twice is one dead letter, the later one: the same id and kind is the same job.
pub(super) fn bury(c: &Connection, id: LeaseId, reason: &str, now: Timestamp) -> Result<bool, Error> {
    let Some((kind, payload)) = jobs::leased(c, id)? else { return Ok(false) };
    let mut letter_id = Envelope::parse(&payload).map_or_else(|_| format!("message-{}", id.seq), |job| job.id);
    let mut other_kind = c.prepare_cached("SELECT 1 FROM dead_letters WHERE id = ?1 AND kind <> ?2")?;
    while other_kind.exists([&letter_id, &kind])? {
        letter_id = format!("{letter_id}-{}", id.seq);
    }
    let mut bury = c.prepare_cached(
        "INSERT OR REPLACE INTO dead_letters (id, kind, reason, died_at, payload) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    bury.execute(params![letter_id, kind, reason, now.0, payload])?;
    jobs::delete(c, id)
}

/// Dead letters of one kind or of all, oldest first.
pub(super) fn list(c: &Connection, kind: Option<&str>) -> Result<Vec<DeadLetter>, Error> {
    let mut letters = c.prepare_cached(
        "SELECT id, kind, reason, died_at, payload FROM dead_letters WHERE ?1 IS NULL OR kind = ?1 ORDER BY seq",
    )?;
    letters.query_map([kind], letter)?.collect()
}

fn letter(row: &Row) -> Result<DeadLetter, Error> {
    let payload: Vec<u8> = row.get(4)?;
    let (key, history) = Envelope::parse(&payload).map_or_else(|_| (None, vec![]), |job| (Some(job.key), job.history));
    Ok(DeadLetter {
        id: row.get(0)?,
        kind: row.get(1)?,
        key,
        reason: row.get(2)?,
        died_at: Timestamp(row.get(3)?),
        history,
        payload: String::from_utf8_lossy(&payload).into_owned(),
    })
}

/// Keys of the chosen dead letters that exist, oldest first.
pub(super) fn choose(c: &Connection, filter: &DeadLetterFilter) -> Result<Vec<i64>, Error> {
    let mut chosen: Vec<i64> = match filter {
        DeadLetterFilter::All => {
            let mut letters = c.prepare_cached("SELECT seq FROM dead_letters")?;
            letters.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?
        }
        DeadLetterFilter::Ids(ids) => {
            let mut by_id = c.prepare_cached("SELECT seq FROM dead_letters WHERE id = ?1")?;
            let found = ids.iter().map(|id| by_id.query_row([id], |row| row.get(0)).optional());
            found.filter_map(Result::transpose).collect::<Result<_, _>>()?
        }
    };
    chosen.sort_unstable();
    chosen.dedup();
    Ok(chosen)
}

/// Puts dead letters back into their queues, with no failed attempts; returns how many still existed.
pub(super) fn requeue(c: &Connection, chosen: &[i64]) -> Result<usize, Error> {
    let mut take = c.prepare_cached("DELETE FROM dead_letters WHERE seq = ?1 RETURNING kind, payload")?;
    let mut revived = Vec::new();
    for seq in chosen {
        let letter = take.query_row([seq], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        revived.extend(letter.map(|(kind, payload)| requeued(kind, payload)));
    }
    jobs::insert(c, &revived)?;
    Ok(revived.len())
}

/// Goes to the queue that the letter died in, whatever kind its envelope names.
fn requeued(kind: String, payload: Vec<u8>) -> NewJob {
    match Envelope::parse(&payload) {
        Ok(job) => NewJob::new(kind, &Envelope { attempt: 0, history: Vec::new(), ..job }),
        Err(_) => NewJob::raw(kind, payload),
    }
}

/// Deletes dead letters; returns how many still existed.
pub(super) fn delete(c: &Connection, chosen: &[i64]) -> Result<usize, Error> {
    let mut delete = c.prepare_cached("DELETE FROM dead_letters WHERE seq = ?1")?;
    chosen.iter().map(|seq| delete.execute([seq])).sum()
}
