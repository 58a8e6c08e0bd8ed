//! A command in the foreground does its own work, whatever others left behind.

mod common;

use std::path::Path;
use std::process::{Child, Stdio};

use common::{ok, run, signal, spotifai, wait_until};
use model::job::{Envelope, TrackTags};
use serde_json::Value;
use tempfile::{TempDir, tempdir};
use testkit::{Catalogue, Oddities};

const FIRST: [&str; 9] =
    ["search", "run", "--data", "my.csv", "--labels", "big,odd", "--grid", "first.toml", "--folds=3"];
const SECOND: [&str; 9] =
    ["search", "run", "--data", "my.csv", "--labels", "big,odd", "--grid", "second.toml", "--folds=3"];

/// A folder with data and two grids.
fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    let row = |i: usize| format!("{},{},{},{}\n", u8::from(i % 50 > 24), i % 2, i % 50, (i * 7) % 13);
    let rows: String = (0..120).map(row).collect();
    std::fs::write(folder.path().join("my.csv"), format!("big,odd,x,y\n{rows}")).unwrap();
    std::fs::write(folder.path().join("first.toml"), "[knn]\nn_neighbors = [1, 3]\n[tree]\nmax_depth = [1, 3]\n")
        .unwrap();
    std::fs::write(folder.path().join("second.toml"), "[ridge]\nalpha = [1.0, 2.0]\n").unwrap();
    folder
}

fn json(folder: &Path, args: &[&str]) -> Value {
    serde_json::from_str(&ok(&run(folder, args))).expect("JSON")
}

fn piped(folder: &Path, args: &[&str]) -> Child {
    spotifai(folder, args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The searches' states and finished trials, the newest first.
fn searches(folder: &Path) -> Vec<(String, u64)> {
    let list = json(folder, &["search", "list", "--json"]);
    let of = |search: &Value| (search["state"].as_str().unwrap().into(), search["trials_done"].as_u64().unwrap());
    list.as_array().unwrap().iter().map(of).collect()
}

/// Runs the second search and returns what it says on standard error.
fn second(folder: &Path) -> String {
    let second = run(folder, &SECOND);
    ok(&second);
    String::from_utf8(second.stderr).unwrap()
}

#[test]
fn an_interrupted_search_is_named_and_does_not_keep_the_next_one_waiting() {
    let folder = folder();
    let at = folder.path();
    // Held up, so that it is interrupted before its first block.
    ok(&run(at, &["pause", "search.block"]));
    let first = piped(at, &FIRST);
    wait_until("a search", || !searches(at).is_empty());
    signal(&first, "INT");
    let first = String::from_utf8(first.wait_with_output().unwrap().stderr).unwrap();
    assert!(first.contains("search.block is paused") && first.contains("spotifai resume search.block"), "{first}");
    ok(&run(at, &["resume", "search.block"]));
    let id = json(at, &["search", "list", "--json"])[0]["id"].as_str().unwrap()[..12].to_owned();

    let said = second(at);
    assert!(said.contains(&format!("search {id} was left with")), "{said}");
    assert!(said.contains(&format!("`spotifai search cancel {id}`")) && said.contains("goes on with it"), "{said}");
    assert_eq!(searches(at), [("finished".into(), 6), ("open".into(), 0)], "it computed nothing of the first");

    // The same command goes on, and nothing is left to name.
    let first = run(at, &FIRST);
    ok(&first);
    assert!(!String::from_utf8_lossy(&first.stderr).contains("was left with"));
    assert_eq!(searches(at), [("finished".into(), 6), ("finished".into(), 12)]);
}

#[test]
fn blocks_that_wait_in_the_queue_are_left_to_workers() {
    let folder = folder();
    let at = folder.path();
    let start: Vec<&str> = FIRST.iter().map(|arg| if *arg == "run" { "start" } else { arg }).collect();
    ok(&run(at, &start));
    let said = second(at);
    assert!(said.contains("was left with") && said.contains("search cancel"), "{said}");
    assert_eq!(searches(at), [("finished".into(), 6), ("open".into(), 0)]);
    ok(&run(at, &["worker", "grid", "--until-empty"]));
    assert_eq!(searches(at)[1], ("finished".into(), 12), "they were still there");
    // One that was cancelled has nothing left to name.
    ok(&run(at, &[&start[..], &["--seed=9"]].concat()));
    ok(&run(at, &["search", "cancel", json(at, &["search", "list", "--json"])[0]["id"].as_str().unwrap()]));
    assert!(!second(at).contains("was left with"));
}

#[test]
fn two_searches_at_once_in_one_file_both_end_right() {
    let (alone, both) = (folder(), folder());
    for args in [FIRST, SECOND] {
        ok(&run(alone.path(), &args));
    }
    let with_folder = |args: &'static [&'static str], out| [args, &["--out", out]].concat();
    // Two that differ, and the same one twice.
    let started = [(&FIRST, "a"), (&SECOND, "b"), (&FIRST, "c")]
        .map(|(args, out)| (piped(both.path(), &with_folder(args, out)), out));
    let scores = |file: &Path| {
        let text = std::fs::read_to_string(file.join("leaderboard.csv")).unwrap();
        text.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned()).collect::<Vec<_>>()
    };
    for (child, _) in started {
        ok(&child.wait_with_output().unwrap());
    }
    assert_eq!(searches(both.path()).len(), 2);
    ok(&run(alone.path(), &with_folder(&FIRST, "a")));
    ok(&run(alone.path(), &with_folder(&SECOND, "b")));
    for (here, there) in [("a", "a"), ("b", "b"), ("c", "a")] {
        assert_eq!(scores(&both.path().join(here)), scores(&alone.path().join(there)));
    }
}

#[test]
fn a_run_names_the_jobs_that_waited_before_it() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let stage = runtime.block_on(testkit::serve(Catalogue::sample(60, 9), Oddities::none())).unwrap();
    let url = format!("sqlite:{}", at.join("spotifai.db").display());
    runtime.block_on(async {
        let queue = queue::open(&url, None).await.unwrap();
        let jobs = ["3n3Ppam7vgaVa1iaRUc9Lp", "7ouMYWpwJ422jRcDASZB7P"];
        queue.publish(&jobs.map(|id| Envelope::new(&TrackTags { track_id: id.into() }))).await.unwrap();
    });
    let mut args = vec!["run"];
    let playlists = stage.playlists();
    args.extend(playlists.iter().map(String::as_str));
    let mut command = spotifai(at, &args);
    command.envs(stage.environment()).env("SPOTIFAI_LASTFM_RATE", "1000").env("SPOTIFAI_SPOTIFY_RATE", "1000");
    let said = command.output().unwrap();
    ok(&said);
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains("2 jobs wait in the queue already") && said.contains("2 track.tags"), "{said}");
}
