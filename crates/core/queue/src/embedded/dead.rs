//! Dead letters, in SQL.

use model::Timestamp;
use model::job::Envelope;
use sqlite::rusqlite::{Connection, Error, OptionalExtension, Row, params};

use super::jobs::{self, Message};
use super::lease::LeaseId;
use crate::{DeadLetter, DeadLetterFilter};

/// Ends a lease by moving the job to the dead letters; `false` when the lease is stale.
///
/// A job that was published twice and died twice is one dead letter, the later one: equal ids of a kind are one job.
pub(super) fn bury(c: &Connection, id: LeaseId, reason: &str, now: Timestamp) -> Result<bool, Error> {
    let Some((kind, payload)) = jobs::leased(c, id)? else { return Ok(false) };
    let mut name = Envelope::parse(&payload).map_or_else(|_| format!("message-{}", id.seq), |job| job.id);
    let mut of_another_kind = c.prepare_cached("SELECT 1 FROM dead_letters WHERE id = ?1 AND kind <> ?2")?;
    while of_another_kind.exists([&name, &kind])? {
        name = format!("{name}-{}", id.seq);
    }
    let mut bury = c.prepare_cached(
        "INSERT OR REPLACE INTO dead_letters (id, kind, reason, died_at, payload) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    bury.execute(params![name, kind, reason, now.0, payload])?;
    jobs::delete(c, id)
}

/// Oldest first.
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

/// The chosen ones that there are, oldest first.
pub(super) fn choose(c: &Connection, which: &DeadLetterFilter) -> Result<Vec<i64>, Error> {
    let mut chosen: Vec<i64> = match which {
        DeadLetterFilter::All => {
            let mut all = c.prepare_cached("SELECT seq FROM dead_letters")?;
            all.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?
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

/// Makes jobs of the dead again, with nothing counted against them; returns how many were still there.
pub(super) fn revive(c: &Connection, chosen: &[i64]) -> Result<usize, Error> {
    let mut take = c.prepare_cached("DELETE FROM dead_letters WHERE seq = ?1 RETURNING kind, payload")?;
    let mut messages = Vec::new();
    for seq in chosen {
        let letter = take.query_row([seq], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        messages.extend(letter.map(|(kind, payload)| anew(kind, payload)));
    }
    jobs::insert(c, &messages)?;
    Ok(messages.len())
}

/// For the queue it died in, whatever its envelope says.
fn anew(kind: String, payload: Vec<u8>) -> Message {
    match Envelope::parse(&payload) {
        Ok(job) => Message::new(kind, &Envelope { attempt: 0, history: Vec::new(), ..job }),
        Err(_) => Message::raw(kind, payload),
    }
}

/// Deletes dead letters; returns how many were still there.
pub(super) fn delete(c: &Connection, chosen: &[i64]) -> Result<usize, Error> {
    let mut delete = c.prepare_cached("DELETE FROM dead_letters WHERE seq = ?1")?;
    chosen.iter().map(|seq| delete.execute([seq])).sum()
}
