//! What is to be done about an error.

use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Error, ErrorCode, ffi};

use crate::error::failure;

/// What an error asks of the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// Call again: the file is busy, the machine is short of memory, or an error of another write undid the transaction
    /// that both were in.
    Retry,
    /// Nothing can be written until a person has seen to the disk: why, and what to do, in plain words.
    SeeToDisk(String),
    /// Nothing: it would fail again.
    GiveUp,
}

/// The remedy for an error of [`Db`](crate::Db).
pub fn remedy(error: &Error) -> Remedy {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Remedy::Retry,
        Some(ErrorCode::OutOfMemory | ErrorCode::OperationAborted) => Remedy::Retry,
        _ if is_of_disk(error) => Remedy::SeeToDisk(error.to_string()),
        _ => Remedy::GiveUp,
    }
}

/// Whether the disk is the reason, whichever file it is.
pub(crate) fn is_of_disk(error: &Error) -> bool {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => true,
        Some(ErrorCode::ReadOnly) => !was_moved(error),
        _ => false,
    }
}

/// What the disk of a file refuses, found out by a try and believed for a while.
pub(crate) struct Disk {
    path: PathBuf,
    known: Mutex<Option<(Instant, Option<&'static str>)>>,
}

impl Disk {
    pub(crate) fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), known: Mutex::default() }
    }

    /// An error of the disk says why and what to do, in plain words; any other is left as it is. It may write to the disk
    /// and wait for it: for the file's own threads.
    pub(crate) fn explain(&self, error: Error) -> Error {
        if !is_of_disk(&error) {
            return error;
        }
        let code = error.sqlite_error().map_or(ffi::SQLITE_IOERR, |error| error.extended_code);
        let why = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => FULL.to_owned(),
            Some(ErrorCode::ReadOnly) => self.refusal().unwrap_or(NOT_ALLOWED).to_owned(),
            _ => self.refusal().map_or_else(|| io_error(&error, code), str::to_owned),
        };
        failure(code, why)
    }

    fn refusal(&self) -> Option<&'static str> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match *known {
            Some((at, refusal)) if at.elapsed() < BELIEVED => refusal,
            _ => {
                let refusal = refusal(&self.path);
                *known = Some((Instant::now(), refusal));
                refusal
            }
        }
    }
}

/// How long the answer to a try is believed.
const BELIEVED: Duration = Duration::from_secs(5);

const FULL: &str = "the disk is full: free some space";
const QUOTA: &str = "the disk quota is used up: free some space, or have it raised";
const READ_ONLY: &str = "its file system is read-only: make it writable, or use another";
pub(crate) const NOT_ALLOWED: &str = "it or its folder may not be written to: allow it, or use another";

/// The system's reason is not known.
fn io_error(error: &Error, code: i32) -> String {
    format!(
        "an I/O error, of which SQLite says: {error} (code {code}); see to the health of the disk, and to the limit of file \
         sizes (`ulimit -f`)"
    )
}

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
