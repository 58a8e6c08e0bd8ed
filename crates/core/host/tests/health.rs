//! What a worker process says over HTTP.

#[path = "../../runtime/tests/common/mod.rs"]
mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use common::*;
use host::{Backends, Health};
use model::Timestamp;
use model::fleet::Pause;
use model::job::Envelope;
use model::settings::BackoffSettings;
use queue::{DeadLetter, DeadLetterFilter, KindStats, Queue, QueueError, Subscription};
use runtime::{Budget, Failure};
use store::StoreError;
use tokio::sync::Notify;

/// Status and body of a page.
async fn page(health: &Health, path: &str) -> (u16, String) {
    let answer = reqwest::get(format!("http://{}{path}", health.address())).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn until_ready(health: &Health, place: &Place, expected: (u16, &str)) {
    place
        .until(expected.1, async |_| {
            let (status, said) = page(health, "/readyz").await;
            (status == expected.0 && said.contains(expected.1)).then_some(())
        })
        .await;
}

bodies! { Fig => "test.fig", pays &["lastfm"]; }

fn budget() -> Budget {
    let backoff = BackoffSettings { first: 10.0, cap: 600.0 };
    Budget { name: "lastfm", key: "lastfm@default".into(), rate: 0.5, backoff }
}

async fn listen() -> Health {
    Health::listen("127.0.0.1:0").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_is_ready_while_it_takes_jobs_and_not_before_nor_while_it_drains() {
    let place = Place::new().await;
    let health = listen().await;
    assert_eq!(page(&health, "/healthz").await, (200, "alive\n".to_owned()));
    assert_eq!(page(&health, "/readyz").await, (503, "queue and store are not open yet\n".to_owned()));
    let (began, may_end) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let handler = held(&began, &may_end);
    let (shutdown, run) = start(place.worker().with_readiness(health.readiness.clone()).with(handler, 1));
    until_ready(&health, &place, (200, "ready")).await;
    place.publish(&[job(Apple { n: 1 })]).await;
    began.notified().await;
    assert_eq!(page(&health, "/readyz").await.0, 200, "all slots are in use");
    shutdown.stop();
    assert_eq!(page(&health, "/readyz").await, (503, "stopping\n".to_owned()));
    assert_eq!(page(&health, "/healthz").await.0, 200);
    may_end.notify_one();
    ended(run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_waits_on_purpose_is_ready() {
    let place = Place::new().await;
    let pause = Pause { kind: "test.pear".into(), since: Timestamp::now() };
    place.backends.store.pause_kind(&pause).await.unwrap();
    let long = Timestamp::now() + Duration::from_secs(3_600);
    place.backends.store.block_budget("lastfm@default", long, "throttled").await.unwrap();
    let health = listen().await;
    let worker = place
        .worker()
        .with(on(|_: Pear, _| async { Ok(vec![]) }), 1)
        .with_budget(budget())
        .with(on(|_: Fig, _| async { Ok(vec![]) }), 1);
    let (shutdown, run) = start(worker.with_readiness(health.readiness.clone()));
    until_ready(&health, &place, (200, "ready")).await;
    shutdown.stop();
    ended(run).await;
}

/// A queue whose broker is gone.
struct Gone;

#[async_trait]
impl Queue for Gone {
    async fn subscribe(&self, _: &[&str], _: usize) -> Result<Box<dyn Subscription>, QueueError> {
        Err(gone())
    }
    async fn publish(&self, _: &[Envelope]) -> Result<(), QueueError> {
        Err(gone())
    }
    async fn flush(&self) {}

    async fn stats(&self) -> Result<Vec<KindStats>, QueueError> {
        Err(gone())
    }
    async fn dead_letters(&self, _: Option<&str>) -> Result<Vec<DeadLetter>, QueueError> {
        Err(gone())
    }
    async fn requeue(&self, _: &DeadLetterFilter) -> Result<usize, QueueError> {
        Err(gone())
    }
    async fn purge(&self, _: &DeadLetterFilter) -> Result<usize, QueueError> {
        Err(gone())
    }
}

fn gone() -> QueueError {
    QueueError::Unavailable { at: "far away".into(), cause: "nobody answers".into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_without_a_subscription_is_not_ready_and_says_why() {
    let place = Place::new().await;
    let health = listen().await;
    let worker = (Backends { queue: Arc::new(Gone), ..place.backends.clone() }).worker();
    let worker = worker.with(on(|_: Apple, _| async { Ok(vec![]) }), 1).with_readiness(health.readiness.clone());
    let (shutdown, run) = start(worker);
    let said = "test.apple: the queue at far away is unreachable: nobody answers\n";
    until_ready(&health, &place, (503, said)).await;
    shutdown.stop();
    ended(run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_cannot_keep_what_its_jobs_make_is_not_ready_until_it_can() {
    let place = Place::new().await;
    let health = listen().await;
    let is_full = Arc::new(AtomicBool::new(true));
    let full = is_full.clone();
    let handler = on(move |_: Apple, _| {
        let full = full.clone();
        async move {
            let why = "the disk is full: free some space".into();
            let error = StoreError::Unwritable { file: "a.db".into(), why };
            if full.load(Ordering::SeqCst) { Err(Failure::from(error)) } else { Ok(vec![]) }
        }
    });
    place.publish(&[job(Apple { n: 1 })]).await;
    let (shutdown, run) = start(place.worker().with_readiness(health.readiness.clone()).with(handler, 1));
    let said = "this process: cannot write to a.db: the disk is full: free some space\n";
    until_ready(&health, &place, (503, said)).await;
    is_full.store(false, Ordering::SeqCst);
    until_ready(&health, &place, (200, "ready")).await;
    shutdown.stop();
    assert_eq!(ended(run).await["test.apple"], counts(1, 0, 0), "no attempt was counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_how_jobs_of_a_kind_ended() {
    let place = Place::new().await;
    let health = listen().await;
    let backends = place.again(|settings| settings.worker.max_attempts = 2).await;
    place.publish(&(0..3).map(|n| job(Quince { n })).collect::<Vec<_>>()).await;
    let handler = on(|Quince { n }, context: runtime::Context| async move {
        context.budgets.permit("lastfm").await?;
        match n {
            0 => Ok(vec![]),
            1 => Err(Failure::dead("bad")),
            _ => Err(Failure::Retry { after: Some(Duration::from_millis(1)), reason: "no".into() }),
        }
    });
    run_until_empty(backends.worker().with_budget(budget()).with(handler, 3)).await;
    let (status, metrics) = page(&health, "/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "spotifai_jobs_total{kind=\"test.quince\",end=\"done\"} 1",
        "spotifai_jobs_total{kind=\"test.quince\",end=\"dead\"} 2",
        "spotifai_jobs_total{kind=\"test.quince\",end=\"retried\"} 1",
        "spotifai_jobs_total{kind=\"test.quince\",end=\"handed_back\"} 0",
        "spotifai_jobs_running{kind=\"test.quince\"} 0",
        "spotifai_job_seconds_count{kind=\"test.quince\"} 4",
        "spotifai_budget_wait_seconds_bucket{budget=\"lastfm@default\",le=\"300\"}",
        "# TYPE spotifai_budget_permits_total counter",
        "# HELP spotifai_job_seconds Time from a job's delivery to its acknowledgement",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_in_use_is_refused_in_one_line() {
    let health = listen().await;
    let refused = Health::listen(&health.address().to_string()).await.err().unwrap();
    let said = format!("{refused:#}");
    assert!(said.starts_with("cannot listen on 127.0.0.1:") && said.contains("SPOTIFAI_LISTEN"), "{said}");
}
