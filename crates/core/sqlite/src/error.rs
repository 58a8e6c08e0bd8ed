//! Errors of SQLite.

use rusqlite::{Error, ErrorCode};

/// Whether another process is at it just now.
pub fn is_busy(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// An error of this code; the text is one line.
pub fn failure(code: i32, text: String) -> Error {
    Error::SqliteFailure(rusqlite::ffi::Error::new(code), Some(text))
}
