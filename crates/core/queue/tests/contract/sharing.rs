//! Several workers, and lost ones.

use std::collections::BTreeSet;
use std::sync::Arc;

use queue::{Outcome, Queue};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{TestBackend, job, jobs, key_of, next, wait_for_counts, within_a_minute};

pub async fn a_delivery_dropped_without_an_end_comes_back(backend: &impl TestBackend) {
    let (first_process, second_process) = (backend.open().await, backend.open().await);
    let published = job("a", "1");
    first_process.publish(std::slice::from_ref(&published)).await.unwrap();
    drop(next(&mut first_process.subscribe(&["a"], 1).await.unwrap()).await);
    let mut subscription = second_process.subscribe(&["a"], 1).await.unwrap();
    let back = next(&mut subscription).await;
    assert_eq!(back.envelope, Ok(published), "a loss is no failed attempt");
    assert!(back.redelivered);
    back.finish(Outcome::Release).await.unwrap();
    assert!(!next(&mut subscription).await.redelivered, "it is told of once");
}

pub async fn the_lease_of_a_long_job_is_renewed(backend: &impl TestBackend) {
    let (first_process, second_process) = (backend.open().await, backend.open().await);
    first_process.publish(&[job("a", "1")]).await.unwrap();
    let long = next(&mut first_process.subscribe(&["a"], 1).await.unwrap()).await;
    let mut waiting = second_process.subscribe(&["a"], 1).await.unwrap();
    assert!(timeout(backend.max_lease() * 3, waiting.next()).await.is_err(), "a job in good hands was given away");
    long.finish(Outcome::Done(vec![])).await.unwrap();
    wait_for_counts(&first_process, "a", (0, 0, 0, 0)).await;
}

pub async fn two_processes_share_the_work_without_loss(backend: &impl TestBackend) {
    let (first_process, second_process) = (backend.open().await, backend.open().await);
    first_process.publish(&jobs("a", 300)).await.unwrap();
    let (done, mut seen) = mpsc::unbounded_channel();
    let workers = [first_process.clone(), second_process].map(|queue| tokio::spawn(work(queue, done.clone())));
    let mut missing: BTreeSet<_> = (0..300).map(|n| n.to_string()).collect();
    while !missing.is_empty() {
        missing.remove(&within_a_minute(seen.recv()).await.unwrap());
    }
    wait_for_counts(&first_process, "a", (0, 0, 0, 0)).await;
    workers.iter().for_each(|worker| worker.abort());
}

async fn work(queue: Arc<dyn Queue>, done: mpsc::UnboundedSender<String>) {
    let mut subscription = queue.subscribe(&["a"], 4).await.unwrap();
    loop {
        let delivery = subscription.next().await.unwrap();
        let done = done.clone();
        tokio::spawn(async move {
            let key = key_of(&delivery);
            delivery.finish(Outcome::Done(vec![])).await.unwrap();
            let _ = done.send(key);
        });
    }
}
