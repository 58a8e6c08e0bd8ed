//! How workers stop, and what they say of themselves.

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use common::*;
use runtime::{Failure, Shutdown, Until, Worker};
use tokio::sync::{Notify, Semaphore};

/// A handler that reports its start and ends when it is told to.
struct Slow {
    began: Arc<Semaphore>,
    may_end: Arc<Notify>,
}

impl Slow {
    fn new() -> Self {
        Self { began: Arc::new(Semaphore::new(0)), may_end: Arc::new(Notify::new()) }
    }

    fn add_to(&self, worker: Worker, slots: usize) -> Worker {
        let (began, may_end) = (self.began.clone(), self.may_end.clone());
        let handler = on(move |Apple { n }, _| {
            let (began, may_end) = (began.clone(), may_end.clone());
            async move {
                // Before it says that it began, or it may miss what that leads to.
                let may_end = may_end.notified();
                began.add_permits(1);
                may_end.await;
                Ok(vec![job(Pear { n })])
            }
        });
        worker.with(handler, slots)
    }

    async fn have_begun(&self, count: u32) {
        let began = tokio::time::timeout(DEADLINE, self.began.acquire_many(count)).await;
        began.expect("they begin").unwrap().forget();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_finishes_what_runs_with_its_follow_ups_and_takes_nothing_more() {
    let place = Place::new().await;
    place.publish(&[job(Apple { n: 1 }), job(Apple { n: 2 }), job(Apple { n: 3 })]).await;
    let slow = Slow::new();
    let (shutdown, run) = start(slow.add_to(place.worker(), 2));
    slow.have_begun(2).await;
    shutdown.stop();
    assert!(shutdown.is_stopping());
    slow.may_end.notify_waiters();
    assert_eq!(ended(run).await["test.apple"], counts(2, 0, 0));
    assert_eq!(place.stats("test.pear").await.ready, 2);
    assert_eq!((place.stats("test.apple").await.ready, slow.began.available_permits()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_finished_when_the_grace_ends_is_handed_back_untouched() {
    let place = Place::new().await;
    let envelope = job(Apple { n: 1 });
    place.publish(std::slice::from_ref(&envelope)).await;
    let slow = Slow::new();
    let backends = place.again(|settings| settings.worker.grace_seconds = 0.05).await;
    let (shutdown, run) = start(slow.add_to(backends.worker(), 1));
    slow.have_begun(1).await;
    shutdown.stop();
    assert_eq!(ended(run).await["test.apple"], counts(0, 0, 0));
    let mut next = place.backends.queue.subscribe(&["test.apple"], 1).await.unwrap();
    let delivery = tokio::time::timeout(DEADLINE, next.next()).await.expect("it is there").unwrap();
    assert_eq!((delivery.envelope.as_ref(), delivery.redelivered), (Ok(&envelope), false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_hands_back_at_once() {
    let place = Place::new().await;
    place.publish(&[job(Apple { n: 1 })]).await;
    let slow = Slow::new();
    let (shutdown, run) = start(slow.add_to(place.worker(), 1));
    slow.have_begun(1).await;
    shutdown.stop();
    shutdown.stop();
    assert_eq!(ended(run).await["test.apple"], counts(0, 0, 0));
    assert_eq!(place.stats("test.apple").await.ready, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_computation_that_never_yields_is_left_behind_and_its_job_handed_back() {
    let place = Place::new().await;
    place.publish(&[job(Apple { n: 1 })]).await;
    let began = Arc::new(Semaphore::new(0));
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = Arc::new(std::sync::Mutex::new(held));
    let (begun, blocked) = (began.clone(), held.clone());
    let handler = on(move |_: Apple, _| {
        let (began, held) = (begun.clone(), blocked.clone());
        async move {
            let work = tokio::task::spawn_blocking(move || {
                began.add_permits(1);
                let _ = held.lock().unwrap().recv();
            });
            work.await.map_err(Failure::retry)?;
            Ok(vec![])
        }
    });
    let (shutdown, run) = start(place.worker().with(handler, 1));
    began.acquire().await.unwrap().forget();
    shutdown.stop();
    shutdown.stop();
    ended(run).await;
    assert_eq!(place.stats("test.apple").await.ready, 1);
    drop(release);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_says_what_it_does_and_at_the_end_what_it_did() {
    let place = Place::new().await;
    place.publish(&[job(Apple { n: 7 })]).await;
    let slow = Slow::new();
    let (shutdown, run) = start(slow.add_to(place.worker(), 1));
    let heartbeat = place
        .until("it says what it runs", async |backends| {
            backends.store.workers().await.unwrap().into_iter().find(|heartbeat| !heartbeat.running.is_empty())
        })
        .await;
    assert_eq!((heartbeat.pid, &*heartbeat.kinds), (std::process::id(), &["test.apple".to_owned()][..]));
    assert_eq!((&*heartbeat.running[0].0, &*heartbeat.running[0].1), ("test.apple", "7"));
    assert!(!heartbeat.host.is_empty());
    shutdown.stop();
    slow.may_end.notify_waiters();
    ended(run).await;
    let beats = place.backends.store.workers().await.unwrap();
    assert_eq!((beats.len(), beats[0].running.len(), beats[0].counts["test.apple"]), (1, 0, counts(1, 0, 0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_without_work_stops_at_once() {
    let place = Place::new().await;
    let shutdown = Shutdown::new();
    shutdown.stop();
    let run = place.worker().with(on(|_: Apple, _| async { Ok(vec![]) }), 1).run(Until::Stopped, shutdown);
    tokio::time::timeout(DEADLINE, run).await.expect("it ends").unwrap();
}

/// Set for a process in which [`child`] is to be a worker: the folder of its backends.
const CHILD: &str = "SPOTIFAI_TEST_WORKER_FOLDER";

#[test]
fn sigterm_drains_a_process_that_then_exits_with_0() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let place = runtime.block_on(Place::new());
    runtime.block_on(place.publish(&[job(Apple { n: 1 }), job(Apple { n: 2 })]));
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--nocapture"])
        .env(CHILD, place.folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("job 1 began")));
    let signalled = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(signalled.success());
    assert!(lines.any(|line| line.unwrap().contains("job 1 ends")));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    runtime.block_on(async {
        let apples = place.stats("test.apple").await;
        assert_eq!((apples.ready, apples.running, apples.dead), (1, Some(0), 0));
        assert_eq!(place.stats("test.pear").await.ready, 1);
    });
}

/// No test by itself: the worker process of the test above.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let shutdown = host::signals::on_signals().unwrap();
    let signal = shutdown.clone();
    let handler = on(move |Apple { n }, _| {
        let signal = signal.clone();
        async move {
            println!("job {n} began");
            signal.stopped().await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            println!("job {n} ends");
            Ok(vec![job(Pear { n })])
        }
    });
    let backends = open(folder.as_ref(), |_| {}).await;
    backends.worker().with(handler, 1).run(Until::Stopped, shutdown).await.unwrap();
}
