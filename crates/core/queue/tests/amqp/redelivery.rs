//! Jobs that are delivered again and again, and long waits.

use std::time::{Duration, Instant};

use queue::{DeadLetterFilter, Outcome};

use crate::contract::{TestBackend, job, jobs, next, wait_for_counts};
use crate::test_broker::BrokerBackend;

#[tokio::test]
async fn a_job_that_always_comes_back_is_dead_in_the_end() {
    let Some(backend) = BrokerBackend::fresh("a_job_that_always_comes_back_is_dead_in_the_end").await else { return };
    let queue = backend.open().await;
    let published = job("a", "1");
    queue.publish(std::slice::from_ref(&published)).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    for _ in 0..=100 {
        drop(next(&mut subscription).await);
    }
    wait_for_counts(&queue, "a", (0, 0, 0, 1)).await;
    let letter = queue.dead_letters(None).await.unwrap().remove(0);
    assert_eq!((letter.id.as_str(), letter.key.as_deref()), (published.id.as_str(), Some("1")));
    assert!(letter.reason.contains("delivered again and again"), "{}", letter.reason);
    assert_eq!(queue.requeue(&DeadLetterFilter::All).await.unwrap(), 1);
    assert_eq!(next(&mut subscription).await.envelope, Ok(published));
}

#[tokio::test]
async fn jobs_handed_back_again_and_again_are_not_counted_against_them() {
    let Some(backend) = BrokerBackend::fresh("jobs_handed_back_again_and_again_are_not_counted_against_them").await
    else {
        return;
    };
    let queue = backend.open().await;
    queue.publish(&jobs("a", 3)).await.unwrap();
    for _ in 0..120 {
        let mut subscription = queue.subscribe(&["a"], 3).await.unwrap();
        let delivery = next(&mut subscription).await;
        assert!(!delivery.redelivered);
        delivery.finish(Outcome::Release).await.unwrap();
    }
    wait_for_counts(&queue, "a", (3, 0, 0, 0)).await;
}

#[tokio::test]
async fn dead_letters_can_be_looked_at_any_number_of_times() {
    let Some(backend) = BrokerBackend::fresh("dead_letters_can_be_looked_at_any_number_of_times").await else { return };
    let queue = backend.open().await;
    queue.publish(&jobs("a", 5)).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    for _ in 0..5 {
        next(&mut subscription).await.finish(Outcome::Dead { reason: "bad".into() }).await.unwrap();
    }
    let letters = queue.dead_letters(None).await.unwrap();
    assert_eq!(
        letters.iter().map(|letter| letter.key.as_deref().unwrap()).collect::<Vec<_>>(),
        ["0", "1", "2", "3", "4"]
    );
    for _ in 0..30 {
        assert_eq!(queue.dead_letters(None).await.unwrap(), letters);
    }
    assert_eq!(queue.purge(&DeadLetterFilter::All).await.unwrap(), 5);
}

#[tokio::test]
async fn a_wait_of_any_length_lies_at_the_broker() {
    let Some(backend) = BrokerBackend::fresh("a_wait_of_any_length_lies_at_the_broker").await else { return };
    let queue = backend.open().await;
    queue.publish(&jobs("a", 3)).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 3).await.unwrap();
    for seconds in [3, 86_236, 1_000_000] {
        let delivery = next(&mut subscription).await;
        delivery.finish(Outcome::Retry { after: Duration::from_secs(seconds), reason: "later".into() }).await.unwrap();
    }
    // Three seconds are two segments; only this subscription can start the second one.
    let asked = Instant::now();
    let delivery = next(&mut subscription).await;
    assert_eq!(delivery.envelope.as_ref().unwrap().attempt, 1);
    assert!(asked.elapsed() >= Duration::from_millis(2_700), "{:?}", asked.elapsed());
    wait_for_counts(&queue, "a", (0, 1, 2, 0)).await;
}
