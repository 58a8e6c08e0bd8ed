//! The writing and the reading thread of a file.

use std::iter;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Error, ffi};

use crate::connect::Attached;
use crate::error::failure;

/// Writes that share one transaction at most.
const GROUP: usize = 512;

/// How long a transaction takes in further writes: other processes wait for its end.
const GROUP_TIME: Duration = Duration::from_millis(10);

/// Given a connection in a transaction it works; given why there is none it only answers. Says what is to become of what
/// it wrote, and how to answer after the commit.
pub(crate) type Work = Box<dyn FnOnce(Result<&Connection, &Error>) -> (Verdict, Answer) + Send>;
pub(crate) type Answer = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// What is to become of what a piece of work wrote.
pub(crate) enum Verdict {
    Keep,
    Undo,
    /// The disk did not take it, with this error.
    UndoForDisk(Error),
}

pub(crate) fn serve_reads(file: &Attached, reads: &Receiver<Work>) {
    while let Ok(work) = reads.recv() {
        let began = file.begin("BEGIN");
        let (_, answer) = work(began.as_ref().map(|()| &file.connection));
        // It wrote nothing; where there was no transaction, or an error ended it, there is nothing to end.
        let _ = file.connection.execute_batch("ROLLBACK");
        answer(Ok(()));
    }
}

pub(crate) fn serve_writes(file: &Attached, writes: &Receiver<Work>) {
    while let Ok(first) = writes.recv() {
        commit_together(file, first, writes);
    }
}

/// One transaction for `first` and what else is there; answers come after its commit.
fn commit_together(file: &Attached, first: Work, writes: &Receiver<Work>) {
    let connection = &file.connection;
    // IMMEDIATE: a transaction that starts as a reader cannot wait for its turn to write, it fails with SQLITE_BUSY.
    let mut state = file.begin("BEGIN IMMEDIATE");
    // From here on others wait. What it took to get here was waiting for them, and the longer that was, the more is there.
    let began = Instant::now();
    let more = iter::from_fn(|| if began.elapsed() < GROUP_TIME { writes.try_recv().ok() } else { None });
    let mut answers = Vec::new();
    for work in iter::once(first).chain(more).take(GROUP) {
        answers.push(apply(connection, work, &mut state));
    }
    let committed = state.and_then(|()| connection.execute_batch("COMMIT"));
    if !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    for answer in answers {
        answer(committed.as_ref().copied().map_err(again));
    }
}

/// Runs one piece of work in a savepoint of its own, as long as the transaction is good.
fn apply(connection: &Connection, work: Work, state: &mut Result<(), Error>) -> Answer {
    if state.is_ok() {
        *state = connection.execute_batch("SAVEPOINT one");
    }
    let (verdict, answer) = work(state.as_ref().map(|()| connection));
    if state.is_ok() {
        // A full disk and its like end the whole transaction: what follows would be committed one by one, and what went
        // before is undone. The disk is everyone's reason.
        *state = match (connection.is_autocommit(), verdict) {
            (true, Verdict::UndoForDisk(error)) => Err(error),
            (true, _) => Err(failure(ffi::SQLITE_ABORT, "the transaction was undone by an error in it".into())),
            (false, Verdict::Keep) => connection.execute_batch("RELEASE one"),
            (false, _) => connection.execute_batch("ROLLBACK TO one; RELEASE one"),
        };
    }
    answer
}

/// `rusqlite::Error` is not `Clone`; what a caller needs of a failed commit is its code and its text.
pub(crate) fn again(error: &Error) -> Error {
    failure(error.sqlite_error().map_or(ffi::SQLITE_ERROR, |error| error.extended_code), error.to_string())
}
