//! Texts from outside that hold what a terminal obeys: nothing that is printed does.

mod common;

use std::collections::BTreeMap;

use common::{fails, ok, run, spotifai};
use model::Timestamp;
use model::fleet::Heartbeat;
use model::job::{Envelope, TrackTagsJob};
use model::run::Run;
use model::terminal::is_unsafe;
use queue::Outcome;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

/// Clears a screen, sets a title, overwrites a line, turns the reading direction, forges a line.
const HOSTILE: &str = "a\u{1b}[2Jb\u{1b}]0;title\u{7}c\rd\u{9b}31me\u{202e}f\ng\u{7f}";

/// Whatever else is in a text, it has nothing that a terminal obeys, and shows that something was there.
fn is_harmless(what: &str, text: &str) {
    let found = text.chars().find(|c| is_unsafe(*c) && *c != '\n');
    assert_eq!(found, None, "{what}: {text:?}");
    assert!(text.contains("\\u{1b}[2J"), "{what}: {text:?}");
}

/// A folder whose queue and store hold hostile texts wherever texts can come from outside.
fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("spotifai.db").display());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let (queue, store) = (queue::open(&url, None).await.unwrap(), store::open(&url).await.unwrap());
        queue.publish(&[Envelope::new(&TrackTagsJob { track_id: HOSTILE.into() })]).await.unwrap();
        let job = queue.subscribe(&["track.tags"], 1).await.unwrap().next().await.unwrap();
        job.finish(Outcome::Dead { reason: format!("no such track: {HOSTILE}") }).await.unwrap();
        let started_at = Timestamp::now();
        let beat = Heartbeat {
            id: HOSTILE.into(),
            host: HOSTILE.into(),
            pid: 7,
            kinds: vec!["track.tags".into()],
            running: vec![("track.tags".into(), HOSTILE.into(), started_at)],
            counts: BTreeMap::new(),
            troubles: Vec::new(),
            started_at,
            beat_at: started_at,
        };
        store.heartbeat(&beat).await.unwrap();
        let playlists = vec![HOSTILE.into()];
        store
            .save_run(&Run {
                id: HOSTILE.into(),
                playlists,
                started_at,
                finished_at: None,
                cancelled_at: None,
                stand_in: None,
                failure: None,
            })
            .await
            .unwrap();
    });
    folder
}

#[test]
fn lists_and_tables_show_what_a_terminal_would_obey() {
    let folder = folder();
    let at = folder.path();
    let letters: Value = serde_json::from_str(&ok(&run(at, &["dead", "list", "--json"]))).unwrap();
    let id = letters[0]["id"].as_str().unwrap();
    for args in [&["dead", "list"][..], &["dead", "show", id], &["status"], &["workers"], &["runs"]] {
        let plain = ok(&run(at, args));
        is_harmless(&format!("{args:?}"), &plain);
        let rows = if args == ["dead", "list"] { plain.lines().count() } else { 2 };
        assert_eq!(rows, 2, "one letter is one line: {plain}");
        // With our own colours, which are all that is left of escape sequences.
        let coloured = ok(&spotifai(at, args).env("CLICOLOR_FORCE", "1").output().unwrap());
        let ours = ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m"];
        let without = ours.iter().fold(coloured.clone(), |text, sequence| text.replace(sequence, ""));
        is_harmless(&format!("{args:?} in colours"), &without);
        assert!(
            args[0] == "dead" && args[1] == "show" || coloured.contains("\x1b[1m"),
            "headers are bold: {coloured:?}"
        );
        assert_eq!(without.trim_end(), plain.trim_end(), "as wide with colours as without");
    }
}

#[test]
fn json_is_escaped_and_the_same() {
    let folder = folder();
    for (args, pointer) in [
        (&["dead", "list", "--json"][..], "/0/key"),
        (&["workers", "--json"], "/0/host"),
        (&["runs", "--json"], "/0/playlists/0"),
        (&["status", "--json"], "/workers/0/host"),
    ] {
        let text = ok(&run(folder.path(), args));
        assert!(!text.contains(|c| is_unsafe(c) && c != '\n'), "{text:?}");
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value.pointer(pointer).and_then(Value::as_str), Some(HOSTILE), "{args:?}");
    }
}

#[test]
fn errors_that_quote_what_was_typed_or_read_are_harmless() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("table.csv"), format!("track_id,\"{HOSTILE}\",label:x\na,text,1\n")).unwrap();
    std::fs::write(at.join("bad.toml"), "\"\\u001b[2J\" = 1\n").unwrap();
    for (args, code) in [
        (&["dead", "show", HOSTILE][..], 2),
        (&["cancel", HOSTILE], 2),
        (&["search", "show", HOSTILE], 2),
        (&["run", HOSTILE], 2),
        (&["pitches", HOSTILE], 1),
        (&[HOSTILE], 2),
        (&["search", "run", "--data", HOSTILE], 1),
        (&["search", "run", "--data", "table.csv"], 1),
        (&["--config", "bad.toml", "status"], 2),
    ] {
        is_harmless(&format!("{args:?}"), &fails(&run(at, args), code));
    }
}

#[test]
fn the_files_of_a_search_show_names_of_columns_and_labels_without_what_a_terminal_obeys() {
    let folder = tempdir().unwrap();
    let at = folder.path();
    let row = |i: usize| format!("{},{},{},{}\n", i % 7, i % 5, i % 2, usize::from(i.is_multiple_of(3)));
    let rows: String = (0..60).map(row).collect();
    std::fs::write(at.join("table.csv"), format!("\"{HOSTILE}\",y,\"label:{HOSTILE}\",label:b\n{rows}")).unwrap();
    std::fs::write(at.join("grid.toml"), "[knn]\nn_neighbors = [1, 3]\n").unwrap();
    let search = run(at, &["search", "run", "--data", "table.csv", "--grid", "grid.toml", "--folds", "3"]);
    let said = ok(&search);
    assert!(!said.contains(|c| is_unsafe(c) && c != '\n'), "{said:?}");
    let read = |name: &str| std::fs::read_to_string(at.join("spotifai-out").join(name)).unwrap();
    is_harmless("report.html", &read("report.html"));
    let summary = read("summary.json");
    assert!(!summary.contains(|c| is_unsafe(c) && c != '\n'), "{summary:?}");
    let summary: Value = serde_json::from_str(&summary).unwrap();
    assert!(summary["labels"].as_array().unwrap().iter().any(|label| label == HOSTILE), "{summary}");
}

#[test]
fn a_workers_log_is_harmless_in_both_formats() {
    let folder = tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("spotifai.db").display());
    for format in ["human", "json"] {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let queue = queue::open(&url, None).await.unwrap();
            let job = Envelope::new(&TrackTagsJob { track_id: format!("{HOSTILE}{format}") });
            queue.publish(&[job]).await.unwrap();
        });
        let out = spotifai(folder.path(), &["worker", "lastfm", "--until-empty"])
            .env("SPOTIFAI_LOG_FORMAT", format)
            .env("SPOTIFAI_LOG", "debug")
            .env("SPOTIFAI_CONTACT", "me@example.org")
            .output()
            .unwrap();
        ok(&out);
        let log = String::from_utf8(out.stderr).unwrap();
        assert!(log.contains("dead"), "the job's end is logged: {log}");
        match format {
            "human" => is_harmless("the log", &log),
            _ => {
                assert!(!log.contains(|c| is_unsafe(c) && c != '\n'), "{log:?}");
                let events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
                let key = events.filter_map(|event| event.pointer("/span/key")?.as_str().map(str::to_owned)).next();
                assert_eq!(key.as_deref(), Some(&*format!("{HOSTILE}{format}")));
            }
        }
    }
}
