#![doc = include_str!("../README.md")]

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

pub use rusqlite;
use rusqlite::{Connection, Error, ErrorCode};
use tokio::sync::oneshot;

/// Writes that share one transaction at most.
const GROUP: usize = 512;

/// How long a process waits for another one's transaction. Transactions last milliseconds; this is for a stopped machine.
const BUSY: Duration = Duration::from_secs(30);

type Answer = Box<dyn FnOnce(Result<(), Error>) + Send>;
/// Given a connection in a transaction it works; given why there is none it only answers.
type Work = Box<dyn FnOnce(Result<&Connection, &Error>) -> (bool, Answer) + Send>;

/// A handle to one file; clones share its threads, which end with the last one.
#[derive(Clone)]
pub struct Db {
    writer: Sender<Work>,
    reader: Sender<Work>,
    path: PathBuf,
}

impl Db {
    /// Opens or creates the file and applies `schema` (idempotent statements).
    pub async fn open(path: impl AsRef<Path>, schema: &'static str) -> Result<Self, Error> {
        let path = path.as_ref().to_owned();
        let (opened, answer) = oneshot::channel();
        let file = path.clone();
        std::thread::spawn(move || {
            let connections = connect(&file, schema).and_then(|writer| Ok((writer, connect(&file, "")?)));
            let _ = opened.send(connections);
        });
        let (writing, reading) = answer.await.map_err(|_| closed())??;
        let (writer, writes) = channel();
        let (reader, reads) = channel();
        std::thread::spawn(move || serve_writes(&writing, &writes));
        std::thread::spawn(move || serve_reads(&reading, &reads));
        Ok(Self { writer, reader, path })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` in a write transaction and returns after its commit. An error of `work` undoes it alone.
    pub async fn write<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        send(&self.writer, work).await
    }

    /// Runs `work` on a snapshot.
    pub async fn read<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        send(&self.reader, work).await
    }
}

/// Whether the same call may succeed later.
pub fn is_transient(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn closed() -> Error {
    Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_MISUSE), Some("the file is closed".into()))
}

fn connect(path: &Path, schema: &str) -> Result<Connection, Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    // WAL with NORMAL: a commit survives a kill at any instruction; a power cut may take the last ones, all or nothing.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.set_prepared_statement_cache_capacity(256);
    if !schema.is_empty() {
        connection.execute_batch(&format!("BEGIN IMMEDIATE; {schema} COMMIT;"))?;
    }
    Ok(connection)
}

async fn send<T, F>(to: &Sender<Work>, work: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
{
    let (sender, answer) = oneshot::channel();
    let work: Work = Box::new(move |connection| {
        let result = connection.map_err(again).and_then(work);
        let keep = result.is_ok();
        (keep, Box::new(move |commit: Result<(), Error>| drop(sender.send(commit.and(result)))))
    });
    to.send(work).map_err(|_| closed())?;
    answer.await.map_err(|_| closed())?
}

fn serve_reads(connection: &Connection, reads: &Receiver<Work>) {
    while let Ok(work) = reads.recv() {
        let began = connection.execute_batch("BEGIN");
        let (_, answer) = work(began.as_ref().map(|()| connection));
        let _ = connection.execute_batch("COMMIT");
        answer(Ok(()));
    }
}

fn serve_writes(connection: &Connection, writes: &Receiver<Work>) {
    while let Ok(first) = writes.recv() {
        let group = std::iter::once(first).chain(std::iter::from_fn(|| writes.try_recv().ok())).take(GROUP);
        commit_together(connection, group);
    }
}

/// One transaction for all of `group`; answers come after its commit.
fn commit_together(connection: &Connection, group: impl Iterator<Item = Work>) {
    // IMMEDIATE: a transaction that starts as a reader cannot wait for its turn to write, it fails with SQLITE_BUSY.
    let began = connection.execute_batch("BEGIN IMMEDIATE");
    let mut answers = Vec::new();
    for work in group {
        let _ = connection.execute_batch("SAVEPOINT one");
        let (keep, answer) = work(began.as_ref().map(|()| connection));
        let _ = connection.execute_batch(if keep { "RELEASE one" } else { "ROLLBACK TO one; RELEASE one" });
        answers.push(answer);
    }
    let committed = began.and_then(|()| connection.execute_batch("COMMIT"));
    if committed.is_err() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    for answer in answers {
        answer(committed.as_ref().map(|()| ()).map_err(again));
    }
}

/// `rusqlite::Error` is not `Clone`; what a caller needs of a failed commit is its code and its text.
fn again(error: &Error) -> Error {
    let code = error.sqlite_error().copied().unwrap_or(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ERROR));
    Error::SqliteFailure(code, Some(error.to_string()))
}
