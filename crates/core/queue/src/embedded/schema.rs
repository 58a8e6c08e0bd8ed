//! The tables.
//!
//! A job is *ready* while `wakes_at` is null. Otherwise it becomes ready at that time: a delayed job when it is due, a
//! running one when its lease expires. So one column holds all times, and each partial index holds only the jobs that it
//! is queried for: claiming is O(log n) among a million ready, delayed or dead jobs.

use sqlite::rusqlite::{Connection, Error};

/// Idempotent.
pub(super) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS jobs (
        seq      INTEGER PRIMARY KEY AUTOINCREMENT, -- order of publication; never reused: stale leases refer to it
        kind     TEXT    NOT NULL,
        priority INTEGER NOT NULL,                  -- 0 high, 1 normal
        lease    INTEGER NOT NULL DEFAULT 0,        -- number of the latest lease; older numbers are stale
        wakes_at INTEGER,                           -- ms since the epoch
        running  INTEGER NOT NULL DEFAULT 0,        -- 1: leased until wakes_at
        lost     INTEGER NOT NULL DEFAULT 0,        -- 1: the worker that had it was lost
        payload  BLOB    NOT NULL                   -- the envelope, or whatever was published
    );
    CREATE INDEX IF NOT EXISTS jobs_ready ON jobs (kind, priority) WHERE wakes_at IS NULL;
    CREATE INDEX IF NOT EXISTS jobs_waking ON jobs (wakes_at, running, kind) WHERE wakes_at IS NOT NULL;
    CREATE TABLE IF NOT EXISTS job_kinds (kind TEXT PRIMARY KEY) WITHOUT ROWID; -- every kind that ever had a job
    CREATE TABLE IF NOT EXISTS dead_letters (
        seq     INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of death
        id      TEXT    NOT NULL UNIQUE,
        kind    TEXT    NOT NULL,
        reason  TEXT    NOT NULL,
        died_at INTEGER NOT NULL,                   -- ms since the epoch
        payload BLOB    NOT NULL
    );
    CREATE INDEX IF NOT EXISTS dead_letters_kind ON dead_letters (kind);
";

/// Adds the run that a job belongs to, which files of earlier versions lack. Idempotent.
pub(super) fn add_runs(c: &Connection) -> Result<(), Error> {
    let has_runs = "SELECT count(*) FROM pragma_table_info('jobs') WHERE name = 'run'";
    if c.query_row(has_runs, [], |row| row.get::<_, i64>(0))? == 0 {
        c.execute_batch(
            "ALTER TABLE jobs ADD COLUMN run TEXT;
             UPDATE jobs SET run = json_extract(CAST(payload AS TEXT), '$.run') WHERE json_valid(CAST(payload AS TEXT));",
        )?;
    }
    c.execute_batch(
        // The trigger is for older programs on the same file, which do not set `run`.
        "CREATE INDEX IF NOT EXISTS jobs_of_run ON jobs (run, kind, wakes_at, priority) WHERE run IS NOT NULL;
         CREATE TRIGGER IF NOT EXISTS jobs_of_older AFTER INSERT ON jobs
         WHEN new.run IS NULL AND instr(new.payload, CAST('\"run\":' AS BLOB)) AND json_valid(CAST(new.payload AS TEXT))
         BEGIN
             UPDATE jobs SET run = json_extract(CAST(new.payload AS TEXT), '$.run') WHERE seq = new.seq;
         END",
    )
}
