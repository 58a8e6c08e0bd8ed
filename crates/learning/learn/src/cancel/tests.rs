//! Work that would take minutes stops soon after it is cancelled, wherever it is, and returns nothing.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use model::Timestamp;
use model::dataset::{Dataset, Split};
use model::search::{Block, Scores, Search, Trial};

use crate::random::RandomKey;
use crate::{Cancel, LearnError, Prepared, grid, prepare, refit, run_block};

/// Longer than the promised 2 s: test machines are slow, and other tests run at the same time.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

const LABELS: usize = 4;

/// Held by the test that measures time.
static MEASURING: Mutex<()> = Mutex::new(());

/// Noise, so that trees grow deep. The second half of the rows is held out, the first is split into two folds.
fn data(rows: usize, features: usize) -> Prepared {
    let draw = |row: usize, column: usize| RandomKey::root(row as u64, 0).draw(column as u32).uniform;
    let values = (0..rows).flat_map(|row| (0..features).map(move |column| f64::from(draw(row, column))));
    let labels = (0..rows).flat_map(|row| (0..LABELS).map(move |label| u8::from(draw(row, features + label) < 0.3)));
    let dataset = Dataset {
        track_ids: (0..rows).map(|row| row.to_string()).collect(),
        artists: vec![String::new(); rows],
        feature_names: (0..features).map(|column| column.to_string()).collect(),
        features: values.collect(),
        label_names: (0..LABELS).map(|label| label.to_string()).collect(),
        labels: labels.collect(),
        split: (0..rows).map(|row| if row < rows / 2 { Split::Train } else { Split::Test }).collect(),
    };
    prepare(&dataset).unwrap()
}

/// A search in one block: all candidates on all folds.
fn search(grid: &str) -> Search {
    let settings = grid::read(grid, &[]).unwrap();
    let block = Block { settings: (0..settings.len() as u32).collect(), folds: vec![0, 1] };
    let (id, dataset, kernel) = ("s".into(), "d".into(), crate::kernel(false));
    let created_at = Timestamp(0);
    Search { id, dataset, settings, blocks: vec![block], folds: 2, seed: 3, kernel, thresholds: false, created_at }
}

/// Runs `work` on two threads, cancels it once it has checked its flag `checks` times, and asserts that it stops.
fn assert_stops<T: Send + std::fmt::Debug>(
    name: &str,
    checks: u64,
    work: impl Fn(&Cancel) -> Result<T, LearnError> + Sync,
) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let cancel = Cancel::new();
    thread::scope(|threads| {
        let working = threads.spawn(|| pool.install(|| work(&cancel)));
        while cancel.checks() < checks {
            assert!(!working.is_finished(), "{name}: it ended before its check number {checks}");
            thread::yield_now();
        }
        let cancelled_at = Instant::now();
        cancel.cancel();
        let result = working.join().unwrap();
        let took = cancelled_at.elapsed();
        assert!(matches!(result, Err(LearnError::Cancelled)), "{name}, after {checks} checks: {result:?}");
        assert!(took < STOP_TIMEOUT, "{name}, after {checks} checks: it took {took:?} to stop");
    });
}

/// Cancels a block of this grid, early and late.
fn assert_block_stops(rows: usize, features: usize, grid: &str, checks: &[u64]) {
    let _measuring = MEASURING.lock().unwrap_or_else(PoisonError::into_inner);
    let (data, search) = (data(rows, features), search(grid));
    checks.iter().for_each(|&checks| assert_stops(grid, checks, |cancel| run_block(&data, &search, 0, cancel)));
}

/// Cancels the refit of the grid's only candidate, early and late.
fn assert_refit_stops(rows: usize, features: usize, grid: &str, checks: &[u64]) {
    let _measuring = MEASURING.lock().unwrap_or_else(PoisonError::into_inner);
    let (data, search) = (data(rows, features), Search { thresholds: true, ..search(grid) });
    let trial = |fold| Trial { search: "s".into(), setting: 0, fold, outcome: Ok(Scores::default()), fit_seconds: 1.0 };
    let trials = [trial(0), trial(1)];
    checks.iter().for_each(|&checks| assert_stops(grid, checks, |cancel| refit(&data, &search, &trials, cancel)));
}

#[test]
fn neighbours_stop() {
    assert_block_stops(4_000, 200, "[knn]\np = 2.5", &[1, 10]);
    assert_block_stops(4_000, 200, "[radius]\np = 2.5\nradius = 300", &[1, 10]);
}

#[test]
fn trees_of_best_thresholds_stop() {
    let forest = "[random_forest]\nn_estimators = 100000\n";
    assert_block_stops(30_000, 40, &format!("{forest}max_features = 'none'"), &[10, 1_000]);
    assert_block_stops(30_000, 40, forest, &[10, 1_000]);
}

#[test]
fn trees_of_random_thresholds_stop() {
    let forest = "[extra_trees]\nn_estimators = 100000\n";
    assert_block_stops(50_000, 100, &format!("{forest}max_features = 'none'"), &[1, 10, 300]);
    assert_block_stops(30_000, 40, forest, &[10, 20_000]);
}

#[test]
fn perceptrons_stop() {
    let large = "[mlp]\nhidden_layer_sizes = [[1000, 300]]\nmax_iter = 100000\ntol = 0.0\n";
    assert_block_stops(8_000, 200, &format!("{large}batch_size = 100000"), &[1, 200, 2_000]);
    assert_block_stops(8_000, 200, &format!("{large}solver = 'lbfgs'"), &[1, 200, 2_000]);
}

#[test]
fn ridge_regressions_stop() {
    let alphas: Vec<String> = (1..300).map(|alpha| format!("{alpha}.5")).collect();
    assert_block_stops(4_000, 800, &format!("[ridge]\nalpha = [{}]", alphas.join(", ")), &[1, 100, 1_000]);
}

#[test]
fn selections_stop() {
    assert_block_stops(6_000, 1_000, "[ridge]\nselect = { method = 'pca', n_components = 5 }", &[1, 100, 1_500]);
    assert_block_stops(60_000, 50, "[ridge]\nselect = { method = 'tree_importance', k = 5 }", &[10, 1_000]);
    for method in ["mutual_info', k = 5", "anova', k = 5", "variance'"] {
        assert_block_stops(60_000, 50, &format!("[ridge]\nselect = {{ method = '{method} }}"), &[1, 20]);
    }
}

#[test]
fn refits_stop() {
    assert_refit_stops(4_000, 200, "[knn]\np = 2.5", &[1, 10]);
    assert_refit_stops(4_000, 200, "[radius]\np = 2.5\nradius = 300", &[1, 10]);
    assert_refit_stops(30_000, 40, "[random_forest]\nn_estimators = 100000", &[10, 1_000]);
    assert_refit_stops(
        8_000,
        200,
        "[mlp]\nhidden_layer_sizes = [[1000, 300]]\nmax_iter = 100000\ntol = 0.0",
        &[1, 2_000],
    );
    assert_refit_stops(4_000, 1_000, "[ridge]\nselect = { method = 'pca', n_components = 5 }", &[1, 1_500]);
}

#[test]
fn work_that_is_cancelled_in_advance_never_starts() {
    let (data, search) = (data(40, 3), search("[ridge]"));
    let cancel = Cancel::new();
    let trials = run_block(&data, &search, 0, &cancel).unwrap();
    refit(&data, &search, &trials, &cancel.clone()).unwrap();
    cancel.clone().cancel();
    assert!(matches!(run_block(&data, &search, 0, &cancel), Err(LearnError::Cancelled)));
    assert!(matches!(refit(&data, &search, &trials, &cancel), Err(LearnError::Cancelled)));
}
