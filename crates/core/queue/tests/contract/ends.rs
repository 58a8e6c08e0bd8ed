//! The ends of a delivery that is not dead.

use std::time::Duration;

use model::Timestamp;
use queue::{Outcome, QueueError};

use super::{Backends, counts, job, jobs, key, next, soon, turns};

pub async fn done_publishes_the_follow_ups_and_removes_the_job(backends: &impl Backends) {
    let queue = backends.open().await;
    queue.publish(&[job("a", "1")]).await.unwrap();
    let follow_ups = vec![job("b", "2"), job("c", "3")];
    let delivery = next(&mut queue.subscribe(&["a"], 1).await.unwrap()).await;
    delivery.end(Outcome::Done(follow_ups.clone())).await.unwrap();
    for follow_up in follow_ups {
        let delivery = next(&mut queue.subscribe(&[follow_up.kind.as_str()], 1).await.unwrap()).await;
        assert_eq!(delivery.envelope, Ok(follow_up));
    }
    counts(&queue, "a", (0, 0, 0, 0)).await;
}

pub async fn a_retry_waits_its_time_and_counts_the_attempt(backends: &impl Backends) {
    let queue = backends.open().await;
    let published = job("a", "1").urgent();
    queue.publish(std::slice::from_ref(&published)).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    let mut failed_at = Vec::new();
    for (attempt, reason) in ["first", "second"].into_iter().enumerate() {
        let delivery = next(&mut subscription).await;
        assert_eq!(delivery.envelope.as_ref().unwrap().attempt as usize, attempt);
        failed_at.push(Timestamp::now());
        delivery.end(Outcome::Retry { after: Duration::from_secs(1), reason: reason.into() }).await.unwrap();
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

pub async fn a_delayed_job_blocks_nobody(backends: &impl Backends) {
    let queue = backends.open().await;
    queue.publish(&[job("a", "hour"), job("a", "second"), job("a", "ready")]).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    for after in [3600, 1] {
        let end = Outcome::Retry { after: Duration::from_secs(after), reason: "later".into() };
        next(&mut subscription).await.end(end).await.unwrap();
    }
    let ready = next(&mut subscription).await;
    assert_eq!(key(&ready), "ready");
    ready.end(Outcome::Done(vec![])).await.unwrap();
    assert_eq!(key(&next(&mut subscription).await), "second");
    counts(&queue, "a", (0, 1, 1, 0)).await;
}

pub async fn a_released_job_is_ready_at_once_and_as_it_was(backends: &impl Backends) {
    let queue = backends.open().await;
    let published = job("a", "1");
    queue.publish(std::slice::from_ref(&published)).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    next(&mut subscription).await.end(Outcome::Release).await.unwrap();
    let delivery = next(&mut subscription).await;
    assert_eq!(delivery.envelope, Ok(published));
    assert!(!delivery.redelivered, "its worker was not lost");
}

pub async fn a_released_job_goes_behind_those_that_wait(backends: &impl Backends) {
    let queue = backends.open().await;
    queue.publish(&[job("a", "1"), job("a", "2"), job("a", "3")]).await.unwrap();
    queue.publish(&[job("a", "4").urgent(), job("a", "5").urgent()]).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    let mut order = Vec::new();
    for end in [Outcome::Release, Outcome::Done(vec![]), Outcome::Done(vec![]), Outcome::Release] {
        let delivery = next(&mut subscription).await;
        order.push(key(&delivery));
        delivery.end(end).await.unwrap();
    }
    for _ in 0..3 {
        let delivery = next(&mut subscription).await;
        order.push(key(&delivery));
        delivery.end(Outcome::Done(vec![])).await.unwrap();
    }
    assert_eq!(order, ["4", "5", "4", "1", "2", "3", "1"]);
    counts(&queue, "a", (0, 0, 0, 0)).await;
}

pub async fn a_postponed_message_comes_back_after_its_wait_as_it_was(backends: &impl Backends) {
    let queue = backends.open().await;
    let newer = r#"{"v":2,"id":"x","something":"new"}"#;
    backends.put_raw("a", newer.as_bytes()).await;
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    let postponed_at = Timestamp::now();
    next(&mut subscription).await.end(Outcome::Postpone { after: Duration::from_secs(2) }).await.unwrap();
    counts(&queue, "a", (0, 0, 1, 0)).await;
    let delivery = next(&mut subscription).await;
    assert!(Timestamp::now() >= postponed_at + Duration::from_secs(2), "too early");
    assert!(!delivery.redelivered, "its worker was not lost");
    delivery.end(Outcome::Dead { reason: "to be looked at".into() }).await.unwrap();
    assert_eq!(queue.dead_letters(None).await.unwrap()[0].payload, newer, "nothing was counted in it");
}

pub async fn a_job_of_the_version_before_is_delivered_upgraded(backends: &impl Backends) {
    let queue = backends.open().await;
    backends.put_raw("a", br#"{"v":0,"id":"x","kind":"a","key":"1","body":{"track_id":"1"}}"#).await;
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    let delivery = next(&mut subscription).await;
    let job = delivery.envelope.clone().unwrap();
    assert_eq!((job.v, job.key.as_str(), job.attempt), (1, "1", 0));
    delivery.end(Outcome::Retry { after: Duration::ZERO, reason: "once".into() }).await.unwrap();
    assert_eq!(next(&mut subscription).await.envelope.as_ref().unwrap().attempt, 1);
}

pub async fn a_stale_end_is_refused_and_the_new_owner_goes_on(backends: &impl Backends) {
    let (here, there) = (backends.open().await, backends.open().await);
    here.publish(&[job("a", "1")]).await.unwrap();
    // A slot more than it has jobs: it asks for another.
    let mut subscription = here.subscribe(&["a"], 2).await.unwrap();
    let late = next(&mut subscription).await;
    backends.end_leases().await;
    backends.noticed(&mut subscription).await;
    let taken_over = next(&mut there.subscribe(&["a"], 1).await.unwrap()).await;
    assert!(taken_over.redelivered);
    let refused = late.end(Outcome::Dead { reason: "late".into() }).await;
    assert!(matches!(refused, Err(QueueError::Stale)), "{refused:?}");
    taken_over.end(Outcome::Done(vec![])).await.unwrap();
    counts(&there, "a", (0, 0, 0, 0)).await;
}

/// A worker whose time to stop is over lets go of what it is about to end.
pub async fn an_end_that_its_worker_lets_go_of_leaves_one_job_and_not_two(backends: &impl Backends) {
    let queue = backends.open().await;
    queue.publish(&jobs("a", 40)).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 40).await.unwrap();
    for after in 0..40 {
        let delivery = next(&mut subscription).await;
        // Let go of at whatever point it has come to.
        tokio::select! {
            biased;
            ended = delivery.end(Outcome::Postpone { after: Duration::from_secs(3600) }) => ended.unwrap(),
            () = turns(after) => {}
        }
    }
    drop(subscription);
    soon(queue.flush()).await;
    // What was not acknowledged comes back.
    backends.end_leases().await;
    counts(&backends.open().await, "a", (0, 0, 40, 0)).await;
}
