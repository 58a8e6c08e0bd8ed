//! The writing and the reading thread of a file.

use std::iter;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Error, ffi};

use crate::connect::OpenFile;
use crate::error::sqlite_error;

/// Most writes that share one transaction.
const MAX_GROUP_WRITES: usize = 512;

/// How long a transaction accepts further writes: other processes wait for its end.
const MAX_GROUP_DURATION: Duration = Duration::from_millis(10);

/// A piece of work. It is given a connection with a transaction, or the error of beginning one. It returns what is to become
/// of its writes, and a function that answers its caller after the commit.
pub(crate) type Work = Box<dyn FnOnce(Result<&Connection, &Error>) -> (Disposition, Answer) + Send>;
pub(crate) type Answer = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// What is to become of the writes of a piece of work.
pub(crate) enum Disposition {
    Commit,
    RollBack,
    /// The disk refused them, with this error.
    RollBackForDisk(Error),
}

pub(crate) fn serve_reads(file: &OpenFile, reads: &Receiver<Work>) {
    while let Ok(work) = reads.recv() {
        let began = file.begin("BEGIN");
        let (_, answer) = work(began.as_ref().map(|()| &file.connection));
        // Fails harmlessly if there was no transaction, or if an error has ended it.
        let _ = file.connection.execute_batch("ROLLBACK");
        answer(Ok(()));
    }
}

pub(crate) fn serve_writes(file: &OpenFile, writes: &Receiver<Work>) {
    while let Ok(first) = writes.recv() {
        commit_together(file, first, writes);
    }
}

/// One transaction for `first` and all other writes that wait; callers are answered after its commit.
fn commit_together(file: &OpenFile, first: Work, writes: &Receiver<Work>) {
    let connection = &file.connection;
    // IMMEDIATE: a transaction that starts as a reader cannot wait for the write lock, it fails with SQLITE_BUSY.
    let mut state = file.begin("BEGIN IMMEDIATE");
    // From here on other processes wait for us. The longer we waited for them, the more writes have accumulated.
    let began = Instant::now();
    let more = iter::from_fn(|| if began.elapsed() < MAX_GROUP_DURATION { writes.try_recv().ok() } else { None });
    let mut answers = Vec::new();
    for work in iter::once(first).chain(more).take(MAX_GROUP_WRITES) {
        answers.push(apply(connection, work, &mut state));
    }
    let committed = state.and_then(|()| connection.execute_batch("COMMIT"));
    if !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    for answer in answers {
        answer(committed.as_ref().copied().map_err(clone_error));
    }
}

/// Runs one piece of work in a savepoint of its own, unless the transaction has failed.
fn apply(connection: &Connection, work: Work, state: &mut Result<(), Error>) -> Answer {
    if state.is_ok() {
        *state = connection.execute_batch("SAVEPOINT one");
    }
    let (disposition, answer) = work(state.as_ref().map(|()| connection));
    if state.is_ok() {
        // Errors like a full disk end the whole transaction: earlier writes are undone, and later ones would be committed
        // one by one. All of them fail for the disk's reason.
        *state = match (connection.is_autocommit(), disposition) {
            (true, Disposition::RollBackForDisk(error)) => Err(error),
            (true, _) => Err(sqlite_error(
                ffi::SQLITE_ABORT,
                "the transaction was undone by the failure of another write".into(),
            )),
            (false, Disposition::Commit) => connection.execute_batch("RELEASE one"),
            (false, _) => connection.execute_batch("ROLLBACK TO one; RELEASE one"),
        };
    }
    answer
}

/// `rusqlite::Error` is not `Clone`; callers need only the code and the message.
pub(crate) fn clone_error(error: &Error) -> Error {
    sqlite_error(error.sqlite_error().map_or(ffi::SQLITE_ERROR, |error| error.extended_code), error.to_string())
}
