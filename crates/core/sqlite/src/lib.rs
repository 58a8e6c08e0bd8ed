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

use error::sqlite_error;
use remedy::DiskProbe;
use threads::{Disposition, Work};

/// A handle to one file. Clones share its two threads, which end with the last clone.
#[derive(Clone)]
pub struct Db {
    writer: Sender<Work>,
    reader: Sender<Work>,
    path: PathBuf,
    disk: Arc<DiskProbe>,
}

/// The result of a piece of work, or its panic.
type WorkResult<T> = thread::Result<Result<T, Error>>;

impl Db {
    /// Opens or creates the file and executes `schema`, which must be idempotent.
    ///
    /// # Errors
    /// One line that names the file, the reason and what to do.
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
        let disk = Arc::new(DiskProbe::new(&path));
        Ok(Self { writer, reader, path, disk })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` in a write transaction and returns after the commit. If `work` fails, only its own writes are undone.
    pub async fn write<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        receive(self.send(&self.writer, work)?.await)
    }

    /// [`Db::write`] for threads outside of an async runtime.
    pub fn write_blocking<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        receive(self.send(&self.writer, work)?.blocking_recv())
    }

    /// Runs `work` on a snapshot.
    pub async fn read<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        receive(self.send(&self.reader, work)?.await)
    }

    fn send<T, F>(&self, to: &Sender<Work>, work: F) -> Result<oneshot::Receiver<WorkResult<T>>, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        let ((sender, answer), disk) = (oneshot::channel(), self.disk.clone());
        let work: Work = Box::new(move |connection| {
            // A panic must not end the thread that everyone else relies on. What the work wrote is undone.
            let outcome: WorkResult<T> =
                catch_unwind(AssertUnwindSafe(|| connection.map_err(threads::clone_error).and_then(work)));
            let disposition = match &outcome {
                Ok(Ok(_)) => Disposition::Commit,
                Ok(Err(error)) if remedy::is_disk_error(error) => {
                    Disposition::RollBackForDisk(threads::clone_error(error))
                }
                _ => Disposition::RollBack,
            };
            (
                disposition,
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

fn receive<T>(answer: Result<WorkResult<T>, oneshot::error::RecvError>) -> Result<T, Error> {
    answer.map_err(|_| closed())?.unwrap_or_else(|panic| resume_unwind(panic))
}

fn closed() -> Error {
    sqlite_error(rusqlite::ffi::SQLITE_MISUSE, "the file is closed".into())
}
