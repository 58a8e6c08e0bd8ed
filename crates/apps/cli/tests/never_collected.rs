//! Jobs about tracks that no playlist brought: what they miss is fetched, and they are done.

mod common;

use std::path::Path;
use std::process::Command;

use common::{fails, ok, spotifai};
use model::tag::TagsOutcome;
use store::Store;
use tempfile::tempdir;
use testkit::{Catalogue, Oddities, Stage};

/// No track of any catalogue has it.
const NOBODYS: &str = "0000000000000000000000";

/// `spotifai` with the stand-ins for services.
fn spotifai_on(folder: &Path, stage: &Stage, args: &[&str]) -> Command {
    let mut command = spotifai(folder, args);
    command.envs(stage.environment());
    command
}

async fn store_in(folder: &Path) -> std::sync::Arc<dyn Store> {
    store::open(&format!("sqlite:{}", folder.join("spotifai.db").display())).await.unwrap()
}

/// The ids of all tracks of the stand-ins, as somebody else collected them.
fn ids(stage: &Stage, runtime: &tokio::runtime::Runtime) -> Vec<String> {
    let elsewhere = tempdir().unwrap();
    let playlists = stage.playlists();
    let args: Vec<&str> = ["enqueue", "playlist"].into_iter().chain(playlists.iter().map(String::as_str)).collect();
    ok(&spotifai_on(elsewhere.path(), stage, &args).output().unwrap());
    ok(&spotifai_on(elsewhere.path(), stage, &["worker", "playlist", "--until-empty"]).output().unwrap());
    let tracks = runtime.block_on(async { store_in(elsewhere.path()).await.all_tracks().await.unwrap() });
    tracks.into_iter().map(|track| track.id).collect()
}

fn stage(runtime: &tokio::runtime::Runtime) -> Stage {
    runtime.block_on(testkit::serve(Catalogue::sample(60, 11), Oddities::none())).unwrap()
}

/// Enqueues the ids and one that nobody has, and works until nothing is left; the dead letters.
fn work(folder: &Path, stage: &Stage, store: Option<&str>, kind: &str, ids: &[String]) -> serde_json::Value {
    let run = |args: &[&str]| {
        let mut command = spotifai_on(folder, stage, args);
        command.envs(store.map(|url| ("SPOTIFAI_STORE", url)));
        ok(&command.output().unwrap())
    };
    std::fs::write(folder.join("ids.txt"), format!("{}\n{NOBODYS}\n", ids.join("\n"))).unwrap();
    let enqueued = run(&["enqueue", "file", "ids.txt", "--kind", kind]);
    assert_eq!(enqueued, format!("enqueued {} jobs\n", ids.len() + 1));
    run(&["worker", "playlist", "lastfm", "pitch", "--until-empty"]);
    serde_json::from_str(&run(&["dead", "list", "--json"])).unwrap()
}

fn tags_are_found(test_store: Option<&str>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (folder, stage) = (tempdir().unwrap(), stage(&runtime));
    let ids = ids(&stage, &runtime);
    let dead = work(folder.path(), &stage, test_store, "track.tags", &ids);
    let dead = dead.as_array().unwrap();
    assert_eq!(dead.len(), 1, "only the id that nobody has: {dead:?}");
    let reason = dead[0]["reason"].as_str().unwrap();
    assert!(reason.contains("does not know track") && reason.contains(NOBODYS), "{reason}");
    assert_eq!(stage.requests_to(&format!("/v1/tracks/{}", ids[0])), 1);

    let tagged = runtime.block_on(async {
        let store = match test_store {
            Some(url) => store::open(url).await.unwrap(),
            None => store_in(folder.path()).await,
        };
        assert_eq!(store.all_tracks().await.unwrap().len(), ids.len());
        store.tags(&ids).await.unwrap()
    });
    let with = |outcome: fn(&TagsOutcome) -> bool| tagged.iter().filter(|tags| outcome(&tags.outcome)).count();
    let expected = stage.expected();
    assert_eq!(with(|outcome| matches!(outcome, TagsOutcome::Tags(_))), expected.tagged);
    assert_eq!(with(|outcome| *outcome == TagsOutcome::UnknownTrack), expected.unknown_tracks);
}

#[test]
fn tags_of_tracks_that_no_playlist_brought_are_found() {
    tags_are_found(None);
}

#[test]
fn tags_of_tracks_that_no_playlist_brought_are_found_on_mongodb() {
    let test = "tags_of_tracks_that_no_playlist_brought_are_found_on_mongodb";
    let Some(server) = testkit::test_server("SPOTIFAI_TEST_STORE", test) else { return };
    let mut url: reqwest::Url = server.parse().unwrap();
    url.set_path(&format!("test-{}", uuid::Uuid::new_v4().simple()));
    tags_are_found(Some(url.as_str()));
}

#[test]
fn pitches_of_tracks_without_an_analysis_are_computed_once_it_is_fetched() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (folder, stage) = (tempdir().unwrap(), stage(&runtime));
    let ids = ids(&stage, &runtime);
    let dead = work(folder.path(), &stage, None, "track.pitches", &ids);
    assert_eq!(dead.as_array().unwrap().len(), 0, "that there is no analysis of an id is a fact: {dead}");
    let pitches = runtime.block_on(async { store_in(folder.path()).await.pitches(&ids).await.unwrap() });
    let computed = pitches.iter().filter(|pitches| pitches.outcome.is_ok()).count();
    assert_eq!(computed, stage.expected().with_pitches);
}

#[test]
fn jobs_of_a_search_that_is_not_there_are_refused_with_their_line() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    let rows: String = (0..60).map(|i| format!("{},{},{}\n", i % 2, i % 7, (i * 5) % 11)).collect();
    std::fs::write(at.join("my.csv"), format!("label:odd,x,y\n{rows}")).unwrap();
    let start =
        ["search", "start", "--data", "my.csv", "--grid", "quick", "--families", "knn", "--folds", "2", "--json"];
    let started: serde_json::Value = serde_json::from_str(&ok(&common::run(at, &start))).unwrap();
    let (id, blocks) = (started["id"].as_str().unwrap(), started["blocks"].as_u64().unwrap());
    let block = |search: &str, block: u64| format!("{{\"search\":\"{search}\",\"block\":{block}}}\n");
    let lines = [block(id, 0), block("nosuch", 0), block(id, blocks), block(id, blocks - 1)].concat();
    std::fs::write(at.join("blocks"), lines).unwrap();
    let enqueue = ["enqueue", "file", "blocks", "--kind", "search.block"];
    let said = fails(&common::run(at, &enqueue), 1);
    for part in ["blocks: line 2: ", "`nosuch`", "spotifai search list", "enqueued 1 job,", "--from-line 2"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let kept_going = fails(&common::run(at, &[&enqueue[..], &["--keep-going"]].concat()), 1);
    assert!(kept_going.contains("line 2: ") && kept_going.contains("line 3: "), "{kept_going}");
    assert!(kept_going.contains(&format!("no block {blocks}")), "{kept_going}");
    assert!(kept_going.contains("enqueued 2 jobs, skipped 2 lines"), "{kept_going}");
    std::fs::write(at.join("refits"), "nosuch\n").unwrap();
    let refit = fails(&common::run(at, &["enqueue", "file", "refits", "--kind", "search.refit"]), 1);
    assert!(refit.contains("line 1") && refit.contains("`nosuch`"), "{refit}");
}
