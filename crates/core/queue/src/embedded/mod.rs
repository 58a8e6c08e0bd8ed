//! The embedded backend: a SQLite file, shared by any number of processes of one machine.

mod dead_letters;
mod jobs;
mod lease;
mod lease_renewer;
mod schema;
mod subscription;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::Timestamp;
use model::job::Envelope;
use sqlite::rusqlite::{Connection, Error};
use sqlite::{Db, Remedy};
use tokio::sync::Notify;

use crate::{DeadLetter, DeadLetterFilter, KindStats, Queue, QueueError, Subscription};
use jobs::{JobFilter, NewJob};
use lease::HeldLeases;
use lease_renewer::LeaseRenewer;
use subscription::EmbeddedSubscription;

/// How long a lease lasts without renewal, which is how long the job of a lost worker takes to come back.
const LEASE_DURATION: Duration = Duration::from_secs(10);

/// Jobs or dead letters that are moved in one transaction, so that a million of them do not hold up all other writers.
const MOVE_BATCH: usize = 1_000;

/// A queue in a SQLite file.
pub struct Embedded {
    file: Arc<QueueFile>,
    /// Yields and counts only the jobs of this run; `None`: all.
    run: Option<String>,
}

/// What the subscriptions and deliveries of a queue share.
struct QueueFile {
    leases: HeldLeases,
    lease_duration: Duration,
    lease_renewer: LeaseRenewer,
    /// Notified when this process makes a job ready.
    published: Notify,
    db: Db,
}

impl Embedded {
    /// Opens the file, or creates it.
    ///
    /// # Errors
    /// If the file cannot be created, read or written, or is not a SQLite file.
    pub async fn open(file: impl AsRef<Path>) -> Result<Self, QueueError> {
        Self::open_with_lease(file, LEASE_DURATION).await
    }

    /// [`Embedded::open`] with leases of another duration; all users of a file should agree on it.
    pub async fn open_with_lease(file: impl AsRef<Path>, lease_duration: Duration) -> Result<Self, QueueError> {
        let file = file.as_ref();
        let unusable = |error: &Error| format!("the queue cannot be used: {error}");
        let db = Db::open(file, schema::SCHEMA).await.map_err(|error| failure(file, &error, unusable))?;
        db.write(schema::add_runs).await.map_err(|error| failure(file, &error, unusable))?;
        let leases = HeldLeases::default();
        let lease_renewer = LeaseRenewer::start(db.clone(), leases.clone(), lease_duration);
        let file = QueueFile { leases, lease_duration, lease_renewer, published: Notify::new(), db };
        Ok(Self { file: Arc::new(file), run: None })
    }

    async fn read<T, F>(&self, work: F) -> Result<T, QueueError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        self.file.db.read(work).await.map_err(|error| failed(&self.file.db, &error))
    }

    async fn write<T, F>(&self, work: F) -> Result<T, QueueError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        self.file.db.write(work).await.map_err(|error| failed(&self.file.db, &error))
    }

    /// Applies `step` to the chosen dead letters, in batches; returns how many there were.
    async fn for_dead_letters(
        &self,
        filter: &DeadLetterFilter,
        step: fn(&Connection, &[i64]) -> Result<usize, Error>,
    ) -> Result<usize, QueueError> {
        let filter = filter.clone();
        let chosen = self.read(move |c| dead_letters::choose(c, &filter)).await?;
        let mut count = 0;
        for batch in chosen.chunks(MOVE_BATCH) {
            let batch = batch.to_vec();
            count += self.write(move |c| step(c, &batch)).await?;
            self.file.published.notify_waiters();
        }
        Ok(count)
    }
}

#[async_trait]
impl Queue for Embedded {
    async fn publish(&self, jobs: &[Envelope]) -> Result<(), QueueError> {
        let jobs = NewJob::from_envelopes(jobs);
        self.write(move |c| jobs::insert(c, &jobs)).await?;
        self.file.published.notify_waiters();
        Ok(())
    }

    async fn subscribe(&self, kinds: &[&str], slots: usize) -> Result<Box<dyn Subscription>, QueueError> {
        let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        let filter = JobFilter { kinds, run: self.run.clone() };
        Ok(Box::new(EmbeddedSubscription::new(self.file.clone(), filter, slots)))
    }

    fn for_run(&self, run: &str) -> Option<Arc<dyn Queue>> {
        Some(Arc::new(Self { file: self.file.clone(), run: Some(run.to_owned()) }))
    }

    async fn delete_run_jobs(&self, run: &str) -> Result<(), QueueError> {
        let run: Arc<str> = run.into();
        loop {
            let run = run.clone();
            if self.write(move |c| jobs::delete_of_run(c, &run, MOVE_BATCH, Timestamp::now())).await? < MOVE_BATCH {
                return Ok(());
            }
        }
    }

    fn has_exact_counts(&self) -> bool {
        true
    }

    async fn flush(&self) {
        // An outcome is in the file when `finish` returns. If its future was dropped, it may still wait to be written; writes
        // are carried out in order, so this one comes after it.
        let _ = self.file.db.write(|_| Ok(())).await;
    }

    async fn stats(&self) -> Result<Vec<KindStats>, QueueError> {
        let run = self.run.clone();
        self.read(move |c| jobs::stats(c, run.as_deref(), Timestamp::now())).await
    }

    async fn dead_letters(&self, kind: Option<&str>) -> Result<Vec<DeadLetter>, QueueError> {
        let kind = kind.map(str::to_owned);
        self.read(move |c| dead_letters::list(c, kind.as_deref())).await
    }

    async fn requeue(&self, filter: &DeadLetterFilter) -> Result<usize, QueueError> {
        self.for_dead_letters(filter, dead_letters::requeue).await
    }

    async fn purge(&self, filter: &DeadLetterFilter) -> Result<usize, QueueError> {
        self.for_dead_letters(filter, dead_letters::delete).await
    }
}

/// The error of an operation on an open file.
fn failed(db: &Db, error: &Error) -> QueueError {
    let file = db.path();
    failure(file, error, |error| format!("the queue in {} failed: {error}", file.display()))
}

fn failure(file: &Path, error: &Error, unusable: impl FnOnce(&Error) -> String) -> QueueError {
    match sqlite::remedy(error) {
        Remedy::Retry => QueueError::Unavailable { at: format!("sqlite:{}", file.display()), cause: error.to_string() },
        Remedy::FixDisk(why) => QueueError::Unwritable { file: file.display().to_string(), why },
        Remedy::GiveUp => QueueError::Unusable(unusable(error)),
    }
}

#[cfg(test)]
mod tests;
