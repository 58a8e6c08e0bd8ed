//! Two commands on one file at once: both end right, and nothing is taken from under either.

mod common;

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use common::{fails, ok, run, signal, spotifai, wait_until};
use tempfile::tempdir;

fn started(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn ended(child: Child) -> Output {
    child.wait_with_output().unwrap()
}

/// Settings of a finished search, and of which family they are.
fn families(out: &Path) -> (usize, String) {
    let board = std::fs::read_to_string(out.join("leaderboard.csv")).unwrap();
    let families: std::collections::BTreeSet<&str> =
        board.lines().skip(1).filter_map(|row| row.split(',').next()).collect();
    (board.lines().count() - 1, Vec::from_iter(families).join(" "))
}

fn table(folder: &Path) {
    let rows: String =
        (0..300).map(|i| format!("{},{},{}\n", i * 7 % 31, i * 5 % 17, usize::from(i % 3 == 0))).collect();
    std::fs::write(folder.join("d.csv"), format!("x,y,label:a\n{rows}")).unwrap();
}

#[test]
fn a_second_demo_in_a_folder_is_refused_and_the_first_one_ends_right() {
    let folder = tempdir().unwrap();
    let demo = |tracks: &'static str| ["demo", "--tracks", tracks, "--out", "out"];
    let mut first = started(spotifai(folder.path(), &demo("400")));
    wait_until("the first one's file", || {
        folder.path().join("out/demo.db").exists() || first.try_wait().unwrap().is_some()
    });
    for tracks in ["400", "60"] {
        let line = fails(&run(folder.path(), &demo(tracks)), 1);
        let said =
            "spotifai: another demo is running in out: wait for it to end, or choose another folder with --out\n";
        assert_eq!(line, said);
    }
    let said = ok(&ended(first));
    assert!(said.contains("report.html"), "{said}");
    ok(&run(folder.path(), &demo("60")));
}

#[test]
fn a_demo_deletes_no_file_that_another_command_uses() {
    let folder = tempdir().unwrap();
    ok(&run(folder.path(), &["demo", "--tracks", "60", "--out", "out"]));
    let status = ["--store", "sqlite:out/demo.db", "--queue", "sqlite:out/demo.db", "status", "--json", "--watch"];
    let mut watching = started(spotifai(folder.path(), &status));
    let mut shown = std::io::BufReader::new(watching.stdout.take().unwrap());
    let mut next = || {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut shown, &mut line).unwrap();
        line
    };
    let before = next();
    let line = fails(&run(folder.path(), &["demo", "--tracks", "80", "--out", "out"]), 1);
    assert!(
        line.starts_with("spotifai: out/demo.db belongs to an earlier demo and is in use by another command"),
        "{line}"
    );
    assert!(before.starts_with('{') && next().starts_with('{') && next().starts_with('{'), "it goes on");
    signal(&watching, "INT");
    assert_eq!(watching.wait().unwrap().code(), Some(0));
    ok(&run(folder.path(), &["demo", "--tracks", "80", "--out", "out"]));
}

#[test]
fn two_searches_on_one_file_find_their_own() {
    let folder = tempdir().unwrap();
    table(folder.path());
    let search = |family: &'static str, out: &'static str| {
        let args = ["search", "run", "--data", "d.csv", "--grid", "quick", "--folds", "3"];
        started(spotifai(folder.path(), &[&args[..], &["--families", family, "--out", out]].concat()))
    };
    let searches = [search("tree", "a"), search("knn", "b"), search("knn", "c")];
    searches.into_iter().for_each(|search| drop(ok(&ended(search))));
    let board = |out: &str| families(&folder.path().join(out));
    assert_eq!([board("a"), board("b"), board("c")], [(36, "tree".into()), (24, "knn".into()), (24, "knn".into())]);
}

#[test]
fn two_searches_that_write_into_one_folder_leave_the_files_of_one() {
    let folder = tempdir().unwrap();
    table(folder.path());
    let search = |family: &'static str| {
        let args = ["search", "run", "--data", "d.csv", "--grid", "quick", "--folds", "3", "--out", "out"];
        started(spotifai(folder.path(), &[&args[..], &["--families", family]].concat()))
    };
    let searches = [search("tree"), search("knn")];
    searches.into_iter().for_each(|search| drop(ok(&ended(search))));
    let summary = std::fs::read(folder.path().join("out/summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
    let (settings, family) = families(&folder.path().join("out"));
    assert_eq!((&summary["settings"], &summary["winner"]["family"]), (&settings.into(), &family.into()));
}

#[test]
fn two_runs_and_a_search_on_one_file_all_end_right() {
    let folder = tempdir().unwrap();
    table(folder.path());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let catalogue = testkit::Catalogue::sample(120, 9);
    let stage = runtime.block_on(testkit::serve(catalogue, testkit::Oddities::none())).unwrap();
    let playlists = stage.playlists();
    let command = |args: &[&str]| {
        let mut command = spotifai(folder.path(), args);
        command.envs(stage.environment()).env("SPOTIFAI_LASTFM_RATE", "1000").env("SPOTIFAI_SPOTIFY_RATE", "1000");
        started(command)
    };
    let names: Vec<&str> = playlists.iter().map(String::as_str).collect();
    let of_run = |out: &'static str| [&["run", "--out", out][..], &names].concat();
    let all = [
        command(&of_run("a")),
        command(&["search", "run", "--data", "d.csv", "--grid", "quick", "--folds", "3", "--out", "s"]),
        command(&of_run("b")),
    ];
    let said = all.map(|child| ok(&ended(child)));
    assert!(said[0].contains("collected  ") && said[2].contains("collected  "), "{said:?}");
    assert_eq!(families(&folder.path().join("s")).0, 60);
    let rows = |out: &str| -> serde_json::Value {
        let summary = std::fs::read(folder.path().join(out).join("summary.json")).unwrap();
        let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
        summary["tracks_collected"].clone()
    };
    assert_eq!(rows("a"), rows("b"));
}
