//! Jobs that this process cannot run and others may.

mod common;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use common::*;
use host::Backends;
use model::job::Envelope;
use runtime::{Context, Failure, Handler, Shutdown, Until, Worker, WorkerError};

/// Runs jobs below 100 and notes when it declined others: those are of another version.
#[derive(Clone, Default)]
struct OfThisVersion(Arc<Mutex<Vec<Instant>>>);

impl OfThisVersion {
    fn declined(&self) -> Vec<Instant> {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl Handler for OfThisVersion {
    type Body = Apple;

    async fn run(&self, job: Apple, _: &Context) -> Result<Vec<Envelope>, Failure> {
        if job.n < 100 {
            return Ok(vec![]);
        }
        self.0.lock().unwrap().push(Instant::now());
        Err(Failure::decline_job("it is of another version: update this program"))
    }
}

fn apples(numbers: impl IntoIterator<Item = u32>) -> Vec<Envelope> {
    numbers.into_iter().map(|n| job(Apple { n })).collect()
}

impl Place {
    /// Apples that are not run yet.
    async fn waiting(&self) -> u64 {
        let stats = self.stats("test.apple").await;
        stats.ready + stats.running.unwrap_or(0)
    }
}

/// The error of a worker that somebody waits for.
async fn ends_with(worker: Worker) -> WorkerError {
    let run = worker.run(Until::Empty, Shutdown::new());
    tokio::time::timeout(DEADLINE, run).await.expect("it ends").unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_behind_declined_jobs_is_run_and_they_stay_as_they_were() {
    let place = Place::new().await;
    place.publish(&apples(100..140)).await;
    place.publish(&apples(0..3)).await;
    let handler = OfThisVersion::default();
    let (shutdown, run) = start(place.worker().with(handler.clone(), 1));
    place.until("only the others are left", async |_| (place.waiting().await == 40).then_some(())).await;
    let beats = place.backends.store.workers();
    let trouble = beats.await.unwrap().remove(0).troubles.pop();
    assert!(trouble.is_none_or(|trouble| trouble.reason.contains("another version")));
    shutdown.stop();
    assert_eq!(ended(run).await["test.apple"], counts(3, 0, 0));
    assert!(handler.declined().len() >= 40);
    let mut left = place.backends.queue.subscribe(&["test.apple"], 40).await.unwrap();
    for _ in 0..40 {
        let envelope = left.next().await.unwrap().envelope.unwrap();
        assert_eq!((envelope.attempt, envelope.history.len()), (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_finds_nothing_but_others_jobs_hands_back_less_than_one_a_second() {
    let place = Place::new().await;
    place.publish(&apples(100..108)).await;
    let handler = OfThisVersion::default();
    let (shutdown, run) = start(place.worker().with(handler.clone(), 1));
    place.until("it looks again", async |_| (handler.declined().len() > 9).then_some(())).await;
    let declined = handler.declined();
    // Each once, and the first again: nine, and the tenth nine seconds later.
    assert!(declined[9].duration_since(declined[8]) >= Duration::from_secs(9), "{declined:?}");
    let heartbeat = place.backends.store.workers().await.unwrap().remove(0);
    assert!(
        !heartbeat.troubles[0].partial && heartbeat.troubles[0].reason.contains("another version"),
        "{heartbeat:?}"
    );
    // What comes meanwhile is run when it looks again.
    place.publish(&apples([1])).await;
    place.until("the new one is run", async |_| (place.waiting().await == 8).then_some(())).await;
    shutdown.stop();
    assert_eq!(ended(run).await["test.apple"], counts(1, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_behind_others_jobs_is_run_though_these_are_not_looked_at_for_long() {
    let place = Place::new().await;
    place.publish(&apples(100..300)).await;
    let handler = OfThisVersion::default();
    let (shutdown, run) = start(place.worker().with(handler.clone(), 1));
    let waits = async |backends: &Backends| {
        let troubles = backends.store.workers().await.unwrap().pop()?.troubles;
        troubles.iter().any(|trouble| !trouble.partial).then_some(())
    };
    // 201 seconds, if nothing new came.
    place.until("it has seen all and waits", waits).await;
    place.publish(&apples([1])).await;
    place.until("the new one is run", async |_| (place.waiting().await == 200).then_some(())).await;
    shutdown.stop();
    assert_eq!(ended(run).await["test.apple"], counts(1, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn until_empty_ends_with_the_reason_when_all_that_is_left_is_declined_or_newer() {
    let place = Place::new().await;
    let newer = Envelope { v: 99, ..job(Apple { n: 1 }) };
    for (left, says) in [
        (apples(100..103), "another version: update this program"),
        (vec![newer.clone()], "envelope version 99 is newer than this program"),
        ([apples(100..103), vec![newer]].concat(), "another version: update this program"),
    ] {
        let place = Place::new().await;
        place.publish(&left).await;
        place.publish(&apples(0..3)).await;
        let handler = on(|_: Pear, _| async { Ok(vec![]) });
        let error = ends_with(place.worker().with(OfThisVersion::default(), 1).with(handler, 1)).await;
        let WorkerError::Declined { jobs, reason } = &error else { panic!("{error:?}") };
        assert_eq!(*jobs, left.len() as u64, "its own were run: {error}");
        assert!(reason.contains(says) && error.to_string().contains(reason), "{error}");
        assert_eq!(place.dead().await, []);
    }
    place.publish(&apples(0..2)).await;
    let signed_out = on(|_: Apple, _| async { Err(Failure::decline("nobody is signed in: sign in")) });
    let error = ends_with(place.worker().with(signed_out, 1)).await;
    assert!(error.to_string().contains("nobody is signed in: sign in"), "{error}");
    assert_eq!(place.stats("test.apple").await.ready, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn until_empty_waits_for_jobs_of_its_own_that_are_delayed() {
    let place = Place::new().await;
    place.publish(&apples([100, 1])).await;
    let tries = AtomicU64::new(0);
    let handler = on(move |Apple { n }, _| {
        let is_first = n == 1 && tries.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            match n {
                100 => Err(Failure::decline_job("it is of another version")),
                _ if is_first => Err(Failure::Retry { after: Some(Duration::from_secs(3)), reason: "busy".into() }),
                _ => Ok(vec![]),
            }
        }
    });
    let error = ends_with(place.worker().with(handler, 1)).await;
    assert!(matches!(error, WorkerError::Declined { jobs: 1, .. }), "the retry was not waited for: {error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn until_empty_waits_for_another_worker_that_runs_what_this_one_declines() {
    let place = Place::new().await;
    place.publish(&apples(100..104)).await;
    let other = on(|_: Apple, _| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(vec![])
    });
    let (shutdown, other) = start(place.again(|_| {}).await.worker().with(other, 1));
    place.until("it runs one", async |_| (place.stats("test.apple").await.running == Some(1)).then_some(())).await;
    let done = run_until_empty(place.worker().with(OfThisVersion::default(), 1)).await;
    assert_eq!(done["test.apple"], counts(0, 0, 0));
    shutdown.stop();
    assert_eq!(ended(other).await["test.apple"], counts(4, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_a_newer_program_waits_uncounted_while_others_are_run() {
    let place = Place::new().await;
    place.publish(&[Envelope { v: 99, ..job(Apple { n: 1 }) }, job(Apple { n: 2 })]).await;
    let (shutdown, run) = start(place.worker().with(on(|_: Apple, _| async { Ok(vec![]) }), 1));
    place
        .until("one waits and one is done", async |backends| {
            let stats = backends.queue.stats().await.unwrap().into_iter().find(|stats| stats.kind == "test.apple")?;
            (stats.delayed == 1 && stats.ready == 0 && stats.running == Some(0)).then_some(())
        })
        .await;
    let heartbeat = place
        .until("its heartbeat says so", async |backends| {
            let beats = backends.store.workers().await.unwrap();
            beats.into_iter().find(|heartbeat| !heartbeat.troubles.is_empty())
        })
        .await;
    let trouble = &heartbeat.troubles[0];
    assert!(trouble.partial && trouble.reason.contains("envelope version 99 is newer"), "{trouble:?}");
    shutdown.stop();
    assert_eq!(ended(run).await["test.apple"], counts(1, 0, 0));
    assert_eq!(place.dead().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_declines_a_kind_takes_none_for_a_while_and_tries_again() {
    let place = Place::new().await;
    let tries = Arc::new(Mutex::new(Vec::new()));
    let seen = tries.clone();
    let handler = on(move |_: Apple, _| {
        let mut seen = seen.lock().unwrap();
        seen.push(Instant::now());
        let is_mended = seen.len() > 4;
        async move { if is_mended { Ok(vec![]) } else { Err(Failure::decline("nobody is signed in")) } }
    });
    place.publish(&(0..4).map(|n| job(Apple { n })).collect::<Vec<_>>()).await;
    let (shutdown, run) = start(place.worker().with(handler, 4));
    place.until("all are run", async |_| place.stats("test.apple").await.is_idle().then_some(())).await;
    shutdown.stop();
    assert_eq!(ended(run).await["test.apple"], counts(4, 0, 0), "no attempt was counted");
    let tries = tries.lock().unwrap();
    // Those that were under way together are one try: the next one is five seconds later.
    assert!((5..=8).contains(&tries.len()), "{} tries", tries.len());
    assert!(tries[4].duration_since(tries[0]) >= Duration::from_secs(5), "{tries:?}");
}
