//! Dead letters, and messages that are not jobs.

use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use model::job::{BadEnvelope, Envelope};
use queue::{DeadLetterFilter, Outcome, Queue};

use super::{TestBackend, job, next, wait_for_counts};

/// Publishes jobs and lets each die.
async fn bury(queue: &Arc<dyn Queue>, jobs: &[Envelope]) {
    for job in jobs {
        queue.publish(std::slice::from_ref(job)).await.unwrap();
        let delivery = next(&mut queue.subscribe(&[job.kind.as_str()], 1).await.unwrap()).await;
        delivery.finish(Outcome::Dead { reason: format!("{} is bad", job.key) }).await.unwrap();
    }
}

fn retry() -> Outcome {
    Outcome::Retry { after: Duration::ZERO, reason: "once".into() }
}

pub async fn a_dead_job_is_listed_with_its_reason_and_history(backend: &impl TestBackend) {
    let queue = backend.open().await;
    let (before, published) = (Timestamp::now(), job("a", "1"));
    queue.publish(std::slice::from_ref(&published)).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    next(&mut subscription).await.finish(retry()).await.unwrap();
    next(&mut subscription).await.finish(Outcome::Dead { reason: "no such track".into() }).await.unwrap();
    bury(&queue, &[job("b", "2")]).await;

    let letters = queue.dead_letters(None).await.unwrap();
    assert_eq!(letters.iter().map(|letter| letter.kind.as_str()).collect::<Vec<_>>(), ["a", "b"], "oldest first");
    let letter = &letters[0];
    assert_eq!((&letter.id, letter.key.as_deref()), (&published.id, Some("1")));
    assert_eq!(letter.reason, "no such track");
    assert!(letter.died_at >= before && letter.died_at <= Timestamp::now());
    assert_eq!(letter.history.len(), 1);
    assert_eq!(letter.history[0].reason, "once");
    let payload = Envelope::parse(letter.payload.as_bytes()).unwrap();
    assert_eq!((payload.attempt, payload.body), (1, published.body));

    let of_one_kind = queue.dead_letters(Some("b")).await.unwrap();
    assert_eq!(of_one_kind, letters[1..]);
}

pub async fn a_requeued_job_starts_a_new_life(backend: &impl TestBackend) {
    let queue = backend.open().await;
    let published = job("a", "1").urgent();
    queue.publish(std::slice::from_ref(&published)).await.unwrap();
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    next(&mut subscription).await.finish(retry()).await.unwrap();
    next(&mut subscription).await.finish(Outcome::Dead { reason: "bad".into() }).await.unwrap();
    assert_eq!(queue.requeue(&DeadLetterFilter::All).await.unwrap(), 1);
    assert_eq!(queue.dead_letters(None).await.unwrap(), []);
    let delivery = next(&mut subscription).await;
    assert_eq!(delivery.envelope, Ok(published), "no attempt, no history, the same id");
    assert!(!delivery.redelivered);
}

pub async fn only_the_chosen_dead_are_requeued_or_purged(backend: &impl TestBackend) {
    let queue = backend.open().await;
    let jobs = [job("a", "1"), job("a", "2"), job("a", "3"), job("b", "4")];
    bury(&queue, &jobs).await;
    let ids = |which: &[usize]| {
        let unknown = "no such id".to_owned();
        DeadLetterFilter::Ids(which.iter().map(|&i| jobs[i].id.clone()).chain([unknown]).collect())
    };
    assert_eq!(queue.requeue(&ids(&[0])).await.unwrap(), 1);
    assert_eq!(queue.purge(&ids(&[2])).await.unwrap(), 1);
    let left: Vec<_> = queue.dead_letters(None).await.unwrap().into_iter().map(|letter| letter.id).collect();
    assert_eq!(left, [jobs[1].id.clone(), jobs[3].id.clone()]);
    wait_for_counts(&queue, "a", (1, 0, 0, 1)).await;
    assert_eq!(queue.purge(&DeadLetterFilter::All).await.unwrap(), 2);
    assert_eq!(queue.requeue(&DeadLetterFilter::All).await.unwrap(), 0);
    wait_for_counts(&queue, "a", (1, 0, 0, 0)).await;
}

pub async fn dead_jobs_of_two_kinds_with_one_id_are_kept_apart(backend: &impl TestBackend) {
    let queue = backend.open().await;
    let first = job("a", "1");
    bury(&queue, &[first.clone(), Envelope { kind: "b".into(), ..first }]).await;
    let letters = queue.dead_letters(None).await.unwrap();
    assert_eq!(letters.iter().map(|letter| letter.kind.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(queue.requeue(&DeadLetterFilter::Ids(vec![letters[1].id.clone()])).await.unwrap(), 1);
    assert_eq!(queue.dead_letters(None).await.unwrap(), letters[..1]);
}

pub async fn a_message_that_is_no_job_can_be_retried_buried_and_requeued_as_it_is(backend: &impl TestBackend) {
    let queue = backend.open().await;
    backend.put_raw("a", b"no job at all").await;
    let mut subscription = queue.subscribe(&["a"], 1).await.unwrap();
    for outcome in [retry(), Outcome::Release, Outcome::Dead { reason: "not readable".into() }] {
        let delivery = next(&mut subscription).await;
        assert!(matches!(delivery.envelope, Err(BadEnvelope::Malformed(_))));
        assert_eq!(delivery.kind, "a");
        delivery.finish(outcome).await.unwrap();
    }
    let letters = queue.dead_letters(None).await.unwrap();
    let letter = &letters[0];
    assert_eq!((letter.kind.as_str(), letter.payload.as_str()), ("a", "no job at all"));
    assert_eq!((letter.key.as_deref(), letter.history.as_slice()), (None, [].as_slice()));
    assert_eq!(letter.reason, "not readable");
    assert_eq!(queue.requeue(&DeadLetterFilter::Ids(vec![letter.id.clone()])).await.unwrap(), 1);
    assert!(next(&mut subscription).await.envelope.is_err());
}

pub async fn an_envelope_of_another_version_keeps_its_text(backend: &impl TestBackend) {
    let queue = backend.open().await;
    let text = r#"{"v":2,"id":"x","something":"new"}"#;
    backend.put_raw("a", text.as_bytes()).await;
    let delivery = next(&mut queue.subscribe(&["a"], 1).await.unwrap()).await;
    assert_eq!(delivery.envelope, Err(BadEnvelope::Newer { found: 2, known: 1 }));
    delivery.finish(Outcome::Dead { reason: "nobody needs it".into() }).await.unwrap();
    assert_eq!(queue.dead_letters(Some("a")).await.unwrap()[0].payload, text);
}
