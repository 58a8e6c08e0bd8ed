//! Deleted queues and lost connections lose no job.

use std::collections::BTreeSet;
use std::time::Duration;

use lapin::options::QueueDeleteOptions;
use queue::{Outcome, QueueError};

use crate::contract::{TestBackend, job, jobs, key_of, next, wait_for_counts, within_a_minute};
use crate::test_broker::BrokerBackend;

#[tokio::test]
async fn a_deleted_queue_ends_the_subscription_and_is_made_again() {
    let Some(backend) = BrokerBackend::fresh("a_deleted_queue_ends_the_subscription_and_is_made_again").await else {
        return;
    };
    let queue = backend.open().await;
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    queue.publish(&[job("a", "1")]).await.unwrap();
    next(&mut subscription).await.finish(Outcome::Done(vec![])).await.unwrap();
    let (_connection, channel) = backend.channel().await;
    for name in ["spotifai.a", "spotifai.a.high"] {
        channel.queue_delete(name.into(), QueueDeleteOptions::default()).await.unwrap();
    }
    let ended = within_a_minute(subscription.next()).await.err().expect("the subscription ends");
    assert!(matches!(ended, QueueError::Unavailable { .. }), "{ended:?}");
    // Confirmed though no queue takes it, were it not for the broker's returning it.
    queue.publish(&[job("a", "2"), job("a", "3").urgent()]).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    for expected in ["3", "2"] {
        let delivery = next(&mut subscription).await;
        assert_eq!(key_of(&delivery), expected);
        delivery.finish(Outcome::Done(vec![])).await.unwrap();
    }
}

#[tokio::test]
async fn a_batch_of_which_a_part_came_back_is_safe_as_a_whole() {
    let Some(backend) = BrokerBackend::fresh("a_batch_of_which_a_part_came_back_is_safe_as_a_whole").await else {
        return;
    };
    let queue = backend.open().await;
    queue.publish(&[job("a", "first"), job("b", "first")]).await.unwrap();
    let (_connection, channel) = backend.channel().await;
    channel.queue_delete("spotifai.b".into(), QueueDeleteOptions::default()).await.unwrap();
    let both: Vec<_> = jobs("a", 300).into_iter().zip(jobs("b", 300)).flat_map(|(a, b)| [a, b]).collect();
    // At the same time, so that what comes back to one is not taken for the other's.
    let (one, other) = tokio::join!(queue.publish(&both), queue.publish(&both));
    one.and(other).unwrap();
    for kind in ["a", "b"] {
        let mut subscription = queue.subscribe(&[kind], 50).await.unwrap();
        let mut missing: BTreeSet<_> = (0..300).map(|n| n.to_string()).collect();
        while !missing.is_empty() {
            let delivery = next(&mut subscription).await;
            missing.remove(&key_of(&delivery));
            delivery.finish(Outcome::Done(vec![])).await.unwrap();
        }
    }
}

#[tokio::test]
async fn after_a_flush_a_process_may_end_and_nobody_was_lost() {
    let Some(backend) = BrokerBackend::fresh("after_a_flush_a_process_may_end_and_nobody_was_lost").await else {
        return;
    };
    let (first_process, second_process) = (backend.open().await, backend.open().await);
    first_process.publish(&jobs("a", 8)).await.unwrap();
    let mut subscription = first_process.subscribe(&["a"], 8).await.unwrap();
    for _ in 0..4 {
        next(&mut subscription).await.finish(Outcome::Done(vec![])).await.unwrap();
    }
    drop(subscription);
    within_a_minute(first_process.flush()).await;
    backend.end_leases().await;
    let mut subscription = second_process.subscribe(&["a"], 8).await.unwrap();
    for _ in 0..4 {
        let delivery = next(&mut subscription).await;
        assert!(!delivery.redelivered, "its worker ended in good order");
        delivery.finish(Outcome::Done(vec![])).await.unwrap();
    }
    wait_for_counts(&second_process, "a", (0, 0, 0, 0)).await;
}

/// Connections are cut again and again while jobs are published and done; what was published stays published, and what
/// was done may come twice and is never lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_connections_lose_nothing() {
    let Some(backend) = BrokerBackend::fresh("cut_connections_lose_nothing").await else { return };
    let (publisher, worker) = (backend.open().await, backend.open().await);
    let (done, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let working = tokio::spawn(async move {
        loop {
            // As the worker's runtime does: whatever went wrong, subscribe again.
            let Ok(mut subscription) = worker.subscribe(&["a"], 8).await else { continue };
            while let Ok(delivery) = subscription.next().await {
                let key = key_of(&delivery);
                if delivery.finish(Outcome::Done(vec![])).await.is_ok() {
                    let _ = done.send(key);
                }
            }
        }
    });
    let publishing = async {
        for job in jobs("a", 600) {
            while publisher.publish(std::slice::from_ref(&job)).await.is_err() {}
        }
    };
    let cutting = async {
        for _ in 0..6 {
            backend.end_leases().await;
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
    };
    within_a_minute(async { tokio::join!(publishing, cutting) }).await;
    let mut missing: BTreeSet<_> = (0..600).map(|n| n.to_string()).collect();
    while !missing.is_empty() {
        missing.remove(&within_a_minute(seen.recv()).await.unwrap());
    }
    working.abort();
}
