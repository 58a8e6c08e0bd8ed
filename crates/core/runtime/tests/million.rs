//! A million jobs through the whole runtime, from a queue that costs nothing.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use async_trait::async_trait;
use common::*;
use host::{Backends, Health};
use model::job::Envelope;
use queue::{Acker, DeadLetter, DeadLetterFilter, Delivery, KindStats, Outcome, Queue, QueueError, Subscription};

const JOBS: u64 = 1_000_000;

/// Memory is measured from here on: by then every pool and cache has reached its size.
const WARM_UP_JOBS: u64 = 200_000;

/// How much a million jobs may add; a leak of 16 bytes a job would add more.
const MAX_GROWTH_BYTES: u64 = 8 << 20;

/// A subscription of equal jobs.
struct EqualJobs {
    left: Arc<AtomicU64>,
    payload: Arc<Vec<u8>>,
}

struct Ended;

#[async_trait]
impl Acker for Ended {
    async fn finish(self: Box<Self>, _: Outcome) -> Result<(), QueueError> {
        Ok(())
    }
}

#[async_trait]
impl Subscription for EqualJobs {
    async fn next(&mut self) -> Result<Delivery, QueueError> {
        if self.left.load(Ordering::Relaxed) == 0 {
            return std::future::pending().await;
        }
        self.left.fetch_sub(1, Ordering::Relaxed);
        Ok(Delivery::new("test.apple".into(), &self.payload, false, Box::new(Ended)))
    }
}

#[async_trait]
impl Queue for EqualJobs {
    async fn subscribe(&self, _: &[&str], _: usize) -> Result<Box<dyn Subscription>, QueueError> {
        Ok(Box::new(Self { left: self.left.clone(), payload: self.payload.clone() }))
    }
    async fn publish(&self, _: &[Envelope]) -> Result<(), QueueError> {
        Ok(())
    }
    async fn flush(&self) {}

    async fn stats(&self) -> Result<Vec<KindStats>, QueueError> {
        let ready = self.left.load(Ordering::Relaxed);
        Ok(vec![KindStats { kind: "test.apple".into(), ready, ..KindStats::default() }])
    }
    async fn dead_letters(&self, _: Option<&str>) -> Result<Vec<DeadLetter>, QueueError> {
        Ok(Vec::new())
    }
    async fn requeue(&self, _: &DeadLetterFilter) -> Result<usize, QueueError> {
        Ok(0)
    }
    async fn purge(&self, _: &DeadLetterFilter) -> Result<usize, QueueError> {
        Ok(0)
    }
}

/// Resident memory of this process, in bytes.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_flat_over_a_million_jobs() {
    let place = Place::new().await;
    let health = Health::listen("127.0.0.1:0").await.unwrap();
    let left = Arc::new(AtomicU64::new(JOBS));
    let queue = EqualJobs { left: left.clone(), payload: Arc::new(job(Apple { n: 1 }).to_bytes()) };
    let backends = Backends { queue: Arc::new(queue), ..place.backends.clone() };
    let worker = backends.worker().with_readiness(health.readiness).with(on(|_: Apple, _| async { Ok(vec![]) }), 64);
    let (began, run) = (Instant::now(), tokio::spawn(run_until_empty(worker)));
    place.until("it is warm", async |_| (left.load(Ordering::Relaxed) <= JOBS - WARM_UP_JOBS).then_some(())).await;
    let before = resident();
    place.until("all are taken", async |_| (left.load(Ordering::Relaxed) == 0).then_some(())).await;
    let (after, took) = (resident(), began.elapsed());
    println!(
        "{:.2} µs a job; {} KiB more after {JOBS} jobs",
        took.as_secs_f64() * 1e6 / JOBS as f64,
        after.saturating_sub(before) >> 10
    );
    assert_eq!(run.await.unwrap()["test.apple"], counts(JOBS, 0, 0));
    assert!(after < before + MAX_GROWTH_BYTES, "{before} bytes became {after}");
}
