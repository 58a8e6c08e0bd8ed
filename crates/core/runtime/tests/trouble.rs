//! A queue in trouble, and messages that no program of this system wrote.

mod common;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use common::*;
use host::Backends;
use model::job::Envelope;
use queue::{Acker, DeadLetter, DeadLetterFilter, Delivery, KindStats, Outcome, Queue, QueueError, Subscription};
use runtime::{Failure, Shutdown, Until, Worker, WorkerError};
use tokio::sync::{Notify, mpsc};

/// What the queue answers to the next `subscribe` or `next`, before it works again.
enum Next {
    RefuseToSubscribe(QueueError),
    Fail(QueueError),
    Deliver(&'static [u8]),
}

type Ends = mpsc::UnboundedSender<Outcome>;

/// A queue that fails a few times before it behaves like the one that it wraps.
struct Surprising {
    inner: Arc<dyn Queue>,
    script: Arc<Mutex<VecDeque<Next>>>,
    ends: Ends,
    left: Arc<Notify>,
}

struct SurprisingSubscription {
    inner: Box<dyn Subscription>,
    kind: String,
    script: Arc<Mutex<VecDeque<Next>>>,
    ends: Ends,
    left: Arc<Notify>,
}

impl Drop for SurprisingSubscription {
    fn drop(&mut self) {
        self.left.notify_one();
    }
}

struct Told(Ends);

#[async_trait]
impl Queue for Surprising {
    async fn subscribe(&self, kinds: &[&str], slots: usize) -> Result<Box<dyn Subscription>, QueueError> {
        let refusal = self.script.lock().unwrap().pop_front_if(|next| matches!(next, Next::RefuseToSubscribe(_)));
        if let Some(Next::RefuseToSubscribe(error)) = refusal {
            return Err(error);
        }
        let inner = self.inner.subscribe(kinds, slots).await?;
        let (script, ends, left) = (self.script.clone(), self.ends.clone(), self.left.clone());
        Ok(Box::new(SurprisingSubscription { inner, kind: kinds[0].to_owned(), script, ends, left }))
    }

    async fn publish(&self, jobs: &[Envelope]) -> Result<(), QueueError> {
        self.inner.publish(jobs).await
    }
    async fn flush(&self) {}

    async fn stats(&self) -> Result<Vec<KindStats>, QueueError> {
        self.inner.stats().await
    }
    async fn dead_letters(&self, kind: Option<&str>) -> Result<Vec<DeadLetter>, QueueError> {
        self.inner.dead_letters(kind).await
    }
    async fn requeue(&self, filter: &DeadLetterFilter) -> Result<usize, QueueError> {
        self.inner.requeue(filter).await
    }
    async fn purge(&self, filter: &DeadLetterFilter) -> Result<usize, QueueError> {
        self.inner.purge(filter).await
    }
}

#[async_trait]
impl Subscription for SurprisingSubscription {
    async fn next(&mut self) -> Result<Delivery, QueueError> {
        let next = self.script.lock().unwrap().pop_front_if(|next| !matches!(next, Next::RefuseToSubscribe(_)));
        match next {
            Some(Next::Fail(error)) => Err(error),
            Some(Next::Deliver(payload)) => {
                Ok(Delivery::new(self.kind.clone(), payload, false, Box::new(Told(self.ends.clone()))))
            }
            _ => self.inner.next().await,
        }
    }
}

#[async_trait]
impl Acker for Told {
    /// Stale, if the test does not listen.
    async fn finish(self: Box<Self>, end: Outcome) -> Result<(), QueueError> {
        self.0.send(end).map_err(|_| QueueError::Stale)
    }
}

/// A worker of that queue, how its deliveries end, and a signal whenever it drops a subscription.
fn surprising(
    place: &Place,
    script: impl IntoIterator<Item = Next>,
) -> (Worker, mpsc::UnboundedReceiver<Outcome>, Arc<Notify>) {
    let (ends, told) = mpsc::unbounded_channel();
    let script = Arc::new(Mutex::new(script.into_iter().collect()));
    let left = Arc::new(Notify::new());
    let queue = Arc::new(Surprising { inner: place.backends.queue.clone(), script, ends, left: left.clone() });
    let worker = (Backends { queue, ..place.backends.clone() }).worker();
    (worker.with(on(|_: Apple, _| async { Ok(vec![]) }), 1), told, left)
}

fn out_of_reach() -> QueueError {
    QueueError::Unavailable { at: "far away".into(), cause: "nobody answers".into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_fails_is_made_again_and_no_job_is_lost() {
    let place = Place::new().await;
    place.publish(&[job(Apple { n: 1 }), job(Apple { n: 2 })]).await;
    let script = [Next::RefuseToSubscribe(out_of_reach()), Next::Fail(out_of_reach()), Next::Fail(out_of_reach())];
    let (worker, ..) = surprising(&place, script);
    assert_eq!(run_until_empty(worker).await["test.apple"], counts(2, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_can_never_be_used_ends_the_worker_with_its_reason() {
    let place = Place::new().await;
    for next in [Next::RefuseToSubscribe, Next::Fail] {
        let (worker, ..) = surprising(&place, [next(QueueError::Unusable("it is of a newer version".into()))]);
        let run = worker.with(on(|_: Pear, _| async { Ok(vec![]) }), 1).run(Until::Stopped, Shutdown::new());
        let error = tokio::time::timeout(DEADLINE, run).await.expect("it ends").unwrap_err();
        assert_eq!(error.to_string(), "it is of a newer version");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_under_way_is_finished_when_the_queue_can_no_longer_be_used() {
    let place = Place::new().await;
    let own = br#"{"v":1,"id":"x","kind":"test.apple","key":"1","attempt":0,"enqueued_at":0,"body":{"n":1}}"#;
    let script = [Next::Deliver(own), Next::Fail(QueueError::Unusable("gone".into()))];
    let (worker, mut ends, left) = surprising(&place, script);
    let finish = Arc::new(Notify::new());
    let may_end = finish.clone();
    let handler = on(move |_: Apple, _| {
        let may_end = may_end.clone();
        async move {
            may_end.notified().await;
            Ok(vec![])
        }
    });
    let run = tokio::spawn(worker.with(handler, 2).run(Until::Stopped, Shutdown::new()));
    tokio::time::timeout(DEADLINE, left.notified()).await.expect("it takes no more");
    finish.notify_one();
    let result = tokio::time::timeout(DEADLINE, run).await.expect("it ends").unwrap();
    assert_eq!(result.unwrap_err().to_string(), "gone");
    assert!(matches!(ends.try_recv(), Ok(Outcome::Done(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_are_no_jobs_of_their_queue_are_dead_with_a_reason() {
    let place = Place::new().await;
    let other = br#"{"v":1,"id":"x","kind":"test.plum","key":"1","attempt":0,"enqueued_at":0,"body":{"n":1}}"#;
    let (worker, mut ends, _) = surprising(&place, [Next::Deliver(b"\xffgarbage"), Next::Deliver(other)]);
    assert_eq!(run_until_empty(worker).await["test.apple"], counts(0, 0, 2));
    let mut reason = || match ends.try_recv() {
        Ok(Outcome::Dead { reason }) => reason,
        other => panic!("not dead: {other:?}"),
    };
    let first = reason();
    assert!(first.starts_with("not a job envelope: "), "{first}");
    assert_eq!(reason(), "a job of kind `test.plum` was in the queue of `test.apple`");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_given_to_another_worker_meanwhile_is_left_to_it() {
    let place = Place::new().await;
    place.publish(&[job(Apple { n: 2 })]).await;
    let own = br#"{"v":1,"id":"x","kind":"test.apple","key":"1","attempt":0,"enqueued_at":0,"body":{"n":1}}"#;
    let (worker, ends, _) = surprising(&place, [Next::Deliver(own)]);
    drop(ends);
    assert_eq!(run_until_empty(worker).await["test.apple"], counts(1, 0, 0), "only the other one is counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_finds_the_store_out_of_reach_is_handed_back_uncounted() {
    let place = Place::new().await;
    place.publish(&[job(Apple { n: 1 })]).await;
    let answers = Mutex::new(VecDeque::from(["down", "still down"]));
    let handler = on(move |_: Apple, _| {
        let down = answers.lock().unwrap().pop_front();
        async move {
            let error = |cause: &str| store::StoreError::Unavailable { at: "far away".into(), cause: cause.into() };
            down.map_or(Ok(vec![]), |cause| Err(Failure::from(error(cause))))
        }
    });
    assert_eq!(run_until_empty(place.worker().with(handler, 1)).await["test.apple"], counts(1, 0, 0));
}

fn full_disk() -> store::StoreError {
    store::StoreError::Unwritable { file: "a.db".into(), why: "the disk is full: free some space".into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_this_process_ends_until_empty_and_its_job_is_left_to_others_uncounted() {
    let place = Place::new().await;
    place.publish(&[job(Apple { n: 1 }), job(Apple { n: 2 })]).await;
    let full = on(|_: Apple, _| async { Err(Failure::from(full_disk())) });
    let run = place.worker().with(full, 2).run(Until::Empty, Shutdown::new());
    let error = tokio::time::timeout(DEADLINE, run).await.expect("it ends").unwrap_err();
    assert!(matches!(error, WorkerError::Local(_)), "{error:?}");
    assert_eq!(error.to_string(), "cannot write to a.db: the disk is full: free some space");
    let good = on(|_: Apple, _| async { Ok(vec![]) });
    assert_eq!(run_until_empty(place.worker().with(good, 1)).await["test.apple"], counts(2, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_cannot_write_ends_until_empty() {
    let place = Place::new().await;
    for next in [Next::RefuseToSubscribe, Next::Fail] {
        let full = QueueError::Unwritable { file: "q.db".into(), why: "the disk is full: free some space".into() };
        let (worker, ..) = surprising(&place, [next(full)]);
        let run = worker.run(Until::Empty, Shutdown::new());
        let error = tokio::time::timeout(DEADLINE, run).await.expect("it ends").unwrap_err();
        assert_eq!(error.to_string(), "cannot write to q.db: the disk is full: free some space");
    }
}
