//! Several workers, and lost ones.

use std::collections::BTreeSet;
use std::sync::Arc;

use queue::{Outcome, Queue};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{Backends, counts, job, jobs, key, next, soon};

pub async fn a_delivery_dropped_without_an_end_comes_back(backends: &impl Backends) {
    let (here, there) = (backends.open().await, backends.open().await);
    let published = job("a", "1");
    here.publish(std::slice::from_ref(&published)).await.unwrap();
    drop(next(&mut here.subscribe(&["a"], 1).await.unwrap()).await);
    let mut subscription = there.subscribe(&["a"], 1).await.unwrap();
    let back = next(&mut subscription).await;
    assert_eq!(back.envelope, Ok(published), "a loss is no failed attempt");
    assert!(back.redelivered);
    back.end(Outcome::Release).await.unwrap();
    assert!(!next(&mut subscription).await.redelivered, "it is told of once");
}

pub async fn the_lease_of_a_long_job_is_renewed(backends: &impl Backends) {
    let (here, there) = (backends.open().await, backends.open().await);
    here.publish(&[job("a", "1")]).await.unwrap();
    let long = next(&mut here.subscribe(&["a"], 1).await.unwrap()).await;
    let mut waiting = there.subscribe(&["a"], 1).await.unwrap();
    assert!(timeout(backends.lease() * 3, waiting.next()).await.is_err(), "a job in good hands was given away");
    long.end(Outcome::Done(vec![])).await.unwrap();
    counts(&here, "a", (0, 0, 0, 0)).await;
}

pub async fn two_processes_share_the_work_without_loss(backends: &impl Backends) {
    let (here, there) = (backends.open().await, backends.open().await);
    here.publish(&jobs("a", 300)).await.unwrap();
    let (done, mut seen) = mpsc::unbounded_channel();
    let workers = [here.clone(), there].map(|queue| tokio::spawn(work(queue, done.clone())));
    let mut missing: BTreeSet<_> = (0..300).map(|n| n.to_string()).collect();
    while !missing.is_empty() {
        missing.remove(&soon(seen.recv()).await.unwrap());
    }
    counts(&here, "a", (0, 0, 0, 0)).await;
    workers.iter().for_each(|worker| worker.abort());
}

async fn work(queue: Arc<dyn Queue>, done: mpsc::UnboundedSender<String>) {
    let mut subscription = queue.subscribe(&["a"], 4).await.unwrap();
    loop {
        let delivery = subscription.next().await.unwrap();
        let done = done.clone();
        tokio::spawn(async move {
            let key = key(&delivery);
            delivery.end(Outcome::Done(vec![])).await.unwrap();
            let _ = done.send(key);
        });
    }
}
