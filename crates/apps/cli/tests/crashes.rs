//! Workers killed with -9 at random leave the same store behind as undisturbed ones, and ask for nothing twice.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;

use common::{ok, run, signal, spotifai, wait_until};
use model::Timestamp;
use model::track::Track;
use store::Store;
use tempfile::tempdir;
use testkit::{Catalogue, Oddities, Stage};

const TRACKS: usize = 300;
const KILLS: usize = 20;

#[test]
fn twenty_kills_change_nothing() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (calm, stormy) = (tempdir().unwrap(), tempdir().unwrap());

    let stage = runtime.block_on(testkit::serve(Catalogue::sample(TRACKS, 5), Oddities::none())).unwrap();
    enqueue(calm.path(), &stage);
    ok(&worker(calm.path(), &stage).output().unwrap());
    let expected = runtime.block_on(contents(calm.path()));

    let stage = runtime.block_on(testkit::serve(Catalogue::sample(TRACKS, 5), Oddities::none())).unwrap();
    enqueue(stormy.path(), &stage);
    let (mut done, mut seen) = (BTreeSet::new(), 0);
    let mut random = 88_172_645_463_325_252_u64;
    for _ in 0..KILLS {
        let mut child = worker(stormy.path(), &stage).spawn().unwrap();
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        // An instant that is random and not a time: some requests after the start, or the end.
        let target = stage.requests().len() + 1 + (random % 40) as usize;
        wait_until("requests", || stage.requests().len() >= target || ended(&mut child));
        let _ = child.kill();
        child.wait().unwrap();
        // From here on nobody may ask for what the store holds now.
        let asked: Vec<String> = stage.requests().into_iter().skip(seen).map(|request| request.path).collect();
        let again: Vec<&String> = asked.iter().filter(|path| done.contains(*path)).collect();
        assert!(again.is_empty(), "asked again although it was stored: {again:?}");
        runtime.block_on(stored_paths(stormy.path(), &mut done));
        seen += asked.len();
    }
    ok(&worker(stormy.path(), &stage).output().unwrap());
    let found = runtime.block_on(contents(stormy.path()));

    assert!(expected.len() > TRACKS * 3, "the calm run collected {} rows", expected.len());
    for (key, value) in &expected {
        assert_eq!(found.get(key), Some(value), "{key}");
    }
    assert_eq!(found.len(), expected.len());
    assert!(done.len() > TRACKS, "pages and analyses were stored between the kills");
}

#[test]
fn sigterm_hands_back_and_exits_with_0() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempdir().unwrap();
    let stage = runtime.block_on(testkit::serve(Catalogue::sample(TRACKS, 6), Oddities::none())).unwrap();
    enqueue(folder.path(), &stage);
    let mut child = worker(folder.path(), &stage).spawn().unwrap();
    wait_until("requests", || stage.requests().len() > 20 || ended(&mut child));
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    ok(&worker(folder.path(), &stage).output().unwrap());
    let found = runtime.block_on(contents(folder.path()));
    let tags = found.keys().filter(|key| key.starts_with("tags ")).count();
    let tracks = found.keys().filter(|key| key.starts_with("track ")).count();
    assert_eq!(tags, tracks);
    assert_eq!(requests_made_again(&stage), 0, "nothing was lost, so nothing had to be asked again");
}

fn enqueue(folder: &Path, stage: &Stage) {
    let playlists = stage.playlists();
    let mut args = vec!["enqueue", "playlist"];
    args.extend(playlists.iter().map(String::as_str));
    ok(&spotifai(folder, &args).envs(stage.environment()).output().unwrap());
}

fn worker(folder: &Path, stage: &Stage) -> std::process::Command {
    let mut command = spotifai(folder, &["worker", "playlist", "lastfm", "pitch", "--until-empty"]);
    command.envs(stage.environment()).env("SPOTIFAI_LASTFM_RATE", "2000").env("SPOTIFAI_SPOTIFY_RATE", "2000");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn ended(child: &mut Child) -> bool {
    child.try_wait().unwrap().is_some()
}

/// Every row of the store with its value, timestamps aside.
async fn contents(folder: &Path) -> BTreeMap<String, String> {
    let store: Arc<dyn Store> = store::open(&format!("sqlite:{}", folder.join("spotifai.db").display())).await.unwrap();
    let tracks = store.all_tracks().await.unwrap();
    let ids: Vec<String> = tracks.iter().map(|track| track.id.clone()).collect();
    let artists: Vec<String> =
        tracks.iter().flat_map(|track| track.artists.iter().filter_map(|a| a.id.clone())).collect();
    let mut rows = BTreeMap::new();
    for mut page in store.pages(None).await.unwrap() {
        (page.fetched_at, page.run) = (Timestamp::default(), String::new());
        rows.insert(format!("page {}/{}", page.playlist, page.offset), format!("{page:?}"));
    }
    for mut tagged in store.tags(&ids).await.unwrap() {
        tagged.fetched_at = Timestamp::default();
        rows.insert(format!("tags {}", tagged.track_id), format!("{tagged:?}"));
    }
    for features in store.features(&ids).await.unwrap() {
        rows.insert(format!("features {}", features.track_id), format!("{features:?}"));
    }
    for pitches in store.pitches(&ids).await.unwrap() {
        rows.insert(format!("pitches {}", pitches.track_id), format!("{pitches:?}"));
    }
    for artist in store.artists(&artists).await.unwrap() {
        rows.insert(format!("artist {}", artist.id), format!("{artist:?}"));
    }
    for track in tracks {
        let analysis = store.analysis(&track.id).await.unwrap();
        rows.insert(format!("analysis {}", track.id), format!("{analysis:?}"));
        rows.insert(format!("track {}", track.id), format!("{track:?}"));
    }
    rows
}

/// How many requests were made for what had been answered with 200 before.
fn requests_made_again(stage: &Stage) -> usize {
    let mut answered: BTreeMap<String, usize> = BTreeMap::new();
    for request in stage.requests().into_iter().filter(|request| request.status == 200) {
        *answered.entry(request.path).or_default() += 1;
    }
    let of_each_process = |path: &str| path.contains("/api/token") || path.contains("robots.txt");
    answered.iter().filter(|(path, _)| !of_each_process(path)).map(|(_, n)| n - 1).sum()
}

/// Paths that need not be asked for any more: what they answer is in the store.
async fn stored_paths(folder: &Path, paths: &mut BTreeSet<String>) {
    let store = store::open(&format!("sqlite:{}", folder.join("spotifai.db").display())).await.unwrap();
    let tracks = store.all_tracks().await.unwrap();
    let ids: Vec<String> = tracks.iter().map(|track| track.id.clone()).collect();
    paths.extend(store.analysed(&ids).await.unwrap().iter().map(|id| format!("/v1/audio-analysis/{id}")));
    let tagged: BTreeSet<String> = store.tags(&ids).await.unwrap().into_iter().map(|tags| tags.track_id).collect();
    let page = |track: &Track| lastfm::tags_url("", &track.artists[0].name, &track.name);
    paths.extend(tracks.iter().filter(|track| tagged.contains(&track.id)).map(page));
}

#[test]
fn a_second_worker_on_an_empty_queue_asks_nothing() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempdir().unwrap();
    let stage = runtime.block_on(testkit::serve(Catalogue::sample(60, 7), Oddities::none())).unwrap();
    enqueue(folder.path(), &stage);
    ok(&worker(folder.path(), &stage).output().unwrap());
    let before = stage.requests().len();
    enqueue(folder.path(), &stage);
    ok(&worker(folder.path(), &stage).output().unwrap());
    let pages = |count: usize| stage.requests().into_iter().skip(count).filter(|r| r.path.contains("/+tags")).count();
    assert_eq!(pages(before), 0, "tags that are stored were asked for again");
    let status = ok(&run(folder.path(), &["status", "--json"]));
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert!(status["collection"]["tracks_tagged"].as_u64().unwrap() > 0);
}
