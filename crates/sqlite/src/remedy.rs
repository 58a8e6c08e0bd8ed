//! What is to be done about an error.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

use rusqlite::{Error, ErrorCode, ffi};

/// What an error asks of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Call again: the file is busy, the machine is short of memory, or an error of another write undid the transaction
    /// that both were in.
    Retry,
    /// Nothing can be written until a person has seen to the disk: why, and what to do, in plain words.
    SeeToDisk(&'static str),
    /// Nothing: it would fail again.
    GiveUp,
}

/// The remedy for an error of the file at `path`.
pub fn remedy(error: &Error, path: &Path) -> Remedy {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Remedy::Retry,
        Some(ErrorCode::OutOfMemory | ErrorCode::OperationAborted) => Remedy::Retry,
        Some(ErrorCode::DiskFull) => Remedy::SeeToDisk(FULL),
        Some(ErrorCode::SystemIoFailure) => Remedy::SeeToDisk(refusal(path).unwrap_or(REFUSED)),
        Some(ErrorCode::ReadOnly) if !was_moved(error) => Remedy::SeeToDisk(refusal(path).unwrap_or(NOT_ALLOWED)),
        _ => Remedy::GiveUp,
    }
}

/// Whether the disk is the reason, whichever file it is.
pub(crate) fn is_of_disk(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::ReadOnly))
}

const FULL: &str = "the disk is full: free some space";
const QUOTA: &str = "the disk quota is used up: free some space, or have it raised";
const READ_ONLY: &str = "its file system is read-only: make it writable, or use another";
pub(crate) const NOT_ALLOWED: &str = "it or its folder may not be written to: allow it, or use another";
const REFUSED: &str = "the system refuses it: see to the limit of file sizes (`ulimit -f`) and the health of the disk";

/// The file is not what it was when it was opened.
fn was_moved(error: &Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_READONLY_DBMOVED)
}

/// Why nothing can be written beside the file. SQLite keeps the system's reason to itself.
pub(crate) fn refusal(path: &Path) -> Option<&'static str> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match write_beside(folder).err()?.kind() {
        ErrorKind::StorageFull => Some(FULL),
        ErrorKind::QuotaExceeded => Some(QUOTA),
        ErrorKind::ReadOnlyFilesystem => Some(READ_ONLY),
        ErrorKind::PermissionDenied => Some(NOT_ALLOWED),
        _ => None,
    }
}

/// As much as SQLite adds to a file at once, in a file that goes with its handle.
fn write_beside(folder: &Path) -> io::Result<()> {
    let mut file = tempfile::tempfile_in(folder)?;
    file.write_all(&[0; 32 * 1024])?;
    file.sync_all()
}
