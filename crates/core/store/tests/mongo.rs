//! The MongoDB backend on a real server: the contract of all backends, and what this one promises beyond.

mod contract;
mod server;

use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::{TestStore, contract};
use futures::TryStreamExt;
use model::Timestamp;
use model::dataset::DatasetInfo;
use model::tag::{LabelSelection, LabelledTrack, Tag, TagSource, TagsOutcome};
use model::track::Track;
use mongodb::IndexModel;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Document, doc};
use server::{PrivateServer, TestDatabase};
use store::{Store, StoreError};

impl TestStore for TestDatabase {
    fn fresh(test: &str) -> Option<Self> {
        Self::of_tests(test)
    }

    async fn open(&self) -> Arc<dyn Store> {
        store::open(self.url()).await.unwrap()
    }
}

contract!(crate::TestDatabase);

fn track(id: &str) -> Track {
    Track { id: id.into(), name: "Title".into(), artists: vec![], album: None, duration_ms: None, isrc: None }
}

fn dataset(id: &str) -> DatasetInfo {
    DatasetInfo {
        id: id.into(),
        rows: 1,
        features: 1,
        labels: vec![],
        dropped: Default::default(),
        tags_before: vec![],
        tags_after: vec![],
        label_selection: None,
        training: None,
        imputed: None,
        stand_in: None,
        created_at: Timestamp(1),
    }
}

async fn refused(url: &str) -> String {
    match store::open(url).await {
        Err(StoreError::Unusable(line)) => line,
        Err(other) => panic!("{url}: {other}"),
        Ok(_) => panic!("{url} was opened"),
    }
}

#[tokio::test]
async fn a_new_database_can_be_opened_by_many_at_once() {
    let Some(test_store) = TestDatabase::fresh("a_new_database_can_be_opened_by_many_at_once") else { return };
    let mut openers = tokio::task::JoinSet::new();
    for i in 0..8 {
        let url = test_store.url().to_owned();
        openers.spawn(async move { store::open(&url).await?.save_tracks(&[track(&i.to_string())]).await });
    }
    while let Some(saved) = openers.join_next().await {
        saved.unwrap().unwrap();
    }
    assert_eq!(test_store.open().await.all_tracks().await.unwrap().len(), 8);
    let trials = test_store.client().await.collection::<Document>("trials");
    let indexes: Vec<_> = trials.list_indexes().await.unwrap().try_collect().await.unwrap();
    let is_unique = |index: &IndexModel| index.options.as_ref().is_some_and(|options| options.unique == Some(true));
    let unique: Vec<Document> = indexes.into_iter().filter(is_unique).map(|index| index.keys).collect();
    assert_eq!(unique, [doc! { "search": 1, "setting": 1, "fold": 1 }]);
}

#[tokio::test]
async fn a_blob_larger_than_a_document_comes_back_and_leaves_nothing_behind() {
    let Some(test_store) = TestDatabase::fresh("a_blob_larger_than_a_document_comes_back_and_leaves_nothing_behind")
    else {
        return;
    };
    let store = test_store.open().await;
    let blob: Vec<u8> = (0_u32..5 << 20).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    for _ in 0..2 {
        store.save_dataset(&dataset("d"), &blob).await.unwrap();
        assert!(store.dataset_blob("d").await.unwrap() == Some(blob.clone()));
    }
    store.save_dataset(&dataset("d"), b"small").await.unwrap();
    assert_eq!(store.dataset_blob("d").await.unwrap().as_deref(), Some(&b"small"[..]));
    let db = test_store.client().await;
    for part in ["blobs.files", "blobs.chunks"] {
        assert_eq!(db.collection::<Document>(part).count_documents(doc! {}).await.unwrap(), 1, "{part}");
    }
}

/// Some hundred tracks of few tags, so that ties abound; the same of every run.
fn generated() -> Vec<(Track, TagsOutcome)> {
    let names = ["ambient", "blues", "country", "disco", "folk", "funk", "jazz", "metal", "pop", "soul", "rock", "80s"];
    let mut state = 1_u64;
    let mut below = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % n) as usize
    };
    let mut tracks = Vec::new();
    for i in 0..300 {
        let n = below(5);
        let tags: Vec<Tag> = (0..n).map(|_| Tag { name: names[below(12)].into(), count: None }).collect();
        tracks.push((track(&format!("{i:03}")), if n == 0 { TagsOutcome::NoTags } else { TagsOutcome::Tags(tags) }));
    }
    tracks
}

#[tokio::test]
async fn the_view_and_the_verb_are_what_the_embedded_home_computes() {
    let Some(test_store) = TestDatabase::fresh("the_view_and_the_verb_are_what_the_embedded_home_computes") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let embedded = store::open(&format!("sqlite:{}", folder.path().join("x.db").display())).await.unwrap();
    let shared = test_store.open().await;
    for (track, outcome) in generated() {
        for store in [&embedded, &shared] {
            store.save_tags(&track, &outcome, TagSource::Page).await.unwrap();
        }
    }
    for top in [0, 1, 3, 9, 10, usize::MAX] {
        for excluded in [vec![], vec!["rock".to_owned()], vec!["pop".to_owned(), "jazz".to_owned()]] {
            let label_selection = LabelSelection { top, excluded, misc: "$misc".into() };
            let [expected, found] =
                [embedded.labelled_tracks(&label_selection).await, shared.labelled_tracks(&label_selection).await];
            assert_eq!(found.unwrap(), expected.unwrap(), "{label_selection:?}");
        }
    }
    let view = test_store.client().await.collection::<LabelledTrack>("labelled_tracks");
    let rows: Vec<LabelledTrack> = view.find(doc! {}).await.unwrap().try_collect().await.unwrap();
    assert_eq!(rows, embedded.labelled_tracks(&LabelSelection::default()).await.unwrap().tracks);
}

#[tokio::test]
async fn a_view_of_another_version_is_replaced() {
    let Some(test_store) = TestDatabase::fresh("a_view_of_another_version_is_replaced") else { return };
    let db = test_store.client().await;
    db.run_command(doc! { "create": "labelled_tracks", "viewOn": "tags", "pipeline": [] }).await.unwrap();
    let store = test_store.open().await;
    let tags = TagsOutcome::Tags(vec![Tag { name: "pop".into(), count: None }]);
    store.save_tags(&track("a"), &tags, TagSource::Page).await.unwrap();
    let row = db.collection::<Document>("labelled_tracks").find_one(doc! {}).await.unwrap().unwrap();
    assert_eq!(row, doc! { "_id": "a", "track_id": "a", "labels": ["pop"] });
}

#[tokio::test]
async fn of_an_unrecognised_page_the_newest_is_kept() {
    let Some(test_store) = TestDatabase::fresh("of_an_unrecognised_page_the_newest_is_kept") else { return };
    let store = test_store.open().await;
    for (address, body) in [("a", "old"), ("a", "new"), ("b", "other")] {
        store.save_unrecognised(address, 200, body).await.unwrap();
    }
    let pages = test_store.client().await.collection::<Document>("pages");
    let rows: Vec<Document> = pages.find(doc! {}).sort(doc! { "_id": 1 }).await.unwrap().try_collect().await.unwrap();
    let rows: Vec<_> = rows.iter().map(|row| (row.get_str("address").unwrap(), row.get_str("body").unwrap())).collect();
    assert_eq!(rows, [("a", "new"), ("b", "other")]);
}

#[tokio::test]
async fn damaged_entries_are_told_and_the_rest_stays_readable() {
    let Some(test_store) = TestDatabase::fresh("damaged_entries_are_told_and_the_rest_stays_readable") else { return };
    let store = test_store.open().await;
    store.save_tracks(&[track("a"), track("b")]).await.unwrap();
    let db = test_store.client().await;
    let bytes = |bytes: &[u8]| mongodb::bson::Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() };
    let collection = |name: &str| db.collection::<Document>(name);
    let packed = doc! { "_id": "a", "track_id": "a", "segments": bytes(b"\x01\xff\xff\xff\xff\x0f") };
    collection("analyses").insert_one(packed).await.unwrap();
    let columns = doc! { "_id": "a", "track_id": "a", "rejected": null, "columns": bytes(b"\0") };
    collection("pitches").insert_one(columns).await.unwrap();
    collection("tracks").replace_one(doc! { "_id": "a" }, doc! {}).await.unwrap();
    let a = ["a".to_owned()];
    let damaged = [
        store.analysis("a").await.map(drop).unwrap_err(),
        store.pitches(&a).await.map(drop).unwrap_err(),
        store.tracks(&a).await.map(drop).unwrap_err(),
    ];
    for error in damaged {
        assert!(matches!(&error, StoreError::Unusable(line) if !line.contains('\n')), "{error}");
    }
    assert_eq!(store.tracks(&["b".to_owned()]).await.unwrap(), [track("b")]);
}

#[tokio::test]
async fn texts_that_look_like_the_servers_language_stay_texts() {
    let Some(test_store) = TestDatabase::fresh("texts_that_look_like_the_servers_language_stay_texts") else { return };
    let store = test_store.open().await;
    let past = Timestamp::now() - Duration::from_secs(3600);
    let blocked = store.block_budget("$name", past, "$throttled").await.unwrap();
    assert_eq!((blocked.name.as_str(), blocked.reason.as_deref()), ("$name", Some("$throttled")));
    assert_eq!(store.count_crash("$job").await.unwrap(), 1);
    let tags = TagsOutcome::Tags(vec![Tag { name: "$tags.name".into(), count: None }]);
    store.save_tags(&track("$id"), &tags, TagSource::Page).await.unwrap();
    let label_selection = LabelSelection { top: 0, excluded: vec!["$canonical".into()], misc: "$misc".into() };
    let labelled = store.labelled_tracks(&label_selection).await.unwrap();
    assert_eq!(labelled.tracks, [LabelledTrack { track_id: "$id".into(), labels: vec!["$misc".into()] }]);
}

#[tokio::test]
async fn what_cannot_be_a_store_is_told_in_one_line_without_credentials() {
    let urls = [
        "mongodb://",
        "mongodb://user:hush@",
        "mongodb://user:hush@127.0.0.1:port/x",
        "mongodb://user:hu/sh@127.0.0.1/x",
        "mongodb://user:hush@127.0.0.1/x?connectTimeoutMS=soon",
        "mongo://user:hush@127.0.0.1/x",
    ];
    for url in urls {
        let line = refused(url).await;
        assert!(line.contains("use ") && !line.contains('\n'), "{line}");
        assert!(!line.contains("hu"), "{line}");
    }
}

#[tokio::test]
async fn a_server_out_of_reach_is_told_soon() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for address in [closed, silent.local_addr().unwrap()] {
        let asked = Instant::now();
        let Err(error) = store::open(&format!("mongodb://user:hush@{address}/x")).await else { panic!("opened") };
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        assert!(error.to_string().contains(&address.to_string()) && !error.to_string().contains("hush"), "{error}");
        assert!(asked.elapsed() < Duration::from_secs(6), "{:?}", asked.elapsed());
    }
}

#[tokio::test]
async fn a_server_that_is_too_old_is_refused() {
    let line = refused(&server::old::serve("5.0.30").await).await;
    assert!(line.contains("is MongoDB 5.0.30: use 6.0 or newer"), "{line}");
}

#[tokio::test]
async fn a_refused_sign_in_is_told_in_one_line_without_the_password() {
    let Some(test_store) = TestDatabase::fresh("a_refused_sign_in_is_told_in_one_line_without_the_password") else {
        return;
    };
    let line = refused(&test_store.url_of_unknown_user()).await;
    assert!(line.contains("refused the sign-in") && line.contains("authSource") && !line.contains('\n'), "{line}");
    assert!(!line.contains("hush"), "{line}");
}

/// A caller that gives up, as `select!` and time-outs do, at any await on the way.
#[tokio::test]
async fn an_operation_that_nobody_waits_for_is_done_to_its_end() {
    let Some(test_store) = TestDatabase::fresh("an_operation_that_nobody_waits_for_is_done_to_its_end") else { return };
    let store = test_store.open().await;
    for i in 0..50 {
        let tracks = [track(&format!("{i:02}"))];
        // Begun, and given up at once or a moment later; some are done by then.
        let _ = tokio::time::timeout(Duration::from_micros(20 * i), store.save_tracks(&tracks)).await;
    }
    let given_up = Instant::now();
    while store.all_tracks().await.unwrap().len() < 50 {
        assert!(given_up.elapsed() < Duration::from_secs(10));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_the_server_and_the_open_handle_goes_on() {
    let Some(mut server) =
        PrivateServer::start("what_was_acknowledged_outlives_the_server_and_the_open_handle_goes_on")
    else {
        return;
    };
    let store = store::open(&server.url()).await.unwrap();
    let saved: Vec<Track> = (0..200).map(|i| track(&format!("{i:03}"))).collect();
    for tracks in saved.chunks(20) {
        store.save_tracks(tracks).await.unwrap();
    }
    assert_eq!(store.count_crash("job").await.unwrap(), 1);
    server.kill();
    let asked = Instant::now();
    let error = store.save_tracks(&[track("lost")]).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    assert!(asked.elapsed() < Duration::from_secs(6), "{:?}", asked.elapsed());
    server.start_again();
    let back = Instant::now();
    while let Err(error) = store.save_tracks(&[track("found")]).await {
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        assert!(back.elapsed() < Duration::from_secs(2), "{error}");
    }
    let found = store.all_tracks().await.unwrap();
    let tracks: Vec<&Track> = found.iter().filter(|track| track.id.len() == 3).collect();
    assert!(tracks.into_iter().eq(&saved));
    assert_eq!(store.count_crash("job").await.unwrap(), 2);
}

#[tokio::test]
async fn a_store_that_nobody_serves_is_told_in_plain_words() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (hosts, why) in [
        (free.to_string(), "Connection refused"),
        (format!("{free},nowhere.invalid:1"), "no server answers: "),
        ("nowhere.invalid:1".to_owned(), "no server answers: "),
    ] {
        let url = format!("mongodb://me:secret@{hosts}/x?serverSelectionTimeoutMS=300");
        let Err(StoreError::Unavailable { at, cause }) = store::open(&url).await else { panic!("{url} was opened") };
        assert_eq!(at, format!("mongodb://{hosts}/x"));
        assert!(cause.starts_with("no server answers: ") && cause.contains(why), "{cause}");
        for word in ["Topology", "labels", "{", "os error", "Kind"] {
            assert!(!cause.contains(word), "{cause}");
        }
    }
}
