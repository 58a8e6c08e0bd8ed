//! Pauses and cancelled runs, which workers read from the store.

mod common;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use common::*;
use model::Timestamp;
use model::fleet::{Heartbeat, JobCounts, Pause};
use model::job::Envelope;
use model::run::Run;
use queue::{DeadLetter, DeadLetterFilter, KindStats, Outcome, Queue, QueueError, Subscription};

/// A handler that records its jobs.
fn recording(seen: &Arc<Mutex<BTreeSet<u32>>>) -> impl runtime::Handler<Body = Apple> + use<> {
    let seen = seen.clone();
    on(move |Apple { n }, _| {
        seen.lock().unwrap().insert(n);
        async move { Ok(vec![job(Pear { n })]) }
    })
}

async fn pause(place: &Place, kind: &str) {
    let pause = Pause { kind: kind.into(), since: Timestamp::now() };
    place.backends.store.pause_kind(&pause).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_a_paused_kind_wait_until_it_is_resumed_and_others_go_on() {
    let place = Place::new().await;
    pause(&place, "test.apple").await;
    place.publish(&[job(Apple { n: 1 }), job(Plum { n: 1 })]).await;
    let seen = Arc::default();
    let worker = place
        .worker()
        .with(recording(&seen), 1)
        .with(on(|_: Pear, _| async { Ok(vec![]) }), 1)
        .with(on(|_: Plum, _| async { Ok(vec![]) }), 1);
    let run = tokio::spawn(run_until_empty(worker));
    place.until("the plum is done", async |_| is_idle(&place.stats("test.plum").await)).await;
    assert_eq!((place.stats("test.apple").await.ready, seen.lock().unwrap().len()), (1, 0));
    assert!(place.backends.store.resume_kind("test.apple").await.unwrap());
    assert_eq!(run.await.unwrap()["test.apple"], counts(1, 0, 0));
}

fn is_idle(stats: &KindStats) -> Option<()> {
    stats.is_idle().then_some(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_stops_the_consumer_and_lets_running_jobs_finish() {
    let place = Place::new().await;
    let (began, may_end) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    let handler = held(&began, &may_end);
    let (shutdown, run) = start(place.worker().with(handler, 1));
    place.publish(&[job(Apple { n: 1 })]).await;
    began.notified().await;
    pause(&place, "test.apple").await;
    place.publish(&[job(Apple { n: 2 })]).await;
    // Two polls of the control state.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    may_end.notify_one();
    place
        .until("the first is done", async |_| {
            let apples = place.stats("test.apple").await;
            ((apples.ready, apples.running) == (1, Some(0))).then_some(())
        })
        .await;
    shutdown.stop();
    assert_eq!(ended(run).await["test.apple"], counts(1, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_a_cancelled_run_end_without_running_and_without_follow_ups() {
    let place = Place::new().await;
    for id in ["kept", "cancelled"] {
        let run = Run {
            id: id.into(),
            playlists: vec![],
            started_at: Timestamp::now(),
            finished_at: None,
            failure: None,
            cancelled_at: None,
            stand_in: None,
        };
        place.backends.store.save_run(&run).await.unwrap();
    }
    place.backends.store.cancel_run("cancelled", Timestamp::now()).await.unwrap();
    let in_run = |n, run| job(Apple { n }).in_run(run);
    place.publish(&[in_run(1, "kept"), in_run(2, "cancelled"), job(Apple { n: 3 })]).await;
    let seen = Arc::default();
    let ended = run_until_empty(place.worker().with(recording(&seen), 2)).await;
    assert_eq!(ended["test.apple"], counts(3, 0, 0), "they are done, and count as such");
    assert_eq!(*seen.lock().unwrap(), BTreeSet::from([1, 3]));
    assert_eq!(place.stats("test.pear").await.ready, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn follow_ups_belong_to_the_run_and_the_trace_of_their_job() {
    let place = Place::new().await;
    let first = job(Apple { n: 1 }).in_run("r1");
    place.publish(std::slice::from_ref(&first)).await;
    let handler = on(|_: Apple, _| async move {
        let own = Envelope { trace: Some("own".into()), ..job(Pear { n: 20 }) };
        Ok(vec![job(Pear { n: 10 }), own.in_run("r2")])
    });
    run_until_empty(place.worker().with(handler, 1)).await;
    let mut pears = place.backends.queue.subscribe(&["test.pear"], 2).await.unwrap();
    for _ in 0..2 {
        let delivery = tokio::time::timeout(DEADLINE, pears.next()).await.expect("it is there").unwrap();
        let pear = delivery.envelope.as_ref().unwrap();
        if pear.key == "20" {
            assert_eq!((pear.run.as_deref(), pear.trace.as_deref()), (Some("r2"), Some("own")));
        } else {
            let trace = pear.trace.as_deref().unwrap();
            let of_first = first.id.replace('-', "");
            assert!(trace.starts_with(&format!("00-{of_first}-")) && trace.len() == 55, "{trace}");
            assert_eq!(pear.run.as_deref(), Some("r1"));
        }
        delivery.finish(Outcome::Done(vec![])).await.unwrap();
    }
}

/// A queue that counts as a broker does: its counts may miss a job.
struct Broker(Arc<dyn Queue>);

#[async_trait]
impl Queue for Broker {
    async fn publish(&self, jobs: &[Envelope]) -> Result<(), QueueError> {
        self.0.publish(jobs).await
    }

    async fn subscribe(&self, kinds: &[&str], slots: usize) -> Result<Box<dyn Subscription>, QueueError> {
        self.0.subscribe(kinds, slots).await
    }

    async fn flush(&self) {
        self.0.flush().await;
    }

    async fn stats(&self) -> Result<Vec<KindStats>, QueueError> {
        self.0.stats().await
    }

    async fn dead_letters(&self, kind: Option<&str>) -> Result<Vec<DeadLetter>, QueueError> {
        self.0.dead_letters(kind).await
    }

    async fn requeue(&self, filter: &DeadLetterFilter) -> Result<usize, QueueError> {
        self.0.requeue(filter).await
    }

    async fn purge(&self, filter: &DeadLetterFilter) -> Result<usize, QueueError> {
        self.0.purge(filter).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn until_empty_trusts_the_heartbeats_of_others_where_the_queue_cannot_tell() {
    let mut place = Place::new().await;
    place.backends.queue = Arc::new(Broker(place.backends.queue.clone()));
    let now = Timestamp::now();
    let mut other = Heartbeat {
        id: "other".into(),
        host: "elsewhere".into(),
        pid: 1,
        kinds: vec!["test.apple".into()],
        running: vec![("test.apple".into(), "1".into(), now)],
        counts: Default::default(),
        troubles: Vec::new(),
        started_at: now,
        beat_at: now,
    };
    let store = &place.backends.store;
    store.heartbeat(&other).await.unwrap();
    let mut run = tokio::spawn(run_until_empty(place.worker().with(on(|_: Apple, _| async { Ok(vec![]) }), 1)));
    assert!(tokio::time::timeout(Duration::from_secs(3), &mut run).await.is_err(), "a job runs elsewhere");
    other.running.clear();
    other.counts.insert("test.apple".into(), JobCounts { done: 1, ..JobCounts::default() });
    other.beat_at = Timestamp::now();
    store.heartbeat(&other).await.unwrap();
    let quiet = std::time::Instant::now();
    run.await.unwrap();
    assert!(quiet.elapsed() > Duration::from_millis(2_400), "ended after {:?}", quiet.elapsed());
}
