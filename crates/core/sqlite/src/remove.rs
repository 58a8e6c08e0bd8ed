//! Deleting a file that no process uses.

use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Error, ErrorCode, OpenFlags};

use crate::error::is_busy;

/// How long the threads of a [`Db`](crate::Db) that was just dropped may take to close their connections.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Deletes the file at `path` and the files that SQLite keeps beside it; `false` if a process has it open: then it stays.
///
/// # Errors
/// If it cannot be deleted, or if it cannot be determined whether it is in use: then it stays.
pub fn remove_unused(path: &Path) -> io::Result<bool> {
    let began = Instant::now();
    let exclusive = loop {
        match lock_exclusively(path) {
            Err(error) if is_busy(&error) && began.elapsed() < CLOSE_TIMEOUT => thread::sleep(Duration::from_millis(5)),
            Err(error) if is_busy(&error) => return Ok(false),
            Err(error) if is_unused(path, &error) => break None,
            Ok(connection) => break Some(connection),
            Err(error) => return Err(io::Error::other(format!("cannot determine whether it is in use: {error}"))),
        }
    };
    // The database last: once it is gone, another process may create a new one, with new files beside it.
    for suffix in ["-wal", "-shm", ""] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    drop(exclusive);
    Ok(true)
}

/// Whether no process can have it open: it is not a SQLite file, or does not exist.
fn is_unused(path: &Path, error: &Error) -> bool {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => true,
        Some(ErrorCode::CannotOpen) => matches!(path.try_exists(), Ok(false)),
        _ => false,
    }
}

/// A connection that excludes all others: in WAL mode every open connection holds a shared lock.
fn lock_exclusively(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(Duration::ZERO)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.execute_batch("BEGIN EXCLUSIVE")?;
    Ok(connection)
}
