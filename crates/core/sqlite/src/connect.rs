//! Opening the file, and noticing that it is gone.

use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Error, ErrorCode, ffi};

use crate::error::{failure, is_busy};
use crate::remedy::{Disk, NOT_ALLOWED, is_of_disk, refusal};

/// How long a process waits for another one's transaction. Transactions last milliseconds; this is for a stopped machine.
const BUSY: Duration = Duration::from_secs(30);

/// Between two tries for the lock, which has no queue. SQLite's own waits grow to 100 ms, in which a busy process takes so
/// many turns that the others' leases run out.
const TRY_AGAIN: Duration = Duration::from_millis(1);

/// A connection, and the file that it was made to.
pub(crate) struct Attached {
    pub(crate) connection: Connection,
    path: PathBuf,
    file: Identity,
}

/// The writing and the reading connection to a file with `schema`.
pub(crate) fn open(path: &Path, schema: &str) -> Result<(Attached, Attached), Error> {
    if path.as_os_str().is_empty() || path.as_os_str() == ":memory:" {
        let text = format!("`{}` is no file that processes can share: name one", path.display());
        return Err(failure(ffi::SQLITE_CANTOPEN, text));
    }
    let attach = |schema| Attached::new(path, schema).map_err(|error| explain(path, error));
    Ok((attach(schema)?, attach("")?))
}

impl Attached {
    fn new(path: &Path, schema: &str) -> Result<Self, Error> {
        let connection = connect_patiently(path, schema)?;
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let file = identity(&path).map_err(|error| failure(ffi::SQLITE_CANTOPEN, error.to_string()))?;
        Ok(Self { connection, path, file })
    }

    /// Begins a transaction. SQLite goes on writing to a file that was deleted, where nobody will ever read it: that is
    /// an error here.
    pub(crate) fn begin(&self, statement: &str) -> Result<(), Error> {
        if identity(&self.path).ok() != Some(self.file) {
            let text = format!("{} was deleted or replaced while it was in use: start again", self.path.display());
            return Err(failure(ffi::SQLITE_READONLY_DBMOVED, text));
        }
        self.connection.execute_batch(statement)
    }
}

/// Tries until [`BUSY`] is over: SQLite does not call the busy handler where a wait could be a deadlock, and two
/// processes that switch a new file to WAL, or one that opens while the last one closes, is such a case.
fn connect_patiently(path: &Path, schema: &str) -> Result<Connection, Error> {
    let began = Instant::now();
    loop {
        match connect(path, schema) {
            Err(error) if is_busy(&error) && began.elapsed() < BUSY => thread::sleep(TRY_AGAIN),
            result => return result,
        }
    }
}

fn connect(path: &Path, schema: &str) -> Result<Connection, Error> {
    let mut connection = Connection::open(path)?;
    connection.busy_handler(Some(|tries: i32| {
        thread::sleep(TRY_AGAIN);
        TRY_AGAIN.saturating_mul(tries.unsigned_abs()) < BUSY
    }))?;
    // WAL with NORMAL: a commit survives a kill at any instruction; a power cut may take the last ones, all or nothing.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.set_prepared_statement_cache_capacity(256);
    if !schema.is_empty() {
        connection.execute_batch(&format!("BEGIN IMMEDIATE; {schema} COMMIT;"))?;
    }
    Ok(connection)
}

/// One line: what, where, why, what to do; of a disk that refuses it only why and what to do, as [`crate::remedy()`] tells
/// it. The code stays.
fn explain(path: &Path, error: Error) -> Error {
    if is_of_disk(&error) {
        return Disk::of(path).explain(error);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let why = match (error.sqlite_error_code(), folder) {
        (Some(ErrorCode::CannotOpen), Some(folder)) if !folder.is_dir() => {
            format!("there is no folder {}; create it or name another file", folder.display())
        }
        (Some(ErrorCode::CannotOpen), _) if path.is_dir() => "it is a folder; name a file".into(),
        (Some(ErrorCode::CannotOpen), _) => refusal(path).unwrap_or(NOT_ALLOWED).into(),
        (Some(ErrorCode::NotADatabase), _) => "it is no SQLite file; name one, or a new file".into(),
        _ => error.to_string(),
    };
    let code = error.sqlite_error().map_or(ffi::SQLITE_ERROR, |error| error.extended_code);
    failure(code, format!("cannot open {}: {why}", path.display()))
}

/// Device and inode.
#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;
    let found = std::fs::metadata(path)?;
    Ok((found.dev(), found.ino()))
}

/// Elsewhere a file in use can be neither deleted nor replaced.
#[cfg(not(unix))]
type Identity = ();

#[cfg(not(unix))]
fn identity(path: &Path) -> io::Result<Identity> {
    std::fs::metadata(path).map(drop)
}
