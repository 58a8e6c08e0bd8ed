//! Finishing deliveries, except as dead.

use std::time::Duration;

use model::Timestamp;
use queue::{Outcome, QueueError};

use super::{TestBackend, job, jobs, key_of, next, wait_for_counts, within_a_minute, yield_times};

pub async fn done_publishes_the_follow_ups_and_removes_the_job(backend: &impl TestBackend) {
    let queue = backend.open().await;
    queue.publish(&[job("a", "1")]).await.unwrap();
    let follow_ups = vec![job("b", "2"), job("c", "3")];
    let delivery = next(&mut queue.subscribe(&["a"], 1).await.unwrap()).await;
    delivery.finish(Outcome::Done(follow_ups.clone())).await.unwrap();
    for follow_up in follow_ups {
        let delivery = next(&mut queue.subscribe(&[follow_up.kind.as_str()], 1).await.unwrap()).await;
        assert_eq!(delivery.envelope, Ok(follow_up));
    }
    wait_for_counts(&queue, "a", (0, 0, 0, 0)).await;
}

pub async fn a_retry_waits_its_time_and_counts_the_attempt(backend: &impl TestBackend) {
    let queue = backend.open().await;
    let published = job("a", "1").urgent();
    queue.publish(std::slice::from_ref(&published)).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    let mut failed_at = Vec::new();
    for (attempt, reason) in ["first", "second"].into_iter().enumerate() {
        let delivery = next(&mut subscription).await;
        assert_eq!(delivery.envelope.as_ref().unwrap().attempt as usize, attempt);
        failed_at.push(Timestamp::now());
        delivery.finish(Outcome::Retry { after: Duration::from_secs(1), reason: reason.into() }).await.unwrap();
    }
    let delivery = next(&mut subscription).await;
    assert!(Timestamp::now() >= failed_at[1] + Duration::from_secs(1), "too early");
    assert!(failed_at[1] >= failed_at[0] + Duration::from_secs(1), "too early");
    assert!(!delivery.redelivered, "a retry is no loss");
    let mut job = delivery.envelope.clone().unwrap();
    let reasons: Vec<_> = job.history.drain(..).map(|failed| failed.reason).collect();
    assert_eq!(reasons, ["first", "second"]);
    job.attempt = 0;
    assert_eq!(job, published, "all else stays");
}

pub async fn a_delayed_job_blocks_nobody(backend: &impl TestBackend) {
    let queue = backend.open().await;
    queue.publish(&[job("a", "hour"), job("a", "second"), job("a", "ready")]).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    for after in [3600, 1] {
        let outcome = Outcome::Retry { after: Duration::from_secs(after), reason: "later".into() };
        next(&mut subscription).await.finish(outcome).await.unwrap();
    }
    let ready = next(&mut subscription).await;
    assert_eq!(key_of(&ready), "ready");
    ready.finish(Outcome::Done(vec![])).await.unwrap();
    let second = next(&mut subscription).await;
    assert_eq!(key_of(&second), "second");
    wait_for_counts(&queue, "a", (0, 1, 1, 0)).await;
}

pub async fn a_released_job_is_ready_at_once_and_as_it_was(backend: &impl TestBackend) {
    let queue = backend.open().await;
    let published = job("a", "1");
    queue.publish(std::slice::from_ref(&published)).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    next(&mut subscription).await.finish(Outcome::Release).await.unwrap();
    let delivery = next(&mut subscription).await;
    assert_eq!(delivery.envelope, Ok(published));
    assert!(!delivery.redelivered, "its worker was not lost");
}

pub async fn a_released_job_goes_behind_those_that_wait(backend: &impl TestBackend) {
    let queue = backend.open().await;
    queue.publish(&[job("a", "1"), job("a", "2"), job("a", "3")]).await.unwrap();
    queue.publish(&[job("a", "4").urgent(), job("a", "5").urgent()]).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    let mut order = Vec::new();
    for outcome in [Outcome::Release, Outcome::Done(vec![]), Outcome::Done(vec![]), Outcome::Release] {
        let delivery = next(&mut subscription).await;
        order.push(key_of(&delivery));
        delivery.finish(outcome).await.unwrap();
    }
    for _ in 0..3 {
        let delivery = next(&mut subscription).await;
        order.push(key_of(&delivery));
        delivery.finish(Outcome::Done(vec![])).await.unwrap();
    }
    assert_eq!(order, ["4", "5", "4", "1", "2", "3", "1"]);
    wait_for_counts(&queue, "a", (0, 0, 0, 0)).await;
}

pub async fn a_postponed_message_comes_back_after_its_wait_as_it_was(backend: &impl TestBackend) {
    let queue = backend.open().await;
    let newer = r#"{"v":2,"id":"x","something":"new"}"#;
    backend.put_raw("a", newer.as_bytes()).await;
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    let postponed_at = Timestamp::now();
    next(&mut subscription).await.finish(Outcome::Postpone { after: Duration::from_secs(2) }).await.unwrap();
    wait_for_counts(&queue, "a", (0, 0, 1, 0)).await;
    let delivery = next(&mut subscription).await;
    assert!(Timestamp::now() >= postponed_at + Duration::from_secs(2), "too early");
    assert!(!delivery.redelivered, "its worker was not lost");
    delivery.finish(Outcome::Dead { reason: "to be looked at".into() }).await.unwrap();
    assert_eq!(queue.dead_letters(None).await.unwrap()[0].payload, newer, "nothing was counted in it");
}

pub async fn a_job_of_the_version_before_is_delivered_upgraded(backend: &impl TestBackend) {
    let queue = backend.open().await;
    backend.put_raw("a", br#"{"v":0,"id":"x","kind":"a","key":"1","body":{"track_id":"1"}}"#).await;
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    let delivery = next(&mut subscription).await;
    let job = delivery.envelope.clone().unwrap();
    assert_eq!((job.v, job.key.as_str(), job.attempt), (1, "1", 0));
    delivery.finish(Outcome::Retry { after: Duration::ZERO, reason: "once".into() }).await.unwrap();
    assert_eq!(next(&mut subscription).await.envelope.as_ref().unwrap().attempt, 1);
}

pub async fn a_stale_outcome_is_refused_and_the_new_owner_goes_on(backend: &impl TestBackend) {
    let (first_process, second_process) = (backend.open().await, backend.open().await);
    first_process.publish(&[job("a", "1")]).await.unwrap();
    // A slot more than it has jobs: it asks for another.
    let mut subscription = first_process.subscribe(&["a"], 2).await.unwrap();
    let late = next(&mut subscription).await;
    backend.end_leases().await;
    backend.wait_until_noticed(&mut subscription).await;
    let taken_over = next(&mut second_process.subscribe(&["a"], 1).await.unwrap()).await;
    assert!(taken_over.redelivered);
    let refused = late.finish(Outcome::Dead { reason: "late".into() }).await;
    assert!(matches!(refused, Err(QueueError::Stale)), "{refused:?}");
    taken_over.finish(Outcome::Done(vec![])).await.unwrap();
    wait_for_counts(&second_process, "a", (0, 0, 0, 0)).await;
}

/// A worker whose time to stop has passed drops what it is about to finish.
pub async fn an_outcome_whose_worker_drops_it_leaves_one_job_and_not_two(backend: &impl TestBackend) {
    let queue = backend.open().await;
    queue.publish(&jobs("a", 40)).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 40).await.unwrap();
    for after in 0..40 {
        let delivery = next(&mut subscription).await;
        // Dropped at whatever point it has reached.
        tokio::select! {
            biased;
            ended = delivery.finish(Outcome::Postpone { after: Duration::from_secs(3600) }) => ended.unwrap(),
            () = yield_times(after) => {}
        }
    }
    drop(subscription);
    within_a_minute(queue.flush()).await;
    // What was not acknowledged is delivered again.
    backend.end_leases().await;
    wait_for_counts(&backend.open().await, "a", (0, 0, 40, 0)).await;
}
