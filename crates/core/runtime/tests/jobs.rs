//! How jobs end.

mod common;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::*;
use model::Timestamp;
use model::job::Envelope;
use queue::Outcome;
use runtime::Failure;

#[tokio::test(flavor = "multi_thread")]
async fn follow_ups_are_run_and_everything_is_acknowledged() {
    let place = Place::new().await;
    place.publish(&[job(Apple { n: 1 }), job(Apple { n: 2 })]).await;
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let see = seen.clone();
    let worker = place
        .worker()
        .with(on(|Apple { n }, _| async move { Ok(vec![job(Pear { n }), job(Pear { n: n + 10 })]) }), 2)
        .with(
            on(move |Pear { n }, _| {
                see.lock().unwrap().insert(n);
                async { Ok(vec![]) }
            }),
            2,
        );
    let ended = run_until_empty(worker).await;
    assert_eq!(ended["test.apple"], counts(2, 0, 0));
    assert_eq!(ended["test.pear"], counts(4, 0, 0));
    assert_eq!(*seen.lock().unwrap(), BTreeSet::from([1, 2, 11, 12]));
    assert!(place.dead().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_jobs_run_at_once_as_there_are_slots() {
    let place = Place::new().await;
    place.publish(&(0..9).map(|n| job(Apple { n })).collect::<Vec<_>>()).await;
    let all_three = Arc::new(tokio::sync::Barrier::new(3));
    let (running, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let peak = most.clone();
    let handler = on(move |_: Apple, _| {
        let (all_three, running, most) = (all_three.clone(), running.clone(), most.clone());
        async move {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            all_three.wait().await;
            running.fetch_sub(1, Ordering::SeqCst);
            Ok(vec![])
        }
    });
    assert_eq!(run_until_empty(place.worker().with(handler, 3)).await["test.apple"], counts(9, 0, 0));
    assert_eq!(peak.load(Ordering::SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_waits_as_long_as_the_service_asked_and_counts_the_attempt() {
    let place = Place::new().await;
    place.publish(&[job(Apple { n: 1 })]).await;
    let failed_at = Arc::new(Mutex::new(None));
    let early = Arc::new(Mutex::new(None));
    let (first, second) = (failed_at.clone(), early.clone());
    let handler = on(move |_: Apple, _| {
        let mut failed_at = first.lock().unwrap();
        let result = match *failed_at {
            None => {
                *failed_at = Some(Timestamp::now());
                Err(Failure::Retry { after: Some(Duration::from_secs(2)), reason: "503".into() })
            }
            Some(at) => {
                *second.lock().unwrap() = Some(Timestamp::now().duration_since(at));
                Ok(vec![])
            }
        };
        async { result }
    });
    assert_eq!(run_until_empty(place.worker().with(handler, 1)).await["test.apple"], counts(1, 1, 0));
    let waited = early.lock().unwrap().expect("a second attempt");
    assert!(waited >= Duration::from_secs(2), "tried again after {waited:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_attempts_are_used_up_is_dead_with_its_history() {
    let place = Place::new().await;
    place.publish(&[job(Apple { n: 1 })]).await;
    let attempt = AtomicU32::new(0);
    let handler = on(move |_: Apple, _| {
        let reason = format!("no {}", attempt.fetch_add(1, Ordering::SeqCst) + 1);
        async { Err(Failure::Retry { after: Some(Duration::from_millis(10)), reason }) }
    });
    let backends = place.again(|settings| settings.worker.max_attempts = 3).await;
    let ended = run_until_empty(backends.worker().with(handler, 1)).await;
    assert_eq!(ended["test.apple"], counts(0, 2, 1));
    let dead = place.dead().await;
    assert_eq!(dead[0].reason, "gave up after 3 attempts: no 3");
    assert_eq!(dead[0].history.iter().map(|failed| &*failed.reason).collect::<Vec<_>>(), ["no 1", "no 2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_without_a_wait_backs_off_by_itself() {
    let place = Place::new().await;
    place.publish(&[job(Apple { n: 1 })]).await;
    let (shutdown, run) = start(place.worker().with(on(|_: Apple, _| async { Err(Failure::retry("no")) }), 1));
    place.until("it waits", async |_| (place.stats("test.apple").await.delayed == 1).then_some(())).await;
    shutdown.stop();
    assert_eq!(ended(run).await["test.apple"], counts(0, 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_job_is_tried_once() {
    let place = Place::new().await;
    place.publish(&[job(Apple { n: 1 })]).await;
    let handler = on(|_: Apple, _| async { Err(Failure::dead("no such playlist")) });
    assert_eq!(run_until_empty(place.worker().with(handler, 1)).await["test.apple"], counts(0, 0, 1));
    let dead = place.dead().await;
    assert_eq!((&*dead[0].reason, dead[0].key.as_deref()), ("no such playlist", Some("1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_a_failed_attempt_and_the_worker_goes_on() {
    let place = Place::new().await;
    place.publish(&[job(Apple { n: 1 }), job(Apple { n: 2 })]).await;
    let handler = on(|Apple { n }, _| async move {
        assert_ne!(n, 1, "this one is bad");
        Ok(vec![])
    });
    let backends = place.again(|settings| settings.worker.max_attempts = 1).await;
    let ended = run_until_empty(backends.worker().with(handler, 1)).await;
    assert_eq!(ended["test.apple"], counts(1, 0, 1));
    let reason = &place.dead().await[0].reason;
    assert!(
        reason.starts_with("gave up after 1 attempts: panicked: ") && reason.contains("this one is bad"),
        "{reason}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_no_handler_can_read_are_dead_with_a_reason() {
    let place = Place::new().await;
    let wrong_body = Envelope { body: serde_json::json!({"m": 1}), ..job(Apple { n: 1 }) };
    place.publish(&[wrong_body, job(Apple { n: 3 })]).await;
    let handler = on(|_: Apple, _| async { Ok(vec![]) });
    assert_eq!(run_until_empty(place.worker().with(handler, 1)).await["test.apple"], counts(1, 0, 1));
    let reason = place.dead().await.remove(0).reason;
    assert!(reason.contains("this is not the body of a test.apple job: missing field `n`"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_loses_its_worker_again_and_again_is_dead() {
    let place = Place::new().await;
    let killer = job(Apple { n: 1 });
    for _ in 0..10 {
        place.backends.store.count_crash(&killer.id).await.unwrap();
    }
    place.publish(&[killer, job(Apple { n: 2 })]).await;
    lose(&place).await;
    let handler = on(|_: Apple, _| async { Ok(vec![]) });
    let ended = run_until_empty(place.worker().with(handler, 1)).await;
    assert_eq!(ended["test.apple"], counts(1, 0, 1));
    assert_eq!(place.dead().await[0].reason, "its worker was lost 11 times while running it");
}

/// Takes a job and is lost with it: the delivery is dropped without an end.
async fn lose(place: &Place) {
    let mut subscription = place.backends.queue.subscribe(&["test.apple"], 1).await.unwrap();
    let delivery = subscription.next().await.unwrap();
    assert!(!delivery.redelivered);
    drop(delivery);
}

#[tokio::test(flavor = "multi_thread")]
async fn until_empty_waits_for_jobs_that_run_elsewhere_and_runs_their_follow_ups() {
    let place = Place::new().await;
    place.publish(&[job(Apple { n: 1 })]).await;
    let mut elsewhere = place.backends.queue.subscribe(&["test.apple"], 1).await.unwrap();
    let delivery = elsewhere.next().await.unwrap();
    let worker =
        place.worker().with(on(|_: Apple, _| async { Ok(vec![]) }), 1).with(on(|_: Pear, _| async { Ok(vec![]) }), 1);
    let mut run = tokio::spawn(run_until_empty(worker));
    place.publish(&[job(Pear { n: 0 })]).await;
    place.until("the first is done", async |_| (place.stats("test.pear").await.ready == 0).then_some(())).await;
    // Half a second of looks that all must say "not yet".
    assert!(tokio::time::timeout(Duration::from_millis(500), &mut run).await.is_err(), "it did not wait");
    delivery.finish(Outcome::Done(vec![job(Pear { n: 1 }), job(Pear { n: 2 })])).await.unwrap();
    assert_eq!(run.await.unwrap()["test.pear"], counts(3, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn until_empty_does_not_wait_for_kinds_of_other_workers() {
    let place = Place::new().await;
    place.publish(&[job(Plum { n: 1 }), job(Apple { n: 1 })]).await;
    let ended = run_until_empty(place.worker().with(on(|_: Apple, _| async { Ok(vec![]) }), 1)).await;
    assert_eq!(ended.into_iter().collect::<Vec<_>>(), [("test.apple".to_owned(), counts(1, 0, 0))]);
    assert_eq!(place.stats("test.plum").await.ready, 1);
}
