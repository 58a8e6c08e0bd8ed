//! Errors of SQLite.

use rusqlite::{Error, ErrorCode};

/// Whether another process holds the lock.
pub fn is_busy(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// An error with this code and this message, which is one line.
pub fn sqlite_error(code: i32, text: String) -> Error {
    Error::SqliteFailure(rusqlite::ffi::Error::new(code), Some(text))
}
