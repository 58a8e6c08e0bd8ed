//! The embedded backend: the contract of all backends, and what this one promises beyond.

mod contract;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contract::{TestBackend, contract, job, jobs, key_of, next, wait_for_counts};
use model::job::Envelope;
use queue::{Embedded, Outcome, Queue, QueueError};
use sqlite::Db;
use tempfile::TempDir;
use tokio::time::timeout;

struct FileBackend(TempDir);

/// Long enough for a thread that has to wait on a busy machine, short enough for a test.
const TEST_LEASE: Duration = Duration::from_millis(1500);

/// Longer than any test: a job that is delivered again was handed back.
const LONG_LEASE: Duration = Duration::from_secs(3600);

impl FileBackend {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("queue.db")
    }

    async fn open_with_long_lease(&self) -> Arc<dyn Queue> {
        Arc::new(Embedded::open_with_lease(self.file(), LONG_LEASE).await.unwrap())
    }
}

#[async_trait]
impl TestBackend for FileBackend {
    async fn fresh(_test: &str) -> Option<Self> {
        Some(Self::new())
    }

    async fn open(&self) -> Arc<dyn Queue> {
        Arc::new(Embedded::open_with_lease(self.file(), TEST_LEASE).await.unwrap())
    }

    async fn put_raw(&self, kind: &str, payload: &[u8]) {
        let (kind, payload) = (kind.to_owned(), payload.to_owned());
        let insert = "INSERT INTO jobs (kind, priority, payload) VALUES (?1, 1, ?2)";
        let db = Db::open(self.file(), "").await.unwrap();
        db.write(move |c| c.execute(insert, (kind, payload))).await.unwrap();
    }

    async fn end_leases(&self) {
        let db = Db::open(self.file(), "").await.unwrap();
        // And increments the number: a renewal would otherwise take the job again until somebody else claims it.
        db.write(|c| c.execute("UPDATE jobs SET wakes_at = 0, lease = lease + 1 WHERE running", [])).await.unwrap();
    }

    fn max_lease(&self) -> Duration {
        TEST_LEASE
    }
}

contract!(FileBackend);

#[tokio::test]
async fn what_was_claimed_and_not_asked_for_goes_to_others() {
    let backend = FileBackend::new();
    let (first_process, second_process) = (backend.open_with_long_lease().await, backend.open_with_long_lease().await);
    first_process.publish(&jobs("a", 8)).await.unwrap();
    let mut first = first_process.subscribe(&["a"], 8).await.unwrap();
    let mut keys = BTreeSet::from([key_of(&next(&mut first).await)]);
    let mut second = second_process.subscribe(&["a"], 8).await.unwrap();
    for _ in 0..7 {
        let delivery = next(&mut second).await;
        assert!(!delivery.redelivered);
        keys.insert(key_of(&delivery));
        delivery.finish(Outcome::Done(vec![])).await.unwrap();
    }
    assert_eq!(keys.len(), 8);
}

#[tokio::test]
async fn a_claim_that_is_cut_short_is_handed_back_before_the_queue_closes() {
    let backend = FileBackend::new();
    for patience in 0..20 {
        let queue = backend.open_with_long_lease().await;
        queue.publish(&[job("a", "1")]).await.unwrap();
        let mut subscription = queue.subscribe(&["a"], 4).await.unwrap();
        let cut_short = async {
            for _ in 0..patience {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            delivery = subscription.next() => delivery.unwrap().finish(Outcome::Release).await.unwrap(),
            () = cut_short => {}
        }
        drop((subscription, queue));
        wait_for_counts(&backend.open_with_long_lease().await, "a", (patience + 1, 0, 0, 0)).await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_handler_that_blocks_the_runtime_keeps_its_lease() {
    let backend = FileBackend::new();
    let (first_process, second_process) = (backend.open().await, backend.open().await);
    first_process.publish(&[job("a", "1")]).await.unwrap();
    let computing = next(&mut first_process.subscribe(&["a"], 1).await.unwrap()).await;
    let other_process = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut waiting = second_process.subscribe(&["a"], 1).await.unwrap();
            timeout(TEST_LEASE * 2, waiting.next()).await.is_ok()
        })
    });
    let given_away = other_process.join().unwrap();
    assert!(!given_away, "the lease expired while its worker computed");
    computing.finish(Outcome::Done(vec![])).await.unwrap();
}

#[tokio::test]
async fn a_stale_outcome_of_any_kind_changes_nothing() {
    let backend = FileBackend::new();
    let queue = backend.open_with_long_lease().await;
    let retry = Outcome::Retry { after: LONG_LEASE, reason: "late".into() };
    let postpone = Outcome::Postpone { after: Duration::from_secs(1) };
    for outcome in [
        Outcome::Done(vec![job("b", "late")]),
        retry,
        Outcome::Dead { reason: "late".into() },
        Outcome::Release,
        postpone,
    ] {
        let published = job("a", "1");
        queue.publish(std::slice::from_ref(&published)).await.unwrap();
        let mut subscription = queue.subscribe(&["a"], 2).await.unwrap();
        let late = next(&mut subscription).await;
        backend.end_leases().await;
        let owner = next(&mut subscription).await;
        assert!(matches!(late.finish(outcome).await, Err(QueueError::Stale)));
        wait_for_counts(&queue, "a", (0, 1, 0, 0)).await;
        assert_eq!(owner.envelope, Ok(published));
        owner.finish(Outcome::Done(vec![])).await.unwrap();
    }
    let stats = queue.stats().await.unwrap();
    assert!(stats.iter().all(|kind| kind.kind == "a"), "a follow-up of a stale end was published: {stats:?}");
}

#[tokio::test]
async fn a_batch_is_published_whole_and_moves_in_bulk() {
    let backend = FileBackend::new();
    let queue = backend.open_with_long_lease().await;
    queue.publish(&jobs("a", 2_500)).await.unwrap();
    wait_for_counts(&queue, "a", (2_500, 0, 0, 0)).await;
    let mut subscription = queue.subscribe(&["a"], 300).await.unwrap();
    for _ in 0..2_500 {
        next(&mut subscription).await.finish(Outcome::Dead { reason: "bad".into() }).await.unwrap();
    }
    assert_eq!(queue.requeue(&queue::DeadLetterFilter::All).await.unwrap(), 2_500);
    wait_for_counts(&queue, "a", (2_500, 0, 0, 0)).await;
}

#[tokio::test]
async fn an_unusable_address_is_one_clear_line() {
    let backend = FileBackend::new();
    let text = backend.0.path().join("text.txt");
    std::fs::write(&text, "not a database, and long enough to have a header; ".repeat(50)).unwrap();
    let nowhere = backend.0.path().join("nowhere").join("queue.db");
    let addresses = [
        (format!("sqlite:{}", nowhere.display()), "there is no folder"),
        (format!("sqlite:{}", text.display()), "it is not a SQLite file"),
        (format!("sqlite:{}", backend.0.path().display()), "it is a folder"),
        ("sqlite:".into(), "is not a file"),
        ("redis://localhost".into(), "use sqlite:FILE"),
        ("queue.db".into(), "use sqlite:FILE"),
    ];
    for (address, reason) in addresses {
        let error = queue::open(&address, None).await.err().expect("an error");
        assert!(matches!(error, QueueError::Unusable(_)), "{error:?}");
        let line = error.to_string();
        assert!(line.contains(reason) && !line.contains('\n'), "{line}");
    }
    let file = format!("sqlite:{}", backend.file().display());
    queue::open(&file, None).await.unwrap().publish(&[job("a", "1")]).await.unwrap();
}

/// Jobs of one kind that belong to a run.
fn for_run(run: &str, kind: &str, count: usize) -> Vec<Envelope> {
    jobs(kind, count).into_iter().map(|job| job.in_run(run)).collect()
}

#[tokio::test]
async fn the_queue_of_a_run_yields_and_counts_its_jobs_alone() {
    let backend = FileBackend::new();
    let all = backend.open_with_long_lease().await;
    all.publish(&jobs("a", 5)).await.unwrap();
    all.publish(&for_run("other", "a", 5)).await.unwrap();
    let broker = all.for_run("mine").unwrap();
    broker.publish(&for_run("mine", "a", 1)).await.unwrap();
    wait_for_counts(&broker, "a", (1, 0, 0, 0)).await;
    let mut subscription = broker.subscribe(&["a", "b"], 4).await.unwrap();
    let delivery = next(&mut subscription).await;
    assert_eq!(delivery.envelope.as_ref().unwrap().run.as_deref(), Some("mine"));
    wait_for_counts(&broker, "a", (0, 1, 0, 0)).await;
    delivery.finish(Outcome::Done(for_run("mine", "b", 1))).await.unwrap();
    let retry = Outcome::Retry { after: Duration::ZERO, reason: "again".into() };
    next(&mut subscription).await.finish(retry).await.unwrap();
    let delivery = next(&mut subscription).await;
    assert_eq!(delivery.envelope.as_ref().unwrap().attempt, 1, "it is still of the run");
    delivery.finish(Outcome::Dead { reason: "bad".into() }).await.unwrap();
    assert_eq!(all.requeue(&queue::DeadLetterFilter::All).await.unwrap(), 1);
    next(&mut subscription).await.finish(Outcome::Done(Vec::new())).await.unwrap();
    assert!(timeout(Duration::from_millis(300), subscription.next()).await.is_err(), "the others are not its own");
    wait_for_counts(&broker, "a", (0, 0, 0, 0)).await;
    wait_for_counts(&all, "a", (10, 0, 0, 0)).await;
}

#[tokio::test]
async fn a_run_is_forgotten_but_for_what_is_under_way() {
    let backend = FileBackend::new();
    let queue = backend.open_with_long_lease().await;
    queue.publish(&for_run("mine", "a", 1_500)).await.unwrap();
    queue.publish(&for_run("other", "a", 2)).await.unwrap();
    let taken = next(&mut queue.for_run("mine").unwrap().subscribe(&["a"], 1).await.unwrap()).await;
    queue.delete_run_jobs("mine").await.unwrap();
    wait_for_counts(&queue, "a", (2, 1, 0, 0)).await;
    taken.finish(Outcome::Done(Vec::new())).await.unwrap();
    wait_for_counts(&queue, "a", (2, 0, 0, 0)).await;
}

#[tokio::test]
async fn a_file_of_an_earlier_version_is_told_its_runs() {
    let backend = FileBackend::new();
    backend.open_with_long_lease().await.publish(&for_run("mine", "a", 2)).await.unwrap();
    backend.put_raw("a", b"no job").await;
    let db = Db::open(backend.file(), "").await.unwrap();
    db.write(|c| {
        c.execute_batch("DROP TRIGGER jobs_of_older; DROP INDEX jobs_of_run; ALTER TABLE jobs DROP COLUMN run")
    })
    .await
    .unwrap();
    let queue = backend.open_with_long_lease().await;
    wait_for_counts(&queue.for_run("mine").unwrap(), "a", (2, 0, 0, 0)).await;
    wait_for_counts(&queue, "a", (3, 0, 0, 0)).await;
    // So are jobs that a program of that version puts beside them.
    let job = for_run("mine", "a", 1).remove(0).to_bytes();
    backend.put_raw("a", &job).await;
    wait_for_counts(&queue.for_run("mine").unwrap(), "a", (3, 0, 0, 0)).await;
    wait_for_counts(&queue, "a", (4, 0, 0, 0)).await;
}
