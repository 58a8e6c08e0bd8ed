//! A command in the foreground does its own work, whatever others left behind.

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::{ok, run, signal, spotifai, wait_until};
use model::job::{Envelope, TrackTagsJob};
use serde_json::Value;
use tempfile::{TempDir, tempdir};
use testkit::{Catalogue, Oddities, Stage};
use tokio::runtime::Runtime;

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
    let state = |search: &Value| (search["state"].as_str().unwrap().into(), search["trials_done"].as_u64().unwrap());
    list.as_array().unwrap().iter().map(state).collect()
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
    assert!(
        first.contains("search.block has been paused") && first.contains("spotifai resume search.block"),
        "{first}"
    );
    ok(&run(at, &["resume", "search.block"]));
    let id = json(at, &["search", "list", "--json"])[0]["id"].as_str().unwrap()[..12].to_owned();

    let said = second(at);
    assert!(said.contains(&format!("search {id} is unfinished (")), "{said}");
    assert!(said.contains(&format!("`spotifai search cancel {id}`")) && said.contains("resumes it"), "{said}");
    assert_eq!(searches(at), [("finished".into(), 6), ("open".into(), 0)], "it computed nothing of the first");

    // The same command goes on, and nothing is left to name.
    let first = run(at, &FIRST);
    ok(&first);
    assert!(!String::from_utf8_lossy(&first.stderr).contains("is unfinished"));
    assert_eq!(searches(at), [("finished".into(), 6), ("finished".into(), 12)]);
}

#[test]
fn an_interrupted_refit_is_named_too() {
    let folder = folder();
    let at = folder.path();
    // Held up, so that it is interrupted behind its last block.
    ok(&run(at, &["pause", "search.refit"]));
    let first = piped(at, &FIRST);
    wait_until("all trials", || searches(at) == [("open".into(), 12)]);
    signal(&first, "INT");
    let first = String::from_utf8(first.wait_with_output().unwrap().stderr).unwrap();
    assert!(first.contains("finished fits are kept; run the same command again to resume"), "{first}");
    ok(&run(at, &["resume", "search.refit"]));
    let id = json(at, &["search", "list", "--json"])[0]["id"].as_str().unwrap()[..12].to_owned();

    let said = second(at);
    let line = format!("search {id} is unfinished (all its blocks are done, but the winner is not fitted yet)");
    assert!(said.contains(&line), "{said}");
    assert!(said.contains(&format!("`spotifai search cancel {id}`")) && said.contains("resumes it"), "{said}");
    assert_eq!(searches(at), [("finished".into(), 6), ("open".into(), 12)]);
    ok(&run(at, &FIRST));
    assert_eq!(searches(at), [("finished".into(), 6), ("finished".into(), 12)]);
}

#[test]
fn blocks_that_wait_in_the_queue_are_left_to_workers() {
    let folder = folder();
    let at = folder.path();
    let start: Vec<&str> = FIRST.iter().map(|arg| if *arg == "run" { "start" } else { arg }).collect();
    ok(&run(at, &start));
    let said = second(at);
    assert!(said.contains("is unfinished") && said.contains("search cancel"), "{said}");
    assert_eq!(searches(at), [("finished".into(), 6), ("open".into(), 0)]);
    ok(&run(at, &["worker", "grid", "--until-empty"]));
    assert_eq!(searches(at)[1], ("finished".into(), 12), "they were still there");
    // One that was cancelled has nothing left to name.
    ok(&run(at, &[&start[..], &["--seed=9"]].concat()));
    ok(&run(at, &["search", "cancel", json(at, &["search", "list", "--json"])[0]["id"].as_str().unwrap()]));
    assert!(!second(at).contains("is unfinished"));
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

/// A folder, and services to collect from.
struct Collecting {
    folder: TempDir,
    runtime: Runtime,
    stage: Stage,
}

impl Collecting {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let stage = runtime.block_on(testkit::serve(Catalogue::sample(60, 9), Oddities::none())).unwrap();
        Self { folder: tempdir().unwrap(), runtime, stage }
    }

    fn at(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = spotifai(self.at(), args);
        command.envs(self.stage.environment()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// `spotifai run` of the first one, or of both.
    fn run(&self, playlists: usize) -> Command {
        let names = self.stage.playlists();
        let names = names.iter().take(playlists).map(String::as_str);
        self.command(&["run"].into_iter().chain(names).collect::<Vec<_>>())
    }

    /// Jobs that are left, of each kind.
    fn waiting(&self) -> BTreeMap<String, u64> {
        let queues = json(self.at(), &["queues", "--json"]);
        let count = |queue: &Value| {
            let left = ["ready", "running", "delayed"].map(|state| queue[state].as_u64().unwrap());
            (queue["kind"].as_str().unwrap().to_owned(), left.iter().sum::<u64>())
        };
        queues.as_array().unwrap().iter().map(count).filter(|(_, waiting)| *waiting > 0).collect()
    }

    /// Begins a run of the first playlist, which can do all but `kind`, and interrupts it; returns its id.
    fn interrupt_at(&self, kind: &str) -> String {
        ok(&run(self.at(), &["pause", kind]));
        let begun = self.run(1).spawn().unwrap();
        let mut before = BTreeMap::new();
        wait_until("all but that kind is done", || {
            let now = self.waiting();
            let is_quiet = now.len() == 1 && now.contains_key(kind) && now == before;
            before = now;
            is_quiet
        });
        signal(&begun, "INT");
        assert_eq!(begun.wait_with_output().unwrap().status.code(), Some(130));
        ok(&run(self.at(), &["resume", kind]));
        let runs = json(self.at(), &["runs", "--json"]);
        runs[0]["id"].as_str().unwrap().to_owned()
    }

    fn publish(&self, ids: &[&str]) {
        let url = format!("sqlite:{}", self.at().join("spotifai.db").display());
        let jobs: Vec<_> = ids.iter().map(|id| Envelope::new(&TrackTagsJob { track_id: (*id).into() })).collect();
        let publish = async { queue::open(&url, None).await.unwrap().publish(&jobs).await.unwrap() };
        self.runtime.block_on(publish);
    }
}

/// What a command that must succeed says on standard error.
fn said(mut command: Command) -> String {
    let ended = command.output().unwrap();
    ok(&ended);
    String::from_utf8(ended.stderr).unwrap()
}

fn summary(at: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(at.join("spotifai-out/summary.json")).unwrap()).unwrap()
}

#[test]
fn a_run_leaves_the_jobs_that_waited_before_it() {
    let collecting = Collecting::new();
    collecting.publish(&["3n3Ppam7vgaVa1iaRUc9Lp", "7ouMYWpwJ422jRcDASZB7P"]);
    let text = said(collecting.run(2));
    assert!(text.contains("the queue already holds other jobs (2 track.tags): they stay there until"), "{text}");
    assert!(text.contains("worker playlist lastfm pitch --until-empty` runs them"), "{text}");
    assert_eq!(collecting.waiting(), BTreeMap::from([("track.tags".into(), 2)]));
}

#[test]
fn an_interrupted_run_is_named_and_left_to_its_own_command() {
    let collecting = Collecting::new();
    let at = collecting.at();
    let first = collecting.interrupt_at("track.tags");
    let left = collecting.waiting();
    assert!(left["track.tags"] > 40, "{left:?}");
    let text = said(collecting.run(2));
    assert!(
        text.contains(&format!("the queue already holds other jobs ({} track.tags)", left["track.tags"])),
        "{text}"
    );
    assert!(text.contains(&format!("run {first} is unfinished: the command that started it resumes it")), "{text}");
    assert!(text.contains(&format!("cancel {first}` ends it")), "{text}");
    assert_eq!(collecting.waiting(), left);
    let summary = summary(at);
    let looked_up = ["tracks_tagged", "tracks_without_tags", "tracks_unknown_to_lastfm"];
    let looked_up: u64 = looked_up.iter().map(|count| summary[count].as_u64().unwrap()).sum();
    assert_eq!(Some(looked_up), summary["tracks_collected"].as_u64(), "its own are all there: {summary}");

    let text = said(collecting.run(1));
    assert!(!text.contains("other jobs"), "{text}");
    assert_eq!(collecting.waiting(), BTreeMap::new());
    let runs = json(at, &["runs", "--json"]);
    assert!(runs.as_array().unwrap().iter().all(|run| run["state"] == "finished"), "{runs}");
}

#[test]
fn what_a_run_left_is_done_by_workers_or_goes_with_the_run() {
    let collecting = Collecting::new();
    collecting.interrupt_at("track.tags");
    ok(&collecting.command(&["worker", "all", "--until-empty"]).output().unwrap());
    assert_eq!(collecting.waiting(), BTreeMap::new());

    let collecting = Collecting::new();
    let id = collecting.interrupt_at("track.tags");
    ok(&run(collecting.at(), &["cancel", &id]));
    assert_eq!(collecting.waiting(), BTreeMap::new());
    let text = said(collecting.run(2));
    assert!(!text.contains("other jobs"), "{text}");
}

#[test]
fn a_run_does_what_its_tracks_lack_though_the_job_for_it_is_of_another_run() {
    let collecting = Collecting::new();
    collecting.interrupt_at("track.pitches");
    said(collecting.run(2));
    let summary = summary(collecting.at());
    let rejected: u64 =
        summary["pitches_rejected"].as_object().map_or(0, |all| all.values().filter_map(Value::as_u64).sum());
    let pitches = summary["tracks_with_pitches"].as_u64().unwrap() + rejected;
    assert_eq!(Some(pitches), summary["tracks_with_analysis"].as_u64(), "{summary}");
}

#[test]
fn a_demo_on_a_queue_of_others_leaves_their_jobs() {
    let collecting = Collecting::new();
    let at = collecting.at();
    collecting.publish(&["3n3Ppam7vgaVa1iaRUc9Lp"]);
    let place = "sqlite:spotifai.db";
    let text = said(collecting.command(&["demo", "--tracks", "60", "--queue", place, "--store", place]));
    assert!(text.contains("the queue already holds other jobs (1 track.tags): they stay there until"), "{text}");
    assert!(at.join("spotifai-demo/report.html").exists());
    assert_eq!(collecting.waiting(), BTreeMap::from([("track.tags".into(), 1)]));
}
