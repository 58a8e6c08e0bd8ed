//! The embedded home keeps the contract, and what it promises beyond.

mod contract;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contract::{Home, contract, counts, job, jobs, key, next};
use queue::{Embedded, End, Queue, QueueError, Subscription};
use sqlite::Db;
use tempfile::TempDir;
use tokio::time::timeout;

struct InFile(TempDir);

/// Long enough for a thread that is kept waiting on a busy machine, short enough for a test.
const LEASE: Duration = Duration::from_millis(1500);

/// Longer than any test: what comes back was handed back.
const HOUR: Duration = Duration::from_secs(3600);

impl InFile {
    fn file(&self) -> std::path::PathBuf {
        self.0.path().join("queue.db")
    }

    async fn execute(&self, sql: &'static str, values: (String, Vec<u8>)) {
        let db = Db::open(self.file(), "").await.unwrap();
        db.write(move |c| if values.0.is_empty() { c.execute(sql, []) } else { c.execute(sql, values) }).await.unwrap();
    }

    async fn open_for_an_hour(&self) -> Arc<dyn Queue> {
        Arc::new(Embedded::open_with_lease(self.file(), HOUR).await.unwrap())
    }
}

#[async_trait]
impl Home for InFile {
    async fn fresh() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn open(&self) -> Arc<dyn Queue> {
        Arc::new(Embedded::open_with_lease(self.file(), LEASE).await.unwrap())
    }

    async fn put_raw(&self, kind: &str, payload: &[u8]) {
        let (kind, payload) = (kind.to_owned(), payload.to_owned());
        let insert = "INSERT INTO jobs (kind, priority, payload) VALUES (?1, 1, ?2)";
        let db = Db::open(self.file(), "").await.unwrap();
        db.write(move |c| c.execute(insert, (kind, payload))).await.unwrap();
    }

    async fn end_leases(&self) {
        let db = Db::open(self.file(), "").await.unwrap();
        // The number, too: a renewal would take the job again as long as nobody else has it.
        db.write(|c| c.execute("UPDATE jobs SET wakes_at = 0, lease = lease + 1 WHERE running", [])).await.unwrap();
    }

    fn lease(&self) -> Duration {
        LEASE
    }
}

contract!(InFile);
