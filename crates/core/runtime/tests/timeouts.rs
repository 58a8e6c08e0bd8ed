//! Jobs that do not end by themselves: they time out, and are cancelled when the worker stops.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use common::*;
use model::settings::BackoffSettings;
use runtime::{Budget, Context, Failure, Until, WorkerError};
use tokio::sync::Notify;

bodies! {
    Brief => "test.brief" within Duration::from_millis(300);
    Paid => "test.paid" within Duration::from_millis(300), pays &["slow"];
}

/// An endless loop, which the test ends.
#[derive(Clone, Default)]
struct EndlessLoop(Arc<AtomicBool>);

impl EndlessLoop {
    fn run(&self) {
        while !self.0.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
    }

    /// Ends it when the test ends, even if it fails: threads that never end would keep the test process alive.
    fn until_the_end(&self) -> Release {
        Release(self.0.clone())
    }
}

struct Release(Arc<AtomicBool>);

impl Drop for Release {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A handler that computes without an end.
fn computing(endless: &EndlessLoop) -> impl runtime::Handler<Body = Brief> + use<> {
    let endless = endless.clone();
    on(move |_: Brief, context: Context| {
        let endless = endless.clone();
        let compute = move |_: &runtime::Cancellation| {
            endless.run();
            Ok(vec![])
        };
        async move { context.blocking(compute).await }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_waits_for_ever_is_timed_out_counted_and_retried() {
    let place = Place::new().await;
    place.publish(&[job(Brief { n: 1 }), job(Brief { n: 2 })]).await;
    let tries = AtomicU32::new(0);
    let handler = on(move |Brief { n }, context: Context| {
        let is_first = n == 1 && tries.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            assert_eq!(context.attempt, u32::from(n == 1 && !is_first));
            if !is_first {
                return Ok(vec![]);
            }
            loop {
                tokio::task::yield_now().await;
            }
        }
    });
    let ended = run_until_empty(place.worker().with(handler, 1)).await;
    assert_eq!(ended["test.brief"], counts(2, 1, 0), "its slot was free for the other one");
}

#[tokio::test(flavor = "multi_thread")]
async fn waits_for_a_rate_are_not_the_time_of_an_attempt() {
    let place = Place::new().await;
    place.publish(&(0..4).map(|n| job(Paid { n })).collect::<Vec<_>>()).await;
    // The last of them waits for a second.
    let (backoff, key) = (BackoffSettings { first: 10.0, cap: 600.0 }, "slow".into());
    let slow = Budget { name: "slow", key, rate: 3.0, backoff };
    let handler = on(|_: Paid, context: Context| async move {
        context.budgets.permit("slow").await?;
        Ok(vec![])
    });
    let ended = run_until_empty(place.worker().with_budget(slow).with(handler, 4)).await;
    assert_eq!(ended["test.paid"], counts(4, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_computation_that_never_ends_is_timed_out_and_the_reason_is_kept() {
    let place = Place::new().await;
    let backends = place.again(|settings| settings.worker.max_attempts = 1).await;
    place.publish(&[job(Brief { n: 1 })]).await;
    let endless = EndlessLoop::default();
    let _release = endless.until_the_end();
    let ended = run_until_empty(backends.worker().with(computing(&endless), 1)).await;
    assert_eq!(ended["test.brief"], counts(0, 0, 1));
    assert!(place.dead().await[0].reason.contains("timed out after 0.3 s"), "{:?}", place.dead().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_lost_too_many_threads_ends() {
    let place = Place::new().await;
    place.publish(&(0..8).map(|n| job(Brief { n })).collect::<Vec<_>>()).await;
    let endless = EndlessLoop::default();
    let _release = endless.until_the_end();
    let run = place.worker().with(computing(&endless), 8).run(Until::Stopped, runtime::Shutdown::new());
    let ended = tokio::time::timeout(DEADLINE, run).await.expect("it ends");
    assert!(matches!(ended, Err(WorkerError::LostThreads { threads: 4.. })), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_handler_that_never_yields_times_out_and_its_worker_ends() {
    let place = Place::new().await;
    place.publish(&[job(Brief { n: 1 })]).await;
    let endless = EndlessLoop::default();
    let _release = endless.until_the_end();
    let looping = endless.clone();
    let handler = on(move |_: Brief, _| {
        let endless = looping.clone();
        async move {
            endless.run();
            Ok(vec![])
        }
    });
    let run = place.worker().with(handler, 1).run(Until::Stopped, runtime::Shutdown::new());
    let ended = tokio::time::timeout(DEADLINE, run).await.expect("it ends");
    assert!(matches!(ended, Err(WorkerError::LostThreads { threads: 1 })), "{ended:?}");
    let left = place.stats("test.brief").await;
    assert_eq!((left.delayed + left.ready, left.running), (1, Some(0)), "it is retried elsewhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_cancels_a_computation_and_hands_its_job_back_uncounted() {
    let place = Place::new().await;
    let envelope = job(Apple { n: 1 });
    place.publish(std::slice::from_ref(&envelope)).await;
    let began = Arc::new(Notify::new());
    let begun = began.clone();
    let handler = on(move |_: Apple, context: Context| {
        let begun = begun.clone();
        async move {
            context
                .blocking(move |cancellation| {
                    begun.notify_one();
                    while !cancellation.is_requested() {
                        std::thread::yield_now();
                    }
                    Err(Failure::Cancelled)
                })
                .await
        }
    });
    // The grace period is an hour, so only the cancellation ends this.
    let (shutdown, run) = start(place.worker().with(handler, 1));
    began.notified().await;
    shutdown.stop();
    assert_eq!(ended(run).await["test.apple"], counts(0, 0, 0));
    let mut next = place.backends.queue.subscribe(&["test.apple"], 1).await.unwrap();
    let delivery = tokio::time::timeout(DEADLINE, next.next()).await.expect("it is there").unwrap();
    assert_eq!(delivery.envelope.as_ref(), Ok(&envelope));
}
