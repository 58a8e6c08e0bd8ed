use std::collections::BTreeMap;
use std::time::Duration;

use model::Timestamp;
use model::fleet::{Budget, Capability, Heartbeat, JobCounts, Pause, Permits, Trouble};
use store::{MAX_LEASE_WINDOW, StoreError};

use super::{TestStore, handles, ids};

const HOUR: Duration = Duration::from_secs(3600);

pub async fn workers_are_upserted(test_store: &impl TestStore) {
    let store = test_store.open().await;
    let beat = |id: &str, beat_at| Heartbeat {
        id: id.to_owned(),
        host: "laptop".into(),
        pid: 4711,
        kinds: ids(&["track.tags"]),
        running: vec![("track.tags".into(), "a".into(), Timestamp(5))],
        counts: BTreeMap::from([("track.tags".into(), JobCounts { done: 3, retried: 2, dead: 1 })]),
        troubles: vec![Trouble {
            kind: Some("track.tags".into()),
            job: None,
            partial: true,
            reason: "the key is wrong".into(),
            since: Timestamp(3),
            until: Timestamp(4),
        }],
        started_at: Timestamp(1),
        beat_at: Timestamp(beat_at),
    };
    for beat in [beat("b", 1), beat("a", 1), beat("b", 2), beat("b", 2)] {
        store.heartbeat(&beat).await.unwrap();
    }
    assert_eq!(store.workers().await.unwrap(), [beat("a", 1), beat("b", 2)]);
}

pub async fn a_kind_is_paused_until_it_is_resumed(test_store: &impl TestStore) {
    let store = test_store.open().await;
    let pause = |kind: &str, since| Pause { kind: kind.to_owned(), since: Timestamp(since) };
    for pause in [pause("b", 1), pause("a", 2), pause("b", 3)] {
        store.pause_kind(&pause).await.unwrap();
    }
    assert_eq!(store.pauses().await.unwrap(), [pause("a", 2), pause("b", 1)]);
    assert!(store.resume_kind("b").await.unwrap());
    assert!(!store.resume_kind("b").await.unwrap());
    assert_eq!(store.pauses().await.unwrap(), [pause("a", 2)]);
}

pub async fn the_first_permit_opens_now(test_store: &impl TestStore) {
    let store = test_store.open().await;
    let before = Timestamp::now();
    let permits = store.lease_budget("lastfm", 10.0, 100).await.unwrap();
    assert!(before <= permits.opens_at && permits.opens_at <= Timestamp::now());
    assert_eq!(permits.count, 5);
    assert_eq!(permits.expires_at, permits.opens_at + MAX_LEASE_WINDOW);
    let open = Budget { name: "lastfm".into(), blocked_until: Timestamp(0), throttled: 0, reason: None };
    assert_eq!(store.budget("lastfm").await.unwrap(), Some(open));
}

/// Four processes lease at the same time; then each permit is used as early as its window allows.
pub async fn leases_of_many_handles_never_overlap(test_store: &impl TestStore) {
    let handles = handles(test_store, 4).await;
    for (name, rate) in [("slow", 0.3), ("spotify", 3.0), ("fast", 5000.0)] {
        let mut callers = tokio::task::JoinSet::new();
        for store in &handles {
            for want in [1, 7, 60, 5000, 5000] {
                let store = store.clone();
                callers.spawn(async move { store.lease_budget(name, rate, want).await });
            }
        }
        let mut windows: Vec<Permits> = Vec::new();
        while let Some(leased) = callers.join_next().await {
            windows.push(leased.unwrap().unwrap());
        }
        // Of several that open at the same millisecond, the last one lasts: those before it are over within that.
        windows.sort_by_key(|window| (window.opens_at, window.expires_at));
        assert!(windows.iter().all(|window| window.count > 0));
        assert!(windows.windows(2).all(|two| two[0].expires_at <= two[1].opens_at), "{name}: {windows:?}");
        assert_no_ten_seconds_above(rate, &windows);
    }
}

fn assert_no_ten_seconds_above(rate: f64, windows: &[Permits]) {
    let first = windows[0].opens_at.0;
    let times = |window: &Permits| {
        let opens = (window.opens_at.0 - first) as f64;
        (0..window.count).map(move |i| opens + f64::from(i) * 1000.0 / rate)
    };
    let mut uses: Vec<f64> = windows.iter().flat_map(times).collect();
    uses.sort_by(f64::total_cmp);
    // Windows open at whole milliseconds, so that ten seconds are told to the millisecond.
    let most = (rate * 10.001 + 1e-6).floor() as usize + 1;
    for (i, start) in uses.iter().enumerate() {
        let within = uses[i..].partition_point(|time| *time <= start + 10_000.0);
        assert!(within <= most, "{within} in ten seconds at {rate} a second");
    }
}

pub async fn a_rate_must_be_above_zero(test_store: &impl TestStore) {
    let store = test_store.open().await;
    for rate in [0.0, -1.0, f64::NAN] {
        assert!(matches!(store.lease_budget("lastfm", rate, 1).await, Err(StoreError::Unusable(_))));
    }
    assert_eq!(store.budget("lastfm").await.unwrap(), None);
}

pub async fn a_blocked_budget_leases_nothing(test_store: &impl TestStore) {
    let handles = handles(test_store, 2).await;
    let until = Timestamp::now() + HOUR;
    handles[0].block_budget("lastfm", until, "429").await.unwrap();
    let permits = handles[1].lease_budget("lastfm", 100.0, 10).await.unwrap();
    assert_eq!((permits.count, permits.opens_at), (0, until));
    let past = Timestamp::now() - HOUR;
    handles[0].block_budget("spotify", past, "429").await.unwrap();
    assert_eq!(handles[1].lease_budget("spotify", 100.0, 10).await.unwrap().count, 10);
}

pub async fn a_block_is_never_shortened(test_store: &impl TestStore) {
    let store = test_store.open().await;
    let now = Timestamp::now();
    let long = store.block_budget("lastfm", now + HOUR * 2, "long").await.unwrap();
    let kept = store.block_budget("lastfm", now + HOUR, "short").await.unwrap();
    assert_eq!(kept, long);
    let longer = store.block_budget("lastfm", now + HOUR * 3, "longer").await.unwrap();
    assert_eq!((longer.blocked_until, longer.reason.as_deref()), (now + HOUR * 3, Some("longer")));
    assert_eq!(store.budget("lastfm").await.unwrap(), Some(longer));
}

pub async fn a_closed_budget_can_be_opened(test_store: &impl TestStore) {
    let (first, other) = (test_store.open().await, test_store.open().await);
    assert!(!first.unblock_budget("lastfm").await.unwrap(), "it was never closed");
    first.block_budget("lastfm", Timestamp::now() + HOUR, "throttled").await.unwrap();
    assert_eq!(first.lease_budget("lastfm", 10.0, 1).await.unwrap().count, 0);
    assert!(other.unblock_budget("lastfm").await.unwrap());
    assert!(!first.unblock_budget("lastfm").await.unwrap(), "it is open already");
    assert_eq!(first.lease_budget("lastfm", 10.0, 1).await.unwrap().count, 1);
    let open = first.budget("lastfm").await.unwrap().unwrap();
    assert_eq!((open.blocked_until, open.throttled, open.reason), (Timestamp(0), 0, None));
}

pub async fn throttled_answers_of_one_incident_count_once(test_store: &impl TestStore) {
    let latest = Timestamp::now() + HOUR * 2;
    let mut callers = tokio::task::JoinSet::new();
    for store in handles(test_store, 2).await {
        for i in 0..8 {
            let store = store.clone();
            let until = latest - Duration::from_secs(i);
            callers.spawn(async move { store.block_budget("lastfm", until, "throttled").await });
        }
    }
    while let Some(blocked) = callers.join_next().await {
        assert_eq!(blocked.unwrap().unwrap().throttled, 1);
    }
    let budget = test_store.open().await.budget("lastfm").await.unwrap().unwrap();
    assert_eq!((budget.blocked_until, budget.throttled), (latest, 1));
}

pub async fn throttled_answers_in_a_row_count(test_store: &impl TestStore) {
    let store = test_store.open().await;
    let past = Timestamp::now() - HOUR;
    for count in 1..4 {
        assert_eq!(store.block_budget("lastfm", past, "throttled").await.unwrap().throttled, count);
    }
}

pub async fn a_good_answer_starts_the_count_anew(test_store: &impl TestStore) {
    let store = test_store.open().await;
    store.reset_throttling("lastfm").await.unwrap();
    assert_eq!(store.budget("lastfm").await.unwrap(), None);
    let past = Timestamp::now() - HOUR;
    store.block_budget("lastfm", past, "throttled").await.unwrap();
    for _ in 0..2 {
        store.reset_throttling("lastfm").await.unwrap();
        assert_eq!(store.budget("lastfm").await.unwrap().unwrap().throttled, 0);
    }
    assert_eq!(store.block_budget("lastfm", past, "throttled").await.unwrap().throttled, 1);
}

pub async fn a_good_answer_from_before_the_block_counts_for_nothing(test_store: &impl TestStore) {
    let store = test_store.open().await;
    let blocked = store.block_budget("lastfm", Timestamp::now() + HOUR, "throttled").await.unwrap();
    store.reset_throttling("lastfm").await.unwrap();
    assert_eq!(blocked.throttled, 1);
    assert_eq!(store.budget("lastfm").await.unwrap(), Some(blocked));
}

pub async fn budgets_are_apart(test_store: &impl TestStore) {
    let store = test_store.open().await;
    store.block_budget("spotify", Timestamp::now() + HOUR, "429").await.unwrap();
    assert_eq!(store.lease_budget("lastfm", 10.0, 1).await.unwrap().count, 1);
    let names: Vec<_> = store.budgets().await.unwrap().into_iter().map(|budget| budget.name).collect();
    assert_eq!(names, ["lastfm", "spotify"]);
}

pub async fn capabilities_come_back(test_store: &impl TestStore) {
    let store = test_store.open().await;
    let mut capability = Capability {
        name: "spotify.audio-analysis".into(),
        allowed: true,
        detail: "200".into(),
        checked_at: Timestamp(1),
    };
    store.save_capability(&capability).await.unwrap();
    capability.allowed = false;
    store.save_capability(&capability).await.unwrap();
    assert_eq!(store.capability("spotify.audio-analysis").await.unwrap(), Some(capability.clone()));
    assert_eq!(store.capability("other").await.unwrap(), None);
    assert_eq!(store.capabilities().await.unwrap(), [capability]);
}

pub async fn crashes_are_counted_once_each(test_store: &impl TestStore) {
    let mut callers = tokio::task::JoinSet::new();
    for store in handles(test_store, 2).await {
        for _ in 0..10 {
            let store = store.clone();
            callers.spawn(async move { store.count_crash("job").await });
        }
    }
    let mut counts = Vec::new();
    while let Some(count) = callers.join_next().await {
        counts.push(count.unwrap().unwrap());
    }
    counts.sort_unstable();
    assert_eq!(counts, (1..=20).collect::<Vec<_>>());
    assert_eq!(test_store.open().await.count_crash("other").await.unwrap(), 1);
}
