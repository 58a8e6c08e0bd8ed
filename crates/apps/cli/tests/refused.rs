//! What a new Spotify app may not have: found out before hours are spent, said with what can be done, and no run stays open.

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::{fails, ok, spotifai};
use serde_json::Value;
use tempfile::tempdir;
use testkit::{Answer, Capability, Catalogue, Oddities, Service, Stage, When};
use tokio::runtime::Runtime;

fn stage(runtime: &Runtime, refused: &[Capability]) -> Stage {
    let oddities = Oddities { forbidden: refused.to_vec(), ..Oddities::none() };
    runtime.block_on(testkit::serve(Catalogue::sample(60, 5), oddities)).unwrap()
}

fn command(folder: &Path, stage: &Stage, args: &[&str]) -> Command {
    let mut command = spotifai(folder, args);
    command.envs(stage.environment());
    command
}

/// `spotifai run` of the stage's playlists.
fn run(folder: &Path, stage: &Stage, more: &[&str]) -> Output {
    let playlists = stage.playlists();
    let args: Vec<&str> = ["run"].into_iter().chain(playlists.iter().map(String::as_str)).collect();
    command(folder, stage, &[&args, more].concat()).output().unwrap()
}

fn runs(folder: &Path) -> Vec<Value> {
    let runs: Value = serde_json::from_str(&ok(&common::run(folder, &["runs", "--json"]))).unwrap();
    runs.as_array().unwrap().clone()
}

fn states(folder: &Path) -> Vec<String> {
    runs(folder).iter().map(|run| run["state"].as_str().unwrap().to_owned()).collect()
}

/// Requests to last.fm.
fn lookups(stage: &Stage) -> usize {
    stage.requests().iter().filter(|request| request.service == Service::Lastfm).count()
}

const AUDIO: [Capability; 2] = [Capability::Features, Capability::Analysis];

#[test]
fn a_run_without_any_audio_ends_at_once_and_says_what_can_be_done() {
    let runtime = Runtime::new().unwrap();
    let (folder, stage) = (tempdir().unwrap(), stage(&runtime, &AUDIO));
    let at = folder.path();
    for times in 1..=2 {
        let said = fails(&run(at, &stage, &[]), 1);
        let last = said.lines().last().unwrap();
        let command = format!("spotifai run {}", stage.playlists().join(" "));
        for part in ["audio features and audio analyses", "2024-11-27", "403", "search run --data", "SPOTIFY_CLIENT_ID"]
        {
            assert!(last.contains(part), "{part}: {said}");
        }
        // As it was typed, so that it can be pasted: with the program's path.
        assert!(last.contains(&format!("{command} --labels-only`")), "{said}");
        assert_eq!(lookups(&stage), 0, "no tag was looked up in vain");
        assert_eq!(states(at), vec!["failed"; times], "each is a run of its own");
    }
    let shown = ok(&common::run(at, &["runs"]));
    assert!(shown.contains("failed 0 s ago") && shown.contains("failed: Spotify blocks audio"), "{shown}");
    assert!(runs(at)[0]["failure"].as_str().unwrap().contains("--labels-only"));
    let built = fails(&common::run(at, &["dataset", "build"]), 1);
    assert!(built.contains("--labels-only"), "advice that can be followed: {built}");
}

#[test]
fn labels_alone_are_collected_where_they_are_asked_for() {
    let runtime = Runtime::new().unwrap();
    let (folder, stage) = (tempdir().unwrap(), stage(&runtime, &AUDIO));
    let at = folder.path();
    let said = ok(&run(at, &stage, &["--labels-only", "--out", "june"]));
    let expected = stage.expected();
    assert!(said.contains(&format!("collected  {} tracks from {} rows", expected.tracks, expected.rows)), "{said}");
    assert!(said.contains(&format!("tags for {} tracks", expected.tagged)), "{said}");
    assert!(said.contains("june/labels.csv") && said.contains("search run --data"), "{said}");
    assert!(!at.join("june/report.html").exists());
    assert_eq!(states(at), ["finished"]);
    assert_eq!(stage.requests().iter().filter(|request| request.path.contains("/audio-")).count(), 0);

    let mut table = csv::Reader::from_path(at.join("june/labels.csv")).unwrap();
    let header = table.headers().unwrap().clone();
    assert_eq!(header.iter().take(4).collect::<Vec<_>>(), ["track_id", "artist", "title", "tags"]);
    assert!(header.len() == 14 && header.iter().skip(4).all(|name| name.starts_with("label:")), "{header:?}");
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert!(rows.len() > 30, "{} rows", rows.len());
    for row in &rows {
        assert!(row.iter().take(4).all(|text| !text.is_empty()), "{row:?}");
        assert!(row.iter().skip(4).any(|bit| bit == "1"), "every row has a label: {row:?}");
    }
    // Joined with features, it is what a search reads.
    let joined = rows.iter().enumerate().map(|(i, row)| {
        let bits = row.iter().skip(4).collect::<Vec<_>>().join(",");
        format!("{},{bits},{}\n", &row[0], i % 7)
    });
    let names: Vec<&str> = header.iter().skip(4).collect();
    let text = format!("track_id,{},energy\n{}", names.join(","), joined.collect::<String>());
    std::fs::write(at.join("joined.csv"), text).unwrap();
    let search = ["search", "run", "--data", "joined.csv", "--grid", "quick", "--families", "knn", "--folds", "2"];
    assert!(ok(&common::run(at, &search)).contains("winner"));
}

#[test]
fn an_app_that_may_have_the_audio_is_not_asked_for_it_where_labels_are_enough() {
    let runtime = Runtime::new().unwrap();
    let (folder, stage) = (tempdir().unwrap(), stage(&runtime, &[]));
    ok(&run(folder.path(), &stage, &["--labels-only"]));
    let others = stage.requests().into_iter().filter(|request| {
        request.service == Service::Spotify && !request.path.contains("/items") && !request.path.contains("/token")
    });
    assert_eq!(others.map(|request| request.path).collect::<Vec<_>>(), Vec::<String>::new());
    let queues: Value = serde_json::from_str(&ok(&common::run(folder.path(), &["queues", "--json"]))).unwrap();
    for kind in queues.as_array().unwrap() {
        assert_eq!(kind["ready"], 0, "no job is left for others: {kind}");
    }
}

#[test]
fn what_is_refused_alone_costs_its_columns() {
    for (refused, features, said) in
        [(Capability::Features, "1,228", "lack the 13 audio features"), (Capability::Analysis, "13", "no pitches")]
    {
        let runtime = Runtime::new().unwrap();
        let (folder, stage) = (tempdir().unwrap(), stage(&runtime, &[refused]));
        let out = run(folder.path(), &stage, &[]);
        let stderr = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(ok(&out).contains(&format!("× {features} features")), "{}", ok(&out));
        let warning = stderr.lines().next().unwrap();
        assert!(warning.starts_with("warning: ") && warning.contains(said), "said first: {stderr}");
        assert_eq!(states(folder.path()), ["finished"]);
    }
}

#[test]
fn a_refusal_that_only_a_batch_finds_out_ends_the_run_too() {
    let runtime = Runtime::new().unwrap();
    let folder = tempdir().unwrap();
    // The first answers for audio are of a server in trouble: nobody knows, so the run begins.
    let oddities = Oddities { forbidden: AUDIO.to_vec(), ..Oddities::none() }.with(
        Service::Spotify,
        "/audio-",
        When::First(2),
        Answer::Unavailable,
    );
    let stage = runtime.block_on(testkit::serve(Catalogue::sample(60, 5), oddities)).unwrap();
    let playlists = stage.playlists();
    let args: Vec<&str> = ["run"].into_iter().chain(playlists.iter().map(String::as_str)).collect();
    // All of its tags would take twelve seconds.
    let ended = command(folder.path(), &stage, &args).env("SPOTIFAI_LASTFM_RATE", "5").output().unwrap();
    let said = fails(&ended, 1);
    assert!(lookups(&stage) < 50, "{} requests for tags in vain", lookups(&stage));
    assert!(said.lines().last().unwrap().contains("--labels-only"), "{said}");
    assert_eq!(states(folder.path()), ["failed"]);
}

#[test]
fn an_app_that_may_ask_again_is_believed_at_once() {
    let runtime = Runtime::new().unwrap();
    let folder = tempdir().unwrap();
    let old = stage(&runtime, &AUDIO);
    fails(&run(folder.path(), &old, &[]), 1);
    let other = stage(&runtime, &[]);
    assert!(ok(&run(folder.path(), &other, &[])).contains("1,241 features"), "the refusal was another app's");
    assert_eq!(states(folder.path()), ["failed", "finished"]);
}

#[test]
fn playlists_that_may_not_be_read_are_named_and_end_the_run() {
    let runtime = Runtime::new().unwrap();
    let (folder, stage) = (tempdir().unwrap(), stage(&runtime, &[Capability::OthersPlaylists]));
    let at = folder.path();
    for goal in [&[][..], &["--labels-only"]] {
        let said = fails(&run(at, &stage, goal), 1);
        let last = said.lines().last().unwrap();
        assert!(last.contains("no playlist could be read") && last.contains("spotifai login"), "{said}");
    }
    assert_eq!(states(at), ["failed", "failed"]);
    assert_eq!(lookups(&stage), 0);
}

#[test]
fn one_playlist_that_is_not_there_is_said_at_once_and_left_out() {
    let runtime = Runtime::new().unwrap();
    let (folder, stage) = (tempdir().unwrap(), stage(&runtime, &[]));
    let out = run(folder.path(), &stage, &["0000000000000000000000", "--labels-only"]);
    let stderr = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(ok(&out).contains("collected"));
    let first = stderr.lines().next().unwrap();
    assert!(first.starts_with("warning: skipping a playlist") && first.contains("0000000000000000000000"), "{stderr}");
    assert_eq!(states(folder.path()), ["finished"]);
}

#[test]
fn an_enqueued_run_ends_when_all_that_can_be_had_is_there() {
    let runtime = Runtime::new().unwrap();
    for refused in [&AUDIO[..], &[Capability::Features], &[Capability::Analysis], &[Capability::OthersPlaylists]] {
        let (folder, stage) = (tempdir().unwrap(), stage(&runtime, refused));
        let at = folder.path();
        let playlists = stage.playlists();
        let args: Vec<&str> = ["enqueue", "playlist"].into_iter().chain(playlists.iter().map(String::as_str)).collect();
        let enqueue = || command(at, &stage, &args).output().unwrap();
        ok(&enqueue());
        assert_eq!(states(at), ["open"]);
        let worked = command(at, &stage, &["worker", "all", "--until-empty"]).output().unwrap();
        ok(&worked);
        if refused == [Capability::OthersPlaylists] {
            assert_eq!(states(at), ["failed"]);
            assert!(runs(at)[0]["failure"].as_str().unwrap().contains("spotifai login"));
            continue;
        }
        let log = [worked.stdout, worked.stderr].concat();
        assert!(String::from_utf8_lossy(&log).contains("Spotify refuses this app"), "the worker says it");
        assert_eq!(states(at), ["finished"], "{refused:?}");
        let fetched = runs(at)[0]["progress"]["tracks_with_audio_fetched"].as_u64().unwrap();
        assert_eq!(fetched > 0, refused.len() == 1, "{refused:?}: what is refused was not fetched");
        let again = enqueue();
        let warned = String::from_utf8_lossy(&again.stderr).into_owned();
        assert!(warned.contains("warning: Spotify blocks"), "{warned}");
        // Nobody is signed in here: what the workers were refused is known all the same.
        let mut doctor = command(at, &stage, &["doctor"]);
        let doctor = doctor
            .env_remove("SPOTIFAI_SPOTIFY_CLIENT_ID")
            .env_remove("SPOTIFAI_SPOTIFY_CLIENT_SECRET")
            .output()
            .unwrap();
        let found = String::from_utf8_lossy(&doctor.stdout).into_owned();
        assert_eq!(found.matches("seen by a worker").count(), refused.len(), "{found}");
    }
}
