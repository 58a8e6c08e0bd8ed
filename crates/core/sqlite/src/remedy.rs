//! What the caller can do about an error.

use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Error, ErrorCode, ffi};

use crate::error::sqlite_error;

/// What the caller can do about an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// Try again: the file is busy, memory is short, or the failure of another write undid the shared transaction.
    Retry,
    /// Nothing can be written until a person has fixed the disk. The text says why, and what to do.
    FixDisk(String),
    /// Nothing: it would fail again.
    GiveUp,
}

/// The remedy for an error of [`Db`](crate::Db).
pub fn remedy(error: &Error) -> Remedy {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Remedy::Retry,
        Some(ErrorCode::OutOfMemory | ErrorCode::OperationAborted) => Remedy::Retry,
        _ if is_disk_error(error) => Remedy::FixDisk(error.to_string()),
        _ => Remedy::GiveUp,
    }
}

/// Whether the disk is the reason.
pub(crate) fn is_disk_error(error: &Error) -> bool {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => true,
        Some(ErrorCode::ReadOnly) => !was_moved(error),
        _ => false,
    }
}

/// Finds out by a test write why a disk refuses writes; the answer is cached for [`PROBE_CACHE_DURATION`].
pub(crate) struct DiskProbe {
    path: PathBuf,
    cached: Mutex<Option<(Instant, Option<&'static str>)>>,
}

impl DiskProbe {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), cached: Mutex::default() }
    }

    /// Replaces the message of a disk error by the reason and what to do; other errors stay unchanged. It may write to the
    /// disk and wait for that, so call it only on the file's own threads.
    pub(crate) fn explain(&self, error: Error) -> Error {
        if !is_disk_error(&error) {
            return error;
        }
        let code = error.sqlite_error().map_or(ffi::SQLITE_IOERR, |error| error.extended_code);
        let why = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => DISK_FULL.to_owned(),
            Some(ErrorCode::ReadOnly) => self.write_error().unwrap_or(NOT_PERMITTED).to_owned(),
            _ => self.write_error().map_or_else(|| io_error(&error, code), str::to_owned),
        };
        sqlite_error(code, why)
    }

    fn write_error(&self) -> Option<&'static str> {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        match *cached {
            Some((at, write_error)) if at.elapsed() < PROBE_CACHE_DURATION => write_error,
            _ => {
                let write_error = write_error(&self.path);
                *cached = Some((Instant::now(), write_error));
                write_error
            }
        }
    }
}

/// How long the answer of a test write is used: every write that waits would ask the same.
const PROBE_CACHE_DURATION: Duration = Duration::from_secs(5);

const DISK_FULL: &str = "the disk is full: free some space";
const QUOTA_EXCEEDED: &str = "the disk quota is used up: free some space, or have it raised";
const READ_ONLY: &str = "its file system is read-only: make it writable, or use another";
pub(crate) const NOT_PERMITTED: &str = "the file or its folder is not writable: change its permissions, or use another";

/// The message of an I/O error whose reason is unknown.
fn io_error(error: &Error, code: i32) -> String {
    format!(
        "SQLite reports an I/O error: {error} (code {code}); check the health of the disk, and the limit on file sizes \
         (`ulimit -f`)"
    )
}

/// Whether the file was deleted or replaced after it was opened.
fn was_moved(error: &Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_READONLY_DBMOVED)
}

/// Why nothing can be written beside the file, if that is so: SQLite does not pass on the system's reason.
pub(crate) fn write_error(path: &Path) -> Option<&'static str> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match write_beside(folder).err()?.kind() {
        ErrorKind::StorageFull => Some(DISK_FULL),
        ErrorKind::QuotaExceeded => Some(QUOTA_EXCEEDED),
        ErrorKind::ReadOnlyFilesystem => Some(READ_ONLY),
        ErrorKind::PermissionDenied => Some(NOT_PERMITTED),
        _ => None,
    }
}

/// Writes as much as SQLite adds to a file at once, to a temporary file.
fn write_beside(folder: &Path) -> io::Result<()> {
    let mut file = tempfile::tempfile_in(folder)?;
    file.write_all(&[0; 32 * 1024])?;
    file.sync_all()
}
