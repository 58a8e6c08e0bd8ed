//! Real processes on one file, some of them killed. A worker process is this test binary once more, controlled by
//! environment variables.

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use model::job::{Envelope, TrackTagsJob};
use queue::{Embedded, Outcome, Queue, QueueError};
use tokio::task::JoinSet;
use tokio::time::timeout;

const FILE_VARIABLE: &str = "QUEUE_TEST_FILE";
const LEASE_VARIABLE: &str = "QUEUE_TEST_LEASE_MS";
/// What the worker prints when it gets a job.
const CLAIM_LINE: &str = "took a job";

fn job(kind: &str, key: &str) -> Envelope {
    let body = TrackTagsJob { track_id: key.to_owned() };
    Envelope { kind: kind.to_owned(), key: key.to_owned(), ..Envelope::new(&body) }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Not a test of its own: the worker process. It ends when the queue is empty.
#[test]
fn worker_process() {
    let (Some(file), Ok(max_lease)) = (env::var_os(FILE_VARIABLE), env::var(LEASE_VARIABLE)) else { return };
    let max_lease = Duration::from_millis(max_lease.parse().unwrap());
    runtime().block_on(async {
        let queue = Embedded::open_with_lease(file, max_lease).await.unwrap();
        let mut subscription = queue.subscribe(&["work"], 8).await.unwrap();
        let mut running = JoinSet::new();
        while !running.is_empty() || is_left(&queue).await {
            if let Ok(delivery) = timeout(Duration::from_millis(20), subscription.next()).await {
                running.spawn(work(delivery.unwrap()));
            }
            while running.try_join_next().is_some() {}
        }
    });
}

async fn is_left(queue: &Embedded) -> bool {
    queue.stats().await.unwrap().iter().any(|kind| kind.kind == "work" && !kind.is_idle())
}

/// Each job has one follow-up of the same key, which tells whether it was redelivered.
async fn work(delivery: queue::Delivery) {
    println!("{CLAIM_LINE}");
    tokio::time::sleep(Duration::from_millis(2)).await;
    let key = delivery.envelope.as_ref().unwrap().key.clone();
    let follow_up = Envelope { body: delivery.redelivered.into(), ..job("done", &key) };
    match delivery.finish(Outcome::Done(vec![follow_up])).await {
        // On a busy machine a short lease may run out: the other one's effect counts.
        Ok(()) | Err(QueueError::Stale) => {}
        Err(error) => panic!("{error}"),
    }
}

fn start_worker(file: &Path, max_lease: Duration) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "worker_process", "--nocapture"])
        .env(FILE_VARIABLE, file)
        .env(LEASE_VARIABLE, max_lease.as_millis().to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

async fn publish(file: &Path, count: usize) {
    let jobs: Vec<_> = (0..count).map(|n| job("work", &n.to_string())).collect();
    Embedded::open(file).await.unwrap().publish(&jobs).await.unwrap();
}

/// Whether each key's job was redelivered; fails where a key has not exactly one effect.
async fn effects(file: &Path, count: usize) -> BTreeMap<String, bool> {
    let queue = Embedded::open(file).await.unwrap();
    let stats = queue.stats().await.unwrap();
    let done = stats.iter().find(|kind| kind.kind == "done").unwrap();
    assert_eq!(done.ready, count as u64, "one follow-up for each job: {stats:?}");
    let mut subscription = queue.subscribe(&["done"], count).await.unwrap();
    let mut effects = BTreeMap::new();
    for _ in 0..count {
        let delivery = timeout(Duration::from_secs(60), subscription.next()).await.unwrap().unwrap();
        let job = delivery.envelope.clone().unwrap();
        assert_eq!(effects.insert(job.key, job.body == true), None, "two effects of one job");
        delivery.finish(Outcome::Done(vec![])).await.unwrap();
    }
    effects
}

#[test]
fn a_worker_killed_in_the_middle_of_its_work_loses_nothing() {
    const JOBS: usize = 3_000;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    runtime().block_on(publish(&file, JOBS));
    let max_lease = Duration::from_millis(500);
    for _ in 0..5 {
        let mut worker = start_worker(&file, max_lease);
        let lines = BufReader::new(worker.stdout.take().unwrap()).lines();
        lines.filter(|line| line.as_ref().unwrap().contains(CLAIM_LINE)).take(30).for_each(drop);
        worker.kill().unwrap(); // SIGKILL: it has jobs in hand, and perhaps a transaction.
        worker.wait().unwrap();
    }
    jobs_taken(start_worker(&file, max_lease));
    let effects = runtime().block_on(effects(&file, JOBS));
    assert!(effects.values().any(|redelivered| *redelivered), "no worker was killed at work");
}

#[test]
fn processes_that_live_do_every_job_once() {
    const JOBS: usize = 5_000;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    runtime().block_on(publish(&file, JOBS));
    let workers: Vec<_> = (0..4).map(|_| start_worker(&file, Duration::from_secs(10))).collect();
    let took: Vec<usize> = workers.into_iter().map(jobs_taken).collect();
    assert_eq!(took.iter().sum::<usize>(), JOBS, "{took:?}");
    let effects = runtime().block_on(effects(&file, JOBS));
    assert!(!effects.values().any(|redelivered| *redelivered));
}

/// Waits for a worker's end; returns how many jobs it took.
fn jobs_taken(mut worker: Child) -> usize {
    let lines = BufReader::new(worker.stdout.take().unwrap()).lines();
    let took = lines.filter(|line| line.as_ref().unwrap().contains(CLAIM_LINE)).count();
    assert!(worker.wait().unwrap().success());
    took
}
