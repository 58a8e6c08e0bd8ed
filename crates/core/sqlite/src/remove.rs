//! Deleting a file that nobody uses.

use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Error, ErrorCode, OpenFlags};

use crate::error::is_busy;

/// A connection of this process that was just dropped is closed by its threads within this time.
const CLOSING: Duration = Duration::from_secs(2);

/// Deletes the file at `path` and what SQLite keeps beside it; `false`: another process has it open, and it stays.
///
/// # Errors
/// When it cannot be deleted, or cannot be examined: it may be somebody's then, and stays.
pub fn remove_unused(path: &Path) -> io::Result<bool> {
    let began = Instant::now();
    let alone = loop {
        match take_alone(path) {
            Err(error) if is_busy(&error) && began.elapsed() < CLOSING => thread::sleep(Duration::from_millis(5)),
            Err(error) if is_busy(&error) => return Ok(false),
            Err(error) if is_nobodys(path, &error) => break None,
            Ok(connection) => break Some(connection),
            Err(error) => return Err(io::Error::other(format!("nobody can tell whether it is in use: {error}"))),
        }
    };
    // The file last: as soon as it is gone another process may make a new one, with these beside it.
    for suffix in ["-wal", "-shm", ""] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    drop(alone);
    Ok(true)
}

/// No SQLite file, or none at all.
fn is_nobodys(path: &Path, error: &Error) -> bool {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => true,
        Some(ErrorCode::CannotOpen) => matches!(path.try_exists(), Ok(false)),
        _ => false,
    }
}

/// A connection that keeps all others out. In WAL mode each of them holds a shared lock for as long as it is open.
fn take_alone(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(Duration::ZERO)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.execute_batch("BEGIN EXCLUSIVE")?;
    Ok(connection)
}
