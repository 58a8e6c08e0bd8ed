//! The whole way, offline, as a person runs it.

mod common;

use std::path::Path;
use std::process::Stdio;

use common::{fails, ok, run, signal, spotifai, wait_until};
use serde_json::Value;
use tempfile::tempdir;

fn summary(out: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(out.join("summary.json")).unwrap()).unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no count"))
}

fn all(counts: &Value) -> u64 {
    counts.as_object().unwrap().values().map(number).sum()
}

#[test]
fn the_demo_ends_in_a_report_that_beats_the_baseline() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("out");
    let said = ok(&run(folder.path(), &["demo", "--tracks", "200", "--seed", "3", "--out", "out"]));
    assert!(said.contains("report.html"), "{said}");
    let summary = summary(&out);
    let skipped = &summary["rows_skipped"];
    assert_eq!(number(&summary["tracks_collected"]) + all(skipped), number(&summary["rows"]));
    for reason in ["removed", "local", "episode", "duplicate"] {
        assert!(number(&skipped[reason]) > 0, "the sample has rows of every odd kind: {skipped}");
    }
    assert_eq!(number(&summary["dataset_features"]), 1_241);
    assert_eq!(summary["labels"].as_array().unwrap().len(), 10);
    assert!(summary["labels"].as_array().unwrap().iter().all(|label| label != "rock"));
    let rows = number(&summary["dataset_rows"]);
    assert!(rows > 120 && rows <= number(&summary["tracks_with_pitches"]), "{rows}");
    let f1 = |scores: &str| summary[scores]["f1"]["micro"].as_f64().unwrap();
    assert!(f1("heldout") > f1("baseline") + 0.1, "{} against {}", f1("heldout"), f1("baseline"));
    assert!(number(&summary["jobs"]["track.tags"]["done"]) >= number(&summary["tracks_collected"]));
    let retried: u64 = summary["jobs"].as_object().unwrap().values().map(|counts| number(&counts["retried"])).sum();
    assert!(retried > 0, "the sample's services are odd: some jobs are tried again");
    let page = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert_eq!((&summary["invented"], &summary["source"]), (&true.into(), &"sample catalogue".into()));
    assert!(said.contains("invented"), "{said}");
    let first_screen = page.split_once("<section").unwrap().0;
    assert!(first_screen.contains("These songs are invented") && first_screen.contains("invented tracks"));
    assert!(page.contains("average pitches of") && page.matches("class=\"card song\"").count() == 5);

    let store = format!("sqlite:{}", out.join("demo.db").display());
    let labelled = labelled_tracks(&out.join("demo.db"));
    assert!(labelled >= rows, "the view labelled_tracks has {labelled} tracks for {rows} rows");
    let track = page_track(&store, folder.path());
    let predicted = ok(&run(folder.path(), &["--store", &store, "predict", &track, "--json"]));
    let predicted: Value = serde_json::from_str(&predicted).unwrap();
    assert_eq!(predicted[0]["probabilities"].as_object().unwrap().len(), 10);

    for file in ["d.csv", "d.parquet"] {
        ok(&run(folder.path(), &["--store", &store, "dataset", "export", file]));
        ok(&run(
            folder.path(),
            &[
                "search",
                "run",
                "--data",
                file,
                "--families",
                "knn",
                "--folds",
                "3",
                "--out",
                file.split('.').next_back().unwrap(),
            ],
        ));
    }
    let boards = ["csv", "parquet"].map(|out| scores_of(&folder.path().join(out).join("leaderboard.csv")));
    assert_eq!(boards[0], boards[1], "a file read back from CSV and from Parquet is the same data");
}

fn labelled_tracks(file: &Path) -> u64 {
    let connection = sqlite::rusqlite::Connection::open(file).unwrap();
    connection
        .query_row("SELECT COUNT(DISTINCT track_id) FROM labelled_tracks", [], |row| row.get::<_, i64>(0))
        .unwrap() as u64
}

fn page_track(store: &str, folder: &Path) -> String {
    ok(&run(folder, &["--store", store, "dataset", "export", "all.csv"]));
    let csv = std::fs::read_to_string(folder.join("all.csv")).unwrap();
    csv.lines().nth(1).unwrap().split(',').next().unwrap().to_owned()
}

/// The leaderboard without its last column, the wall time.
fn scores_of(leaderboard: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(leaderboard).unwrap();
    text.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned()).collect()
}

#[test]
fn a_demo_that_was_killed_goes_on_and_finds_the_same() {
    let (calm, killed) = (tempdir().unwrap(), tempdir().unwrap());
    let args = ["demo", "--tracks", "80", "--seed", "4", "--out", "out"];
    ok(&run(calm.path(), &args));
    for _ in 0..3 {
        let mut child = spotifai(killed.path(), &args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let database = killed.path().join("out/demo.db-wal");
        let before = std::fs::metadata(&database).map_or(0, |file| file.len());
        wait_until("something written", || {
            std::fs::metadata(&database).map_or(0, |file| file.len()) > before + 200_000
                || child.try_wait().unwrap().is_some()
        });
        let _ = child.kill();
        child.wait().unwrap();
    }
    ok(&run(killed.path(), &args));
    let [mut calm, mut killed] = [calm, killed].map(|folder| summary(&folder.path().join("out")));
    for summary in [&mut calm, &mut killed] {
        summary.as_object_mut().unwrap().remove("jobs");
    }
    assert_eq!(calm, killed);
}

#[test]
fn ctrl_c_says_how_to_go_on() {
    let folder = tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let catalogue = testkit::Catalogue::sample(150, 9);
    let stage = runtime.block_on(testkit::serve(catalogue, testkit::Oddities::none())).unwrap();
    let playlists = stage.playlists();
    let mut args = vec!["run"];
    args.extend(playlists.iter().map(String::as_str));
    let command = || {
        let mut command = spotifai(folder.path(), &args);
        command.envs(stage.environment()).env("SPOTIFAI_LASTFM_RATE", "100").env("SPOTIFAI_SPOTIFY_RATE", "1000");
        command
    };
    let child = command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("tag pages", || stage.requests().iter().any(|request| request.path.contains("/+tags")));
    signal(&child, "INT");
    let stopped = child.wait_with_output().unwrap();
    let stderr = fails(&stopped, 130);
    assert!(stderr.contains(&format!("spotifai run {}", playlists[0])), "{stderr}");
    let finished = ok(&command().env("SPOTIFAI_LASTFM_RATE", "1000").output().unwrap());
    assert!(finished.contains("winner"), "{finished}");
    let tags: Vec<String> =
        stage.requests().into_iter().map(|r| r.path).filter(|path| path.contains("/+tags")).collect();
    let distinct: std::collections::BTreeSet<&String> = tags.iter().collect();
    assert_eq!(tags.len(), distinct.len(), "a page that was stored was asked for again");
}

/// URI and genres of each row.
type Rows = Vec<(String, &'static str)>;

/// A table in the layout of Exportify.
fn exportify(rows: &[(String, &str)]) -> String {
    let head = "Track URI,Track Name,Artist Name(s),Genres,Duration (ms),Danceability,Energy,Key,Loudness,Mode,Speechiness,\
                Acousticness,Instrumentalness,Liveness,Valence,Tempo,Time Signature";
    let row = |(i, (uri, genres)): (usize, &(String, &str))| {
        format!("{uri},Song {i},Artist {i},{genres},200000,0.{i},0.6,8,-6.8,1,0.04,0.005,0,0.09,0.4,120,4\n")
    };
    format!("{head}\n{}", rows.iter().enumerate().map(row).collect::<String>())
}

#[test]
fn a_table_that_is_too_little_for_the_search_is_refused_before_anything_is_collected() {
    let track = |i: usize| format!("spotify:track:{i:022}");
    let local = |i: usize| format!("spotify:local:a:b:{i}:200");
    let cases: &[(Rows, &[&str])] = &[
        ((0..3).map(|i| (track(i), "jazz")).collect(), &["only 3 tracks are usable", "5 folds", "add tracks"]),
        ((0..7).map(|i| (track(i), "jazz")).collect(), &["only 7 tracks are usable", "4 of them for training"]),
        (
            (0..20).map(|_| (track(1), "jazz")).collect(),
            &["only 1 track is usable (19 rows without a Spotify track ID, or with a repeated one)"],
        ),
        ((0..20).map(|i| (local(i), "jazz")).collect(), &["no row has both a Spotify URI", "spotify:track:ID"]),
        ((0..20).map(|i| (track(i), "rock")).collect(), &["a genre that can become a label: only_excluded_tags 20"]),
        ((0..20).map(|i| (track(i), "seen live")).collect(), &["a genre that can become a label: no_genre 20"]),
        (
            (0..20).map(|i| (track(i), if i < 3 { "jazz" } else { "" })).collect(),
            &["only 3 tracks are usable", "no_tags 17"],
        ),
    ];
    for (rows, parts) in cases {
        let folder = tempdir().unwrap();
        std::fs::write(folder.path().join("my.csv"), exportify(rows)).unwrap();
        let line = fails(&run(folder.path(), &["demo", "--catalogue", "my.csv", "--out", "out"]), 1);
        assert!(line.starts_with("spotifai: my.csv: ") && line.lines().count() == 1, "{line}");
        assert!(parts.iter().all(|part| line.contains(part)), "{parts:?}: {line}");
        assert!(!folder.path().join("out").exists(), "nothing was started");
    }
}

#[test]
fn a_small_table_that_is_enough_goes_its_way() {
    let folder = tempdir().unwrap();
    let rows: Vec<_> =
        (0..9).map(|i| (format!("spotify:track:{i:022}"), if i % 2 == 0 { "jazz" } else { "pop" })).collect();
    std::fs::write(folder.path().join("my.csv"), exportify(&rows)).unwrap();
    let said = ok(&run(folder.path(), &["demo", "--catalogue", "my.csv", "--out", "out"]));
    assert!(said.contains("dataset    9 rows × 13 features"), "{said}");
}

#[test]
fn a_table_of_real_tracks_goes_the_same_way() {
    let Some(data) = testkit::real_data("a_table_of_real_tracks_goes_the_same_way") else { return };
    let folder = tempdir().unwrap();
    let table = data.join("tables/strusz_spotify_features_genres.csv");
    ok(&run(folder.path(), &["demo", "--catalogue", table.to_str().unwrap(), "--out", "out"]));
    let summary = summary(&folder.path().join("out"));
    assert_eq!(number(&summary["rows"]), 10_702);
    assert_eq!(number(&summary["tracks_collected"]) + all(&summary["rows_skipped"]), 10_702);
    assert_eq!(number(&summary["tracks_collected"]), 10_627, "distinct URIs of the table");
    assert_eq!(all(&summary["rows_skipped"]), 75, "rows without a URI");
    assert_eq!(number(&summary["dataset_features"]), 13, "the table has no analyses");
    assert!(summary["refused"]["spotify.audio-analysis"].is_string(), "{}", summary["refused"]);
    assert!(number(&summary["dataset_rows"]) > 6_000);
    assert_eq!((&summary["invented"], &summary["source"]), (&false.into(), &"catalogue table".into()));
    let page = std::fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(
        page.contains("its Genres cell is empty") && !page.contains("no tags on last.fm") && !page.contains("invented")
    );
}
