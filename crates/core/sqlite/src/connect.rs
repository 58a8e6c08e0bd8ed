//! Opening the file, and detecting that it was deleted.

use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Error, ErrorCode, ffi};

use crate::error::{is_busy, sqlite_error};
use crate::remedy::{DiskProbe, NOT_PERMITTED, is_disk_error, write_error};

/// How long to wait for another process's transaction. Transactions take milliseconds, unless a process was suspended.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Time between two attempts to lock the file. The lock has no queue, and SQLite's own waits grow to 100 ms: a busy process
/// gets so many turns meanwhile that the job leases of others expire.
const BUSY_RETRY_INTERVAL: Duration = Duration::from_millis(1);

/// A connection, and the identity of its file.
pub(crate) struct OpenFile {
    pub(crate) connection: Connection,
    path: PathBuf,
    file: FileIdentity,
}

/// The writing and the reading connection to a file with `schema`.
pub(crate) fn open(path: &Path, schema: &str) -> Result<(OpenFile, OpenFile), Error> {
    if path.as_os_str().is_empty() || path.as_os_str() == ":memory:" {
        let text = format!("`{}` is not a file that processes can share: name one", path.display());
        return Err(sqlite_error(ffi::SQLITE_CANTOPEN, text));
    }
    let open = |schema| OpenFile::new(path, schema).map_err(|error| explain(path, error));
    Ok((open(schema)?, open("")?))
}

impl OpenFile {
    fn new(path: &Path, schema: &str) -> Result<Self, Error> {
        let connection = connect_with_retries(path, schema)?;
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let file = identity(&path).map_err(|error| sqlite_error(ffi::SQLITE_CANTOPEN, error.to_string()))?;
        Ok(Self { connection, path, file })
    }

    /// Begins a transaction with `statement`.
    ///
    /// # Errors
    /// If the file was deleted or replaced: SQLite itself would go on writing where nobody will ever read.
    pub(crate) fn begin(&self, statement: &str) -> Result<(), Error> {
        if identity(&self.path).ok() != Some(self.file) {
            let text = format!("{} was deleted or replaced while it was in use: start again", self.path.display());
            return Err(sqlite_error(ffi::SQLITE_READONLY_DBMOVED, text));
        }
        self.connection.execute_batch(statement)
    }
}

/// Connects, retrying for up to [`BUSY_TIMEOUT`]. SQLite does not call the busy handler where waiting could be a deadlock:
/// when two processes switch a new file to WAL, or one opens the file while the last one closes it.
fn connect_with_retries(path: &Path, schema: &str) -> Result<Connection, Error> {
    let began = Instant::now();
    loop {
        match connect(path, schema) {
            Err(error) if is_busy(&error) && began.elapsed() < BUSY_TIMEOUT => thread::sleep(BUSY_RETRY_INTERVAL),
            result => return result,
        }
    }
}

fn connect(path: &Path, schema: &str) -> Result<Connection, Error> {
    let mut connection = Connection::open(path)?;
    connection.busy_handler(Some(|tries: i32| {
        thread::sleep(BUSY_RETRY_INTERVAL);
        BUSY_RETRY_INTERVAL.saturating_mul(tries.unsigned_abs()) < BUSY_TIMEOUT
    }))?;
    // WAL with NORMAL: commits survive a kill at any instruction; a power cut may lose the last ones, each as a whole.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.set_prepared_statement_cache_capacity(256);
    if !schema.is_empty() {
        connection.execute_batch(&format!("BEGIN IMMEDIATE; {schema} COMMIT;"))?;
    }
    Ok(connection)
}

/// Replaces the message by one line: which file cannot be opened, why, and what to do. An error of the disk says only why
/// and what to do, as [`crate::remedy()`] returns it. The error code stays.
fn explain(path: &Path, error: Error) -> Error {
    if is_disk_error(&error) {
        return DiskProbe::new(path).explain(error);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let why = match (error.sqlite_error_code(), folder) {
        (Some(ErrorCode::CannotOpen), Some(folder)) if !folder.is_dir() => {
            format!("there is no folder {}; create it or name another file", folder.display())
        }
        (Some(ErrorCode::CannotOpen), _) if path.is_dir() => "it is a folder; name a file".into(),
        (Some(ErrorCode::CannotOpen), _) => write_error(path).unwrap_or(NOT_PERMITTED).into(),
        (Some(ErrorCode::NotADatabase), _) => "it is not a SQLite file; name one, or a new file".into(),
        _ => error.to_string(),
    };
    let code = error.sqlite_error().map_or(ffi::SQLITE_ERROR, |error| error.extended_code);
    sqlite_error(code, format!("cannot open {}: {why}", path.display()))
}

/// Device and inode.
type FileIdentity = (u64, u64);

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<FileIdentity> {
    use std::os::unix::fs::MetadataExt;
    let found = std::fs::metadata(path)?;
    Ok((found.dev(), found.ino()))
}

/// Always the same: other systems do not allow a file in use to be deleted or replaced.
#[cfg(not(unix))]
fn identity(path: &Path) -> io::Result<FileIdentity> {
    std::fs::metadata(path).map(|_| (0, 0))
}
