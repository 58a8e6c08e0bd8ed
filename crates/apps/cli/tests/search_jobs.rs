//! A search as a job of many: started, watched, shown, cancelled, gone on with.

mod common;

use std::path::Path;
use std::process::Stdio;

use common::{fails, ok, run, spotifai, wait_until};
use model::Timestamp;
use model::search::Search;
use queue::Outcome;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

const GRID: &str = "[knn]\nn_neighbors = [1, 3]\nweights = ['uniform', 'distance']\n[tree]\nmax_depth = [1, 3]\n";
const TRIALS: u64 = 6 * 3;
const START: &[&str] =
    &["search", "start", "--data", "my.csv", "--labels", "big,odd", "--grid", "grid.toml", "--folds", "3", "--json"];

/// A folder with data and a grid.
fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    let row = |i: usize| format!("{},{},{},{}\n", u8::from(i % 50 > 24), i % 2, i % 50, (i * 7) % 13);
    let rows: String = (0..120).map(row).collect();
    std::fs::write(folder.path().join("my.csv"), format!("big,odd,x,y\n{rows}")).unwrap();
    std::fs::write(folder.path().join("grid.toml"), GRID).unwrap();
    folder
}

fn json(folder: &Path, args: &[&str]) -> Value {
    serde_json::from_str(&ok(&run(folder, args))).expect("JSON")
}

fn show(folder: &Path) -> Value {
    json(folder, &["search", "show", "--json"])
}

fn work(folder: &Path) {
    ok(&run(folder, &["worker", "grid", "--until-empty"]));
}

#[test]
fn a_search_is_started_worked_on_by_others_and_watched_to_its_end() {
    let folder = folder();
    let at = folder.path();
    assert!(fails(&run(at, &["search", "show"]), 1).contains("search start"));
    assert!(ok(&run(at, &["search", "list"])).contains("no searches yet"));
    let started = json(at, START);
    let id = started["id"].as_str().unwrap();
    assert_eq!((started["trials"].as_u64(), started["trials_done"].as_u64()), (Some(TRIALS), Some(0)));
    assert_eq!(started["blocks"], started["jobs_published"]);
    let before = show(at);
    assert_eq!((before["state"].as_str(), before["trials_done"].as_u64()), (Some("open"), Some(0)));
    assert!(ok(&run(at, &["search", "show"])).contains("workers  none"));

    let watch = spotifai(at, &["search", "watch"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    work(at);
    let watched = ok(&watch.wait_with_output().unwrap());
    assert!(
        watched.contains("fits 18/18") && watched.contains("baseline 0.") && !watched.contains('\x1b'),
        "{watched}"
    );
    assert!(watched.contains("held-out rows"), "{watched}");

    let after = show(at);
    assert_eq!((after["state"].as_str(), after["trials_done"].as_u64()), (Some("finished"), Some(TRIALS)));
    let board = after["leaderboard"].as_array().unwrap();
    let means: Vec<f64> = board.iter().map(|place| place["mean_accuracy"].as_f64().unwrap()).collect();
    assert!(means.len() == 6 && means.is_sorted_by(|a, b| a >= b), "{means:?}");
    assert_eq!(after["model"]["mean_accuracy"].as_f64(), Some(means[0]));
    assert!(means[0] > after["baseline_accuracy"].as_f64().unwrap());
    assert_eq!(
        json(at, &["search", "show", &id[..6], "--json", "--top", "2"])["leaderboard"].as_array().unwrap().len(),
        2
    );
    let text = ok(&run(at, &["search", "show", id]));
    assert!(text.contains("±") && text.contains("n_neighbors=") && text.contains("baseline"), "{text}");
    assert!(!text.contains("leaf_size"), "only what the grid varies: {text}");
    let list = json(at, &["search", "list", "--json"]);
    assert_eq!((&list[0]["id"], &list[0]["state"]), (&started["id"], &"finished".into()));
    assert!(fails(&run(at, &["search", "show", "nobody"]), 2).contains("search list"));

    assert_eq!(json(at, START)["jobs_published"], 0, "a finished search is not computed again");
    assert!(ok(&run(at, &["search", "cancel", id])).contains("already finished"));
    // In one process, without workers, it is the same search with the same scores.
    let alone = self::folder();
    let args: Vec<&str> = START.iter().map(|arg| if *arg == "start" { "run" } else { arg }).take(10).collect();
    ok(&run(alone.path(), &args));
    let scores = |shown: &Value| {
        let accuracies = |place: &Value| (place["setting"].clone(), place["fold_accuracies"].clone());
        shown["leaderboard"].as_array().unwrap().iter().map(accuracies).collect::<Vec<_>>()
    };
    assert_eq!((&show(alone.path())["id"], scores(&show(alone.path()))), (&after["id"], scores(&after)));
}

#[test]
fn a_cancelled_search_rests_until_it_is_started_again() {
    let folder = folder();
    let at = folder.path();
    let started = json(at, START);
    let id = started["id"].as_str().unwrap();
    assert!(json(at, &["search", "cancel", &id[..8], "--json"])["cancelled_at"].is_i64());
    assert!(ok(&run(at, &["search", "cancel", id])).contains("already"));
    assert!(fails(&run(at, &["search", "cancel", "nobody"]), 2).contains("nobody"));
    work(at);
    let rests = show(at);
    assert_eq!((rests["state"].as_str(), rests["trials_done"].as_u64()), (Some("cancelled"), Some(0)));
    assert!(ok(&run(at, &["search", "list"])).contains("cancelled"));
    let said = fails(&run(at, &["search", "watch"]), 1);
    assert!(said.contains("is cancelled") && said.contains("search start"), "{said}");

    assert_eq!(json(at, START)["id"], started["id"]);
    work(at);
    assert_eq!(show(at)["state"], "finished");
}

/// Searches have other ids than in builds before: the same command takes up none of those, but does not forget them.
#[test]
fn an_open_search_of_an_older_build_is_named_where_the_same_one_begins() {
    let folder = folder();
    let at = folder.path();
    let id = json(at, START)["id"].as_str().unwrap().to_owned();
    assert!(id.len() == 33 && id[1..].chars().all(|c| c.is_ascii_hexdigit()), "{id}");
    let older = "s6c62272e07bb014262b821756295c58d";
    let url = format!("sqlite:{}", at.join("spotifai.db").display());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = store::open(&url).await.unwrap();
        let search = store.search(&id).await.unwrap().unwrap();
        store.save_search(&Search { id: older.into(), created_at: Timestamp(0), ..search.clone() }).await.unwrap();
        // Nor is one with another seed taken for it.
        store.save_search(&Search { id: "s1".into(), created_at: Timestamp(1), seed: 1, ..search }).await.unwrap();
    });
    let run_here: Vec<&str> = START.iter().map(|arg| if *arg == "start" { "run" } else { arg }).take(10).collect();
    for command in [START, &run_here] {
        let output = run(at, command);
        ok(&output);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said.matches("by another version of this program").count(), 1, "{said}");
        assert!(said.contains(&format!("`spotifai search cancel {}` ends it", &older[..12])), "{said}");
        assert!(said.contains("that version can resume it") && said.contains(&id), "{said}");
    }
    assert_eq!(show(at)["id"], *id, "this one is the newest, and finished");
    assert_eq!(show(at)["state"], "finished");
    ok(&run(at, &["search", "cancel", &older[..12]]));
    let again = run(at, START);
    assert!(!String::from_utf8_lossy(&again.stderr).contains("another version"), "{again:?}");
}

#[test]
fn a_search_without_jobs_is_not_watched_for_ever() {
    let folder = folder();
    let at = folder.path();
    let blocks = json(at, START)["blocks"].as_u64().unwrap();
    let url = format!("sqlite:{}", at.join("spotifai.db").display());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let queue = queue::open(&url, None).await.unwrap();
        let mut taken = queue.subscribe(&["search.block"], 1).await.unwrap();
        for _ in 0..blocks {
            taken.next().await.unwrap().finish(Outcome::Done(Vec::new())).await.unwrap();
        }
        queue.flush().await;
    });
    let said = fails(&run(at, &["search", "watch"]), 1);
    assert!(said.contains("no jobs left") && said.contains("search start"), "{said}");
    assert_eq!(json(at, START)["jobs_published"].as_u64(), Some(blocks));
}

#[test]
fn a_running_search_that_is_cancelled_ends_with_a_line_that_says_so() {
    let folder = folder();
    let at = folder.path();
    // Held up, so that it is cancelled before its first block.
    ok(&run(at, &["pause", "search.block"]));
    let args: Vec<&str> = START.iter().map(|arg| if *arg == "start" { "run" } else { arg }).take(10).collect();
    let child = spotifai(at, &args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("a search", || ok(&run(at, &["search", "list", "--json"])).contains("\"open\""));
    let id = show(at)["id"].as_str().unwrap().to_owned();
    ok(&run(at, &["search", "cancel", &id]));
    ok(&run(at, &["resume", "search.block"]));
    let said = fails(&child.wait_with_output().unwrap(), 1);
    assert!(said.lines().last().unwrap().contains("was cancelled"), "{said}");
}

#[test]
fn a_plan_counts_settings_fits_and_blocks() {
    let folder = folder();
    let at = folder.path();
    let plan = json(at, &["search", "plan", "--rows", "10000", "--features", "1241", "--labels", "10", "--json"]);
    assert_eq!(plan["fits"].as_u64(), plan["settings"].as_u64().map(|settings| settings * 5));
    assert_eq!((plan["rows"].as_u64(), plan["labels"].as_u64()), (Some(10_000), Some(10)));
    let data = ["search", "plan", "--data", "my.csv", "--labels", "big,odd", "--grid", "grid.toml", "--folds", "3"];
    let plan = json(at, &[&data[..], &["--workers", "2", "--json"]].concat());
    assert_eq!(
        (plan["rows"].as_u64(), plan["features"].as_u64(), plan["labels"].as_u64()),
        (Some(120), Some(2), Some(2))
    );
    assert_eq!((plan["settings"].as_u64(), plan["fits"].as_u64()), (Some(6), Some(TRIALS)));
    assert_eq!(plan["families"][0]["family"], "knn");
    let text = ok(&run(at, &data));
    assert!(text.contains("120 rows × 2 features, 2 labels, 3 folds"), "{text}");
    assert!(fails(&run(at, &["search", "plan"]), 1).contains("no dataset"));
    assert!(fails(&run(at, &["search", "plan", "--rows", "10"]), 2).contains("--features"));
    assert!(
        fails(&run(at, &["search", "plan", "--rows", "9", "--features", "2", "--labels", "a"]), 2).contains("number")
    );
    assert!(ok(&run(at, &["search", "list"])).contains("no searches yet"), "a plan leaves nothing behind");
}

#[test]
fn a_selection_of_more_features_than_there_are_takes_all_with_a_word() {
    let folder = folder();
    let at = folder.path();
    let grid = "[knn]\nselect = [{ method = 'anova', k = 200 }, { method = 'pca', n_components = 50 }]\n";
    std::fs::write(at.join("grid.toml"), grid).unwrap();
    for verb in ["plan", "start", "run"] {
        let args = ["search", verb, "--data", "my.csv", "--labels", "big,odd", "--grid", "grid.toml", "--folds", "3"];
        let output = run(at, &args);
        ok(&output);
        let said = String::from_utf8(output.stderr).unwrap();
        for warning in [
            "warning: select: anova with k = 200 takes all features: there are 2",
            "warning: select: pca with n_components = 50 makes 2 at most",
        ] {
            assert_eq!(said.matches(warning).count(), 1, "{verb}: {said}");
        }
    }
    let board = show(at)["leaderboard"].clone();
    let board = board.as_array().unwrap();
    assert!(board.len() == 2 && board.iter().all(|place| place["error"].is_null()), "{board:?}");
}
