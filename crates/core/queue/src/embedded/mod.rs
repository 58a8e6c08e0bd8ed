//! The embedded home: a SQLite file that any number of processes of one machine share.

mod dead;
mod jobs;
mod keeper;
mod lease;
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
use jobs::{Message, Wanted};
use keeper::Keeper;
use lease::Leases;

/// How long the job of a lost worker takes to come back. Renewed four times in that time.
const LEASE: Duration = Duration::from_secs(10);

/// Dead letters and jobs that are moved in one transaction, so that a million of them don't hold everyone up.
const MOVED_AT_ONCE: usize = 1_000;

/// A queue in a SQLite file.
pub struct Embedded {
    shared: Arc<Shared>,
    /// The only run whose jobs it yields and counts.
    run: Option<String>,
}

/// What the subscriptions and deliveries of a queue use together.
struct Shared {
    leases: Leases,
    lease_length: Duration,
    keeper: Keeper,
    /// Something became ready in this process.
    published: Notify,
    db: Db,
}

impl Embedded {
    /// Opens or creates the file.
    pub async fn open(file: impl AsRef<Path>) -> Result<Self, QueueError> {
        Self::open_with_lease(file, LEASE).await
    }

    /// [`Embedded::open`] with leases of another length; those of one file should agree on it.
    pub async fn open_with_lease(file: impl AsRef<Path>, length: Duration) -> Result<Self, QueueError> {
        let file = file.as_ref();
        let unusable = |error: &Error| format!("the queue is unusable: {error}");
        let db = Db::open(file, schema::SCHEMA).await.map_err(|error| failure(file, &error, unusable))?;
        db.write(schema::with_runs).await.map_err(|error| failure(file, &error, unusable))?;
        let leases = Leases::default();
        let keeper = Keeper::start(db.clone(), leases.clone(), length);
        let shared = Shared { leases, lease_length: length, keeper, published: Notify::new(), db };
        Ok(Self { shared: Arc::new(shared), run: None })
    }

    async fn read<T, F>(&self, work: F) -> Result<T, QueueError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        self.shared.db.read(work).await.map_err(|error| failed(&self.shared.db, &error))
    }

    async fn write<T, F>(&self, work: F) -> Result<T, QueueError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        self.shared.db.write(work).await.map_err(|error| failed(&self.shared.db, &error))
    }

    /// Does `step` to the chosen dead letters, some at a time; returns how many there were.
    async fn with_dead(
        &self,
        which: &DeadLetterFilter,
        step: fn(&Connection, &[i64]) -> Result<usize, Error>,
    ) -> Result<usize, QueueError> {
        let which = which.clone();
        let chosen = self.read(move |c| dead::choose(c, &which)).await?;
        let mut count = 0;
        for some in chosen.chunks(MOVED_AT_ONCE) {
            let some = some.to_vec();
            count += self.write(move |c| step(c, &some)).await?;
            self.shared.published.notify_waiters();
        }
        Ok(count)
    }
}

#[async_trait]
impl Queue for Embedded {
    async fn publish(&self, jobs: &[Envelope]) -> Result<(), QueueError> {
        let messages = Message::all(jobs);
        self.write(move |c| jobs::insert(c, &messages)).await?;
        self.shared.published.notify_waiters();
        Ok(())
    }

    async fn subscribe(&self, kinds: &[&str], slots: usize) -> Result<Box<dyn Subscription>, QueueError> {
        let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        let wanted = Wanted { kinds, run: self.run.clone() };
        Ok(Box::new(subscription::Taker::new(self.shared.clone(), wanted, slots)))
    }

    fn of_run(&self, run: &str) -> Option<Arc<dyn Queue>> {
        Some(Arc::new(Self { shared: self.shared.clone(), run: Some(run.to_owned()) }))
    }

    async fn forget_run(&self, run: &str) -> Result<(), QueueError> {
        let run: Arc<str> = run.into();
        loop {
            let run = run.clone();
            if self.write(move |c| jobs::forget(c, &run, MOVED_AT_ONCE, Timestamp::now())).await? < MOVED_AT_ONCE {
                return Ok(());
            }
        }
    }

    fn counts_exactly(&self) -> bool {
        true
    }

    async fn flush(&self) {
        // An end is in the file when it returns, and what is handed back is there before the queue is closed. One that was let
        // go of may still wait to be written: writes are done in their order.
        let _ = self.shared.db.write(|_| Ok(())).await;
    }

    async fn stats(&self) -> Result<Vec<KindStats>, QueueError> {
        let run = self.run.clone();
        self.read(move |c| jobs::stats(c, run.as_deref(), Timestamp::now())).await
    }

    async fn dead_letters(&self, kind: Option<&str>) -> Result<Vec<DeadLetter>, QueueError> {
        let kind = kind.map(str::to_owned);
        self.read(move |c| dead::list(c, kind.as_deref())).await
    }

    async fn requeue(&self, which: &DeadLetterFilter) -> Result<usize, QueueError> {
        self.with_dead(which, dead::revive).await
    }

    async fn purge(&self, which: &DeadLetterFilter) -> Result<usize, QueueError> {
        self.with_dead(which, dead::delete).await
    }
}

fn failed(db: &Db, error: &Error) -> QueueError {
    let file = db.path();
    failure(file, error, |error| format!("the queue in {} failed: {error}", file.display()))
}

fn failure(file: &Path, error: &Error, unusable: impl FnOnce(&Error) -> String) -> QueueError {
    match sqlite::remedy(error) {
        Remedy::Retry => QueueError::Unavailable { at: format!("sqlite:{}", file.display()), cause: error.to_string() },
        Remedy::SeeToDisk(why) => QueueError::Unwritable { file: file.display().to_string(), why },
        Remedy::GiveUp => QueueError::Unusable(unusable(error)),
    }
}

#[cfg(test)]
mod tests;
