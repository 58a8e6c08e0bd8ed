use model::Timestamp;
use model::run::Run;
use model::tag::LabelSelection;
use model::track::Artist;

use super::values::{page, track};
use super::{TestStore, handles, ids};

pub async fn nothing_is_known_of_an_empty_store(test_store: &impl TestStore) {
    let store = test_store.open().await;
    let unknown = ids(&["a"]);
    assert_eq!(store.tracks(&unknown).await.unwrap(), []);
    assert_eq!(store.all_tracks().await.unwrap(), []);
    assert_eq!(store.artists(&unknown).await.unwrap(), []);
    assert_eq!(store.page("run", "mix", 0).await.unwrap(), None);
    assert_eq!(store.pages(None).await.unwrap(), []);
    assert_eq!(store.runs().await.unwrap(), []);
    assert_eq!(store.tags(&unknown).await.unwrap(), []);
    assert_eq!(store.tracks_without_tags().await.unwrap(), ids(&[]));
    assert_eq!(store.labelled_tracks(&LabelSelection::default()).await.unwrap(), Default::default());
    assert_eq!(store.features(&unknown).await.unwrap(), []);
    assert_eq!(store.analysis("a").await.unwrap(), None);
    assert_eq!(store.confidences().await.unwrap(), []);
    assert_eq!(store.pitches(&unknown).await.unwrap(), []);
    assert_eq!(store.audio_counts().await.unwrap(), Default::default());
    assert_eq!(store.latest_dataset().await.unwrap(), None);
    assert_eq!(store.dataset_blob("d").await.unwrap(), None);
    assert_eq!(store.search_info("s").await.unwrap(), None);
    assert_eq!(store.trials("s").await.unwrap(), []);
    assert_eq!(store.trial_count("s").await.unwrap(), 0);
    assert_eq!(store.latest_model().await.unwrap(), None);
    assert_eq!(store.model_blob("s").await.unwrap(), None);
    assert_eq!(store.workers().await.unwrap(), []);
    assert_eq!(store.budget("lastfm").await.unwrap(), None);
    assert_eq!(store.capability("x").await.unwrap(), None);
}

pub async fn tracks_come_back_sorted_and_once(test_store: &impl TestStore) {
    let store = test_store.open().await;
    let (a, mut b) = (track("a"), track("B"));
    store.save_tracks(&[]).await.unwrap();
    store.save_tracks(&[a.clone(), b.clone()]).await.unwrap();
    b.name = "Renamed".into();
    store.save_tracks(&[b.clone(), b.clone()]).await.unwrap();
    assert_eq!(store.all_tracks().await.unwrap(), [b.clone(), a.clone()]);
    assert_eq!(store.tracks(&ids(&["a", "unknown", "B", "a"])).await.unwrap(), [b, a]);
    assert_eq!(store.tracks(&[]).await.unwrap(), []);
}

pub async fn artists_come_back(test_store: &impl TestStore) {
    let store = test_store.open().await;
    let mut artist = Artist { id: "x".into(), name: "Björk".into(), genres: vec![] };
    store.save_artists(std::slice::from_ref(&artist)).await.unwrap();
    artist.genres = vec!["art pop".into()];
    store.save_artists(std::slice::from_ref(&artist)).await.unwrap();
    assert_eq!(store.artists(&ids(&["x", "y"])).await.unwrap(), [artist]);
}

pub async fn a_page_comes_with_its_tracks(test_store: &impl TestStore) {
    let store = test_store.open().await;
    let first = page("run", 0, &["a", "b", "a"]);
    let tracks = [track("a"), track("b"), track("a")];
    for _ in 0..2 {
        store.save_page(&first, &tracks).await.unwrap();
        assert_eq!(store.page("run", "mix", 0).await.unwrap(), Some(first.clone()));
        assert_eq!(store.pages(None).await.unwrap(), std::slice::from_ref(&first));
        assert_eq!(store.all_tracks().await.unwrap(), tracks[..2]);
    }
    assert_eq!(store.page("run", "mix", 50).await.unwrap(), None);
    assert_eq!(store.page("run", "other", 0).await.unwrap(), None);
}

pub async fn pages_are_kept_apart_by_run(test_store: &impl TestStore) {
    let store = test_store.open().await;
    let (first, two) = (page("1", 0, &["a"]), page("2", 0, &["b"]));
    let late = page("1", 100, &["c"]);
    let early = page("1", 50, &["d"]);
    for page in [&two, &late, &first, &early] {
        store.save_page(page, &[]).await.unwrap();
    }
    assert_eq!(store.pages(Some("1")).await.unwrap(), [first.clone(), early.clone(), late.clone()]);
    assert_eq!(store.pages(Some("3")).await.unwrap(), []);
    assert_eq!(store.pages(None).await.unwrap(), [first, early, late, two]);
}

pub async fn runs_are_updated_and_sorted_by_age(test_store: &impl TestStore) {
    let store = test_store.open().await;
    let run = |id: &str, started_at| Run {
        id: id.to_owned(),
        playlists: ids(&["mix"]),
        started_at: Timestamp(started_at),
        finished_at: None,
        failure: None,
        cancelled_at: None,
        stand_in: None,
    };
    let (young, mut old) = (run("a", 20), run("b", 10));
    store.save_run(&young).await.unwrap();
    store.save_run(&old).await.unwrap();
    (old.finished_at, old.failure) = (Some(Timestamp(30)), Some("403".into()));
    store.save_run(&old).await.unwrap();
    assert_eq!(store.runs().await.unwrap(), [old, young]);
}

pub async fn a_run_is_cancelled_once(test_store: &impl TestStore) {
    let store = test_store.open().await;
    assert_eq!(store.cancel_run("a", Timestamp(5)).await.unwrap(), None);
    for id in ["a", "b"] {
        let (started_at, finished_at) = (Timestamp(1), None);
        let run = Run {
            id: id.to_owned(),
            playlists: ids(&["mix"]),
            started_at,
            finished_at,
            failure: None,
            cancelled_at: None,
            stand_in: None,
        };
        store.save_run(&run).await.unwrap();
    }
    for at in [5, 6] {
        let run = store.cancel_run("a", Timestamp(at)).await.unwrap().unwrap();
        assert_eq!((run.id.as_str(), run.cancelled_at), ("a", Some(Timestamp(5))));
    }
    assert_eq!(store.cancelled_runs().await.unwrap(), ids(&["a"]));
}

pub async fn two_handles_upsert_the_same_tracks(test_store: &impl TestStore) {
    let expected: Vec<_> = (0..40).map(|i| track(&format!("{i:02}"))).collect();
    let mut writers = tokio::task::JoinSet::new();
    for store in handles(test_store, 2).await {
        for offset in 0..20 {
            let (store, tracks) = (store.clone(), expected[offset..offset + 21].to_vec());
            let page = page("run", offset as u32, &[]);
            writers.spawn(async move { store.save_page(&page, &tracks).await });
        }
    }
    while let Some(saved) = writers.join_next().await {
        saved.unwrap().unwrap();
    }
    let store = test_store.open().await;
    assert_eq!(store.all_tracks().await.unwrap(), expected);
    assert_eq!(store.pages(None).await.unwrap().len(), 20);
}
