//! From `publish` to `next`.

use std::collections::BTreeSet;
use std::time::Duration;

use queue::Outcome;
use tokio::time::timeout;

use super::{TestBackend, job, jobs, key_of, next, wait_for_counts, within_a_minute, yield_times};

pub async fn a_published_job_is_delivered_as_it_was_published(backend: &impl TestBackend) {
    let queue = backend.open().await;
    let published = job("a", "1");
    queue.publish(std::slice::from_ref(&published)).await.unwrap();
    let delivery = next(&mut queue.subscribe(&["a"], 1).await.unwrap()).await;
    assert_eq!(delivery.envelope.as_ref(), Ok(&published));
    assert_eq!((delivery.kind.as_str(), delivery.redelivered), ("a", false));
}

pub async fn a_subscription_takes_its_kinds_only(backend: &impl TestBackend) {
    let queue = backend.open().await;
    queue.publish(&[job("a", "1"), job("b", "2"), job("c", "3")]).await.unwrap();
    let mut subscription = queue.subscribe(&["a", "c"], 3).await.unwrap();
    let (first, second) = (next(&mut subscription).await, next(&mut subscription).await);
    let taken = BTreeSet::from([(first.kind.clone(), key_of(&first)), (second.kind.clone(), key_of(&second))]);
    assert_eq!(taken, BTreeSet::from([("a".into(), "1".into()), ("c".into(), "3".into())]));
    wait_for_counts(&queue, "b", (1, 0, 0, 0)).await;
}

pub async fn high_priority_goes_first_and_equals_keep_their_order(backend: &impl TestBackend) {
    let queue = backend.open().await;
    queue.publish(&[job("a", "1"), job("a", "2"), job("a", "3").urgent(), job("a", "4").urgent()]).await.unwrap();
    queue.publish(&[job("a", "5")]).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    let mut order = Vec::new();
    for _ in 0..5 {
        let delivery = next(&mut subscription).await;
        order.push(key_of(&delivery));
        delivery.finish(Outcome::Done(vec![])).await.unwrap();
    }
    assert_eq!(order, ["3", "4", "1", "2", "5"]);
}

pub async fn no_more_deliveries_than_slots_are_unfinished(backend: &impl TestBackend) {
    let queue = backend.open().await;
    queue.publish(&jobs("a", 5)).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 2).await.unwrap();
    let (first, _second) = (next(&mut subscription).await, next(&mut subscription).await);
    wait_for_counts(&queue, "a", (3, 2, 0, 0)).await;
    assert!(timeout(Duration::from_millis(300), subscription.next()).await.is_err(), "a third one for two slots");
    first.finish(Outcome::Done(vec![])).await.unwrap();
    next(&mut subscription).await;
}

pub async fn a_cancelled_next_loses_nothing(backend: &impl TestBackend) {
    let queue = backend.open().await;
    queue.publish(&jobs("a", 50)).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 4).await.unwrap();
    let mut missing: BTreeSet<_> = (0..50).map(|n| n.to_string()).collect();
    for patience in 0..100 {
        // Dropped at whatever point it has reached.
        let delivery = tokio::select! {
            biased;
            delivery = subscription.next() => delivery.unwrap(),
            () = yield_times(patience) => continue,
        };
        missing.remove(&key_of(&delivery));
        delivery.finish(Outcome::Done(vec![])).await.unwrap();
    }
    while !missing.is_empty() {
        let delivery = next(&mut subscription).await;
        assert!(!delivery.redelivered, "nobody was lost");
        missing.remove(&key_of(&delivery));
        delivery.finish(Outcome::Done(vec![])).await.unwrap();
    }
}

pub async fn a_dropped_subscription_hands_back_what_it_did_not_yield(backend: &impl TestBackend) {
    let queue = backend.open().await;
    queue.publish(&jobs("a", 8)).await.unwrap();
    let mut first = queue.subscribe(&["a"], 8).await.unwrap();
    let held = next(&mut first).await;
    drop(first);
    let mut second = queue.subscribe(&["a"], 8).await.unwrap();
    let mut keys = BTreeSet::from([key_of(&held)]);
    for _ in 0..7 {
        let delivery = next(&mut second).await;
        assert!(!delivery.redelivered, "nobody was lost");
        keys.insert(key_of(&delivery));
        delivery.finish(Outcome::Done(vec![])).await.unwrap();
    }
    assert_eq!(keys.len(), 8);
    held.finish(Outcome::Done(vec![])).await.unwrap();
    wait_for_counts(&queue, "a", (0, 0, 0, 0)).await;
}

pub async fn what_was_lost_is_marked_though_it_was_handed_back_since(backend: &impl TestBackend) {
    let queue = backend.open().await;
    queue.publish(&jobs("a", 2)).await.unwrap();
    let mut first = queue.subscribe(&["a"], 2).await.unwrap();
    let _lost = (next(&mut first).await, next(&mut first).await);
    backend.end_leases().await;
    let mut second = queue.subscribe(&["a"], 2).await.unwrap();
    let held = next(&mut second).await;
    drop(second);
    let handed_back = next(&mut queue.subscribe(&["a"], 2).await.unwrap()).await;
    assert!(held.redelivered && handed_back.redelivered);
}

pub async fn a_waiting_subscription_sees_what_another_process_publishes(backend: &impl TestBackend) {
    let (first_process, second_process) = (backend.open().await, backend.open().await);
    let mut subscription = first_process.subscribe(&["a"], 1).await.unwrap();
    let (delivery, ()) = within_a_minute(async {
        tokio::join!(biased; subscription.next(), async { second_process.publish(&[job("a", "1")]).await.unwrap() })
    })
    .await;
    assert_eq!(key_of(&delivery.unwrap()), "1");
}

pub async fn stats_count_every_state(backend: &impl TestBackend) {
    let queue = backend.open().await;
    queue.publish(&jobs("a", 7)).await.unwrap();
    queue.publish(&[job("b", "1")]).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    let retry = Outcome::Retry { after: Duration::from_secs(3600), reason: "later".into() };
    for outcome in [retry.clone(), retry, Outcome::Dead { reason: "bad".into() }, Outcome::Done(vec![])] {
        next(&mut subscription).await.finish(outcome).await.unwrap();
    }
    let _running = next(&mut subscription).await;
    wait_for_counts(&queue, "a", (2, 1, 2, 1)).await;
    next(&mut queue.subscribe(&["b"], 1).await.unwrap()).await.finish(Outcome::Done(vec![])).await.unwrap();
    wait_for_counts(&queue, "b", (0, 0, 0, 0)).await;
}
