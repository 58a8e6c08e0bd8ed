#![doc = include_str!("../README.md")]

mod connect;
mod error;
mod remedy;
mod remove;
mod threads;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;

pub use remedy::{Remedy, remedy};
pub use remove::remove_unused;
pub use rusqlite;
use rusqlite::{Connection, Error};
use tokio::sync::oneshot;

use error::failure;
use remedy::Disk;
use threads::{Verdict, Work};

/// A handle to one file; clones share its two threads, which end with the last one.
#[derive(Clone)]
pub struct Db {
    writer: Sender<Work>,
    reader: Sender<Work>,
    path: PathBuf,
    disk: Arc<Disk>,
}

/// What a piece of work came to: its result, or its panic.
type Outcome<T> = thread::Result<Result<T, Error>>;

impl Db {
    /// Opens or creates the file and applies `schema` (idempotent statements). The error is one line.
    pub async fn open(path: impl AsRef<Path>, schema: &'static str) -> Result<Self, Error> {
        let path = path.as_ref().to_owned();
        let (opened, answer) = oneshot::channel();
        let file = path.clone();
        thread::spawn(move || drop(opened.send(connect::open(&file, schema))));
        let (writing, reading) = answer.await.map_err(|_| closed())??;
        let (writer, writes) = channel();
        let (reader, reads) = channel();
        thread::spawn(move || threads::serve_writes(&writing, &writes));
        thread::spawn(move || threads::serve_reads(&reading, &reads));
        let disk = Arc::new(Disk::of(&path));
        Ok(Self { writer, reader, path, disk })
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
        outcome(self.send(&self.writer, work)?.await)
    }

    /// [`Db::write`] for a thread that is no part of an async runtime.
    pub fn write_blocking<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        outcome(self.send(&self.writer, work)?.blocking_recv())
    }

    /// Runs `work` on a snapshot.
    pub async fn read<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        outcome(self.send(&self.reader, work)?.await)
    }

    fn send<T, F>(&self, to: &Sender<Work>, work: F) -> Result<oneshot::Receiver<Outcome<T>>, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        let ((sender, answer), disk) = (oneshot::channel(), self.disk.clone());
        let work: Work = Box::new(move |connection| {
            // A panic must not take the thread along that all others wait for. What the work left behind is undone.
            let outcome: Outcome<T> =
                catch_unwind(AssertUnwindSafe(|| connection.map_err(threads::again).and_then(work)));
            let verdict = match &outcome {
                Ok(Ok(_)) => Verdict::Keep,
                Ok(Err(error)) if remedy::is_of_disk(error) => Verdict::UndoForDisk(threads::again(error)),
                _ => Verdict::Undo,
            };
            (
                verdict,
                Box::new(move |commit| {
                    let result = outcome.map(|result| result.and_then(|value| commit.map(|()| value)));
                    drop(sender.send(result.map(|result| result.map_err(|error| disk.explain(error)))))
                }),
            )
        });
        to.send(work).map_err(|_| closed())?;
        Ok(answer)
    }
}

fn outcome<T>(answer: Result<Outcome<T>, oneshot::error::RecvError>) -> Result<T, Error> {
    answer.map_err(|_| closed())?.unwrap_or_else(|panic| resume_unwind(panic))
}

fn closed() -> Error {
    failure(rusqlite::ffi::SQLITE_MISUSE, "the file is closed".into())
}
