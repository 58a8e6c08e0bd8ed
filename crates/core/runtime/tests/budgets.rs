//! Rate budgets: pauses that hold for everyone, and a rate that a team shares.

mod common;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::*;
use host::Backends;
use model::Timestamp;
use model::settings::BackoffSettings;
use runtime::{Budget, Budgets, Context, Failure, Worker};

const SERVICE: &str = "lastfm";

/// The budget's name in the store: last.fm limits an address.
const KEY: &str = "lastfm@default";

const OTHER: &str = "spotify";

bodies! {
    Fig => "test.fig", pays &[SERVICE];
    Grape => "test.grape", pays &[OTHER, SERVICE];
}

/// A budget of this name, for those who share this key.
fn budget(name: &'static str, key: &str, rate: f64) -> Budget {
    Budget { name, key: key.into(), rate, backoff: BackoffSettings { first: 10.0, cap: 600.0 } }
}

/// A worker that pays from both.
fn worker(backends: &Backends) -> Worker {
    backends.worker().with_budget(budget(SERVICE, KEY, 1_000.0)).with_budget(budget(OTHER, OTHER, 1_000.0))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_holds_every_kind_that_pays_from_the_budget_and_no_other() {
    let place = Place::new().await;
    place.publish(&[job(Fig { n: 1 })]).await;
    let ran = Arc::new(Mutex::new(Vec::new()));
    let throttled = Arc::new(AtomicU32::new(0));
    let (figs, grapes, plums) = (ran.clone(), ran.clone(), ran.clone());
    let worker = worker(&place.backends)
        .with(
            on(move |_: Fig, _| {
                let is_first = throttled.fetch_add(1, Ordering::SeqCst) == 0;
                figs.lock().unwrap().push(("fig", Timestamp::now()));
                let after = Some(Duration::from_secs(2));
                let pause = Failure::Pause { budget: SERVICE.into(), after, reason: "too many requests".into() };
                async move { if is_first { Err(pause) } else { Ok(vec![]) } }
            }),
            1,
        )
        .with(
            on(move |_: Grape, _| {
                grapes.lock().unwrap().push(("grape", Timestamp::now()));
                async { Ok(vec![]) }
            }),
            1,
        )
        .with(
            on(move |_: Plum, _| {
                plums.lock().unwrap().push(("plum", Timestamp::now()));
                async { Ok(vec![]) }
            }),
            1,
        );
    let (shutdown, run) = start(worker);
    let closed = place.until("the budget is closed", async |backends| backends.store.budget(KEY).await.unwrap()).await;
    assert_eq!((closed.throttled, closed.reason.as_deref()), (1, Some("too many requests")));
    place.publish(&[job(Grape { n: 1 }), job(Plum { n: 1 })]).await;
    place.until("all ran", async |_| (ran.lock().unwrap().len() == 4).then_some(())).await;
    shutdown.stop();
    let ended = ended(run).await;
    assert_eq!(ended["test.fig"], counts(1, 0, 0), "a pause is no attempt");
    let ran = ran.lock().unwrap();
    for (name, at) in &ran[1..] {
        assert_eq!(
            *name == "plum",
            *at < closed.blocked_until,
            "{name} at {at:?}, closed until {:?}",
            closed.blocked_until
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_by_another_process_is_noticed_and_holds_no_delivery() {
    let place = Place::new().await;
    let until = Timestamp::now() + Duration::from_secs(3);
    place.backends.store.block_budget(KEY, until, "elsewhere").await.unwrap();
    place.publish(&[job(Fig { n: 1 }), job(Plum { n: 1 })]).await;
    let ran_at = Arc::new(Mutex::new(None));
    let ran = ran_at.clone();
    let fig = on(move |_: Fig, _| {
        *ran.lock().unwrap() = Some(Timestamp::now());
        async { Ok(vec![]) }
    });
    let worker = worker(&place.backends).with(fig, 1).with(on(|_: Plum, _| async { Ok(vec![]) }), 1);
    let run = tokio::spawn(run_until_empty(worker));
    place
        .until("the plum is done", async |backends| {
            let stats = backends.queue.stats().await.unwrap();
            stats.iter().any(|s| s.kind == "test.plum" && s.ready == 0 && s.running == Some(0)).then_some(())
        })
        .await;
    let figs = place.stats("test.fig").await;
    assert!(Timestamp::now() >= until || (figs.ready, figs.running) == (1, Some(0)), "{figs:?}");
    run.await.unwrap();
    assert!(ran_at.lock().unwrap().unwrap() >= until);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_find_the_budget_closed_are_handed_back_uncounted() {
    let place = Place::new().await;
    place.publish(&[job(Fig { n: 1 }), job(Fig { n: 2 })]).await;
    let tries = Arc::new(AtomicU32::new(0));
    let tried = tries.clone();
    let both = Arc::new(tokio::sync::Barrier::new(2));
    let store = place.backends.store.clone();
    let handler = on(move |Fig { n }, context: Context| {
        let (both, tries, store) = (both.clone(), tries.clone(), store.clone());
        async move {
            if tries.fetch_add(1, Ordering::SeqCst) < 2 {
                both.wait().await;
                if n == 1 {
                    let after = Some(Duration::from_secs(3));
                    return Err(Failure::Pause { budget: SERVICE.into(), after, reason: "429".into() });
                }
                while store.budget(KEY).await?.is_none() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
            context.budgets.permit(SERVICE).await?;
            Ok(vec![])
        }
    });
    let ended = run_until_empty(worker(&place.backends).with(handler, 2)).await;
    assert_eq!(ended["test.fig"], counts(2, 0, 0));
    assert_eq!(tried.load(Ordering::SeqCst), 4, "each was handed back once, and taken again when the budget was open");
}

#[tokio::test(flavor = "multi_thread")]
async fn throttled_answers_in_a_row_close_the_budget_longer_and_a_good_one_ends_the_row() {
    let place = Place::new().await;
    let throttled_soon = Budget { backoff: BackoffSettings { first: 0.2, cap: 60.0 }, ..budget(SERVICE, KEY, 1_000.0) };
    place.publish(&[job(Fig { n: 1 })]).await;
    let (rows, tries) = (Arc::new(Mutex::new(Vec::new())), AtomicU32::new(0));
    let seen = rows.clone();
    let store = place.backends.store.clone();
    let handler = on(move |_: Fig, context: Context| {
        let (seen, store, attempt) = (seen.clone(), store.clone(), tries.fetch_add(1, Ordering::SeqCst));
        async move {
            let row = store.budget(KEY).await?;
            seen.lock().unwrap().push((Timestamp::now(), row));
            context.budgets.permit(SERVICE).await?;
            if attempt < 3 {
                return Err(Failure::Pause { budget: SERVICE.into(), after: None, reason: "slow down".into() });
            }
            context.budgets.record_success(SERVICE).await?;
            Ok(vec![])
        }
    });
    run_until_empty(place.worker().with_budget(throttled_soon).with(handler, 1)).await;
    let rows = std::mem::take(&mut *rows.lock().unwrap());
    let throttled: Vec<_> = rows.iter().map(|(_, row)| row.as_ref().map_or(0, |row| row.throttled)).collect();
    assert_eq!(throttled, [0, 1, 2, 3]);
    for (round, pair) in rows.windows(2).enumerate() {
        let (asked_at, closed) = (pair[0].0, pair[1].1.as_ref().unwrap());
        let wait = closed.blocked_until.duration_since(asked_at).as_millis();
        assert!(wait >= 200 << round, "closed for {wait} ms in round {round}");
    }
    assert_eq!(place.backends.store.budget(KEY).await.unwrap().unwrap().throttled, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_asks_for_no_wait_at_all_is_left_alone_for_a_second() {
    let place = Place::new().await;
    place.publish(&[job(Fig { n: 1 })]).await;
    let tries = AtomicU32::new(0);
    let handler = on(move |_: Fig, _| {
        let is_first = tries.fetch_add(1, Ordering::SeqCst) == 0;
        let pause = Failure::Pause { budget: SERVICE.into(), after: Some(Duration::ZERO), reason: "429".into() };
        async move { if is_first { Err(pause) } else { Ok(vec![]) } }
    });
    let began = Timestamp::now();
    run_until_empty(worker(&place.backends).with(handler, 1)).await;
    let closed = place.backends.store.budget(KEY).await.unwrap().unwrap();
    assert!(closed.blocked_until.duration_since(began) >= Duration::from_secs(1), "{closed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_together_never_exceed_the_rate() {
    const RATE: f64 = 60.0;
    const PERMITS: usize = 60;
    let place = Place::new().await;
    let began = Instant::now();
    let (given, mut permits) = tokio::sync::mpsc::unbounded_channel();
    for backends in [place.again(|_| {}).await, place.again(|_| {}).await] {
        let budgets = Budgets::new(backends.store, [budget(SERVICE, KEY, RATE)]);
        for _ in 0..4 {
            let (budgets, given) = (budgets.clone(), given.clone());
            tokio::spawn(async move {
                while budgets.permit(SERVICE).await.is_ok() && given.send(began.elapsed()).is_ok() {}
            });
        }
    }
    let mut times = Vec::new();
    while times.len() < PERMITS {
        times.push(tokio::time::timeout(DEADLINE, permits.recv()).await.expect("a permit").unwrap());
    }
    // They are told in another order than they were given in.
    times.sort();
    for (before, at) in times.iter().enumerate() {
        // From the beginning, where a time noted late allows more, not less. One permit is free at once, and one more
        // makes up for clocks: windows open at whole milliseconds.
        let most = RATE * at.as_secs_f64() + 2.0;
        assert!((before + 1) as f64 <= most, "{} permits in {at:?}", before + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn permits_are_refused_while_the_budget_is_closed_for_long_and_waited_for_when_not() {
    let place = Place::new().await;
    let budgets =
        Budgets::new(place.backends.store.clone(), [budget(SERVICE, SERVICE, 100.0), budget(OTHER, OTHER, 100.0)]);
    let soon = Timestamp::now() + Duration::from_millis(300);
    place.backends.store.block_budget(OTHER, soon, "briefly").await.unwrap();
    budgets.permit(OTHER).await.unwrap();
    assert!(Timestamp::now() >= soon);
    let long = Timestamp::now() + Duration::from_secs(3_600);
    place.backends.store.block_budget(SERVICE, long, "for long").await.unwrap();
    for _ in 0..2 {
        assert_eq!(budgets.permit(SERVICE).await, Err(Failure::Closed { budget: SERVICE.into() }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_without_a_rate_is_a_mistake_that_is_named() {
    let place = Place::new().await;
    let nothing = Budgets::new(place.backends.store.clone(), []);
    assert_eq!(nothing.permit("bandcamp").await, Err(Failure::dead("no rate is set for the budget bandcamp")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_closed_for_others_holds_nobody_here() {
    let place = Place::new().await;
    let long = Timestamp::now() + Duration::from_secs(3_600);
    for key in [KEY, OTHER] {
        place.backends.store.block_budget(key, long, "there").await.unwrap();
    }
    place.publish(&[job(Fig { n: 1 })]).await;
    let handler = on(|_: Fig, context: Context| async move {
        context.budgets.permit(SERVICE).await?;
        context.budgets.permit(OTHER).await?;
        Ok(vec![])
    });
    let elsewhere = place.worker().with_budget(budget(SERVICE, "lastfm@office", 1_000.0));
    let elsewhere = elsewhere.with_budget(budget(OTHER, "spotify@app", 1_000.0));
    let ended = run_until_empty(elsewhere.with(handler, 1)).await;
    assert_eq!(ended["test.fig"], counts(1, 0, 0));
}
