//! Work that would take minutes ends soon after it is cancelled, wherever it is, and leaves nothing.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use model::Timestamp;
use model::dataset::{Dataset, Split};
use model::search::{Block, Scores, Search, Trial};

use crate::random::RandomKey;
use crate::{Cancel, LearnError, Prepared, grid, prepare, refit, run_block};

/// Longer than the 2 s that are promised: machines that test are slow, and other tests run beside these.
const LIMIT: Duration = Duration::from_secs(5);

const LABELS: usize = 4;

/// Held by whoever measures.
static ALONE: Mutex<()> = Mutex::new(());

/// Noise, so that trees grow deep; every other row is held out, and the rest is cut into two folds.
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

/// One block of all settings and folds.
fn search(grid: &str) -> Search {
    let settings = grid::read(grid, &[]).unwrap();
    let block = Block { settings: (0..settings.len() as u32).collect(), folds: vec![0, 1] };
    let (id, dataset, kernel) = ("s".into(), "d".into(), crate::kernel(false));
    let created_at = Timestamp(0);
    Search { id, dataset, settings, blocks: vec![block], folds: 2, seed: 3, kernel, thresholds: false, created_at }
}

/// Does some work on two threads, and cancels it as soon as it has looked so often at its flag.
fn ends<T: Send + std::fmt::Debug>(what: &str, looks: u64, work: impl Fn(&Cancel) -> Result<T, LearnError> + Sync) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let cancel = Cancel::new();
    thread::scope(|threads| {
        let working = threads.spawn(|| pool.install(|| work(&cancel)));
        while cancel.looks() < looks {
            assert!(!working.is_finished(), "{what}: it ended before it had looked {looks} times");
            thread::yield_now();
        }
        let asked = Instant::now();
        cancel.cancel();
        let result = working.join().unwrap();
        let took = asked.elapsed();
        assert!(matches!(result, Err(LearnError::Cancelled)), "{what}, after {looks} looks: {result:?}");
        assert!(took < LIMIT, "{what}, after {looks} looks: it took {took:?} to end");
    });
}

/// A block of this grid, cancelled early and late.
fn block_ends(rows: usize, features: usize, grid: &str, looks: &[u64]) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (data, search) = (data(rows, features), search(grid));
    looks.iter().for_each(|&looks| ends(grid, looks, |cancel| run_block(&data, &search, 0, cancel)));
}

/// The refit of the only setting, cancelled early and late.
fn refit_ends(rows: usize, features: usize, grid: &str, looks: &[u64]) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (data, search) = (data(rows, features), Search { thresholds: true, ..search(grid) });
    let trial = |fold| Trial { search: "s".into(), setting: 0, fold, outcome: Ok(Scores::default()), fit_seconds: 1.0 };
    let trials = [trial(0), trial(1)];
    looks.iter().for_each(|&looks| ends(grid, looks, |cancel| refit(&data, &search, &trials, cancel)));
}

#[test]
fn neighbours() {
    block_ends(4_000, 200, "[knn]\np = 2.5", &[1, 10]);
    block_ends(4_000, 200, "[radius]\np = 2.5\nradius = 300", &[1, 10]);
}

#[test]
fn trees_of_best_thresholds() {
    let forest = "[random_forest]\nn_estimators = 100000\n";
    block_ends(30_000, 40, &format!("{forest}max_features = 'none'"), &[10, 1_000]);
    block_ends(30_000, 40, forest, &[10, 1_000]);
}

#[test]
fn trees_of_random_thresholds() {
    let forest = "[extra_trees]\nn_estimators = 100000\n";
    block_ends(50_000, 100, &format!("{forest}max_features = 'none'"), &[1, 10, 300]);
    block_ends(30_000, 40, forest, &[10, 20_000]);
}

#[test]
fn perceptrons() {
    let large = "[mlp]\nhidden_layer_sizes = [[1000, 300]]\nmax_iter = 100000\ntol = 0.0\n";
    block_ends(8_000, 200, &format!("{large}batch_size = 100000"), &[1, 200, 2_000]);
    block_ends(8_000, 200, &format!("{large}solver = 'lbfgs'"), &[1, 200, 2_000]);
}

#[test]
fn ridge_regressions() {
    let alphas: Vec<String> = (1..300).map(|alpha| format!("{alpha}.5")).collect();
    block_ends(4_000, 800, &format!("[ridge]\nalpha = [{}]", alphas.join(", ")), &[1, 100, 1_000]);
}

#[test]
fn selections() {
    block_ends(6_000, 1_000, "[ridge]\nselect = { method = 'pca', n_components = 5 }", &[1, 100, 1_500]);
    block_ends(60_000, 50, "[ridge]\nselect = { method = 'tree_importance', k = 5 }", &[10, 1_000]);
    for method in ["mutual_info', k = 5", "anova', k = 5", "variance'"] {
        block_ends(60_000, 50, &format!("[ridge]\nselect = {{ method = '{method} }}"), &[1, 20]);
    }
}

#[test]
fn refits() {
    refit_ends(4_000, 200, "[knn]\np = 2.5", &[1, 10]);
    refit_ends(4_000, 200, "[radius]\np = 2.5\nradius = 300", &[1, 10]);
    refit_ends(30_000, 40, "[random_forest]\nn_estimators = 100000", &[10, 1_000]);
    refit_ends(8_000, 200, "[mlp]\nhidden_layer_sizes = [[1000, 300]]\nmax_iter = 100000\ntol = 0.0", &[1, 2_000]);
    refit_ends(4_000, 1_000, "[ridge]\nselect = { method = 'pca', n_components = 5 }", &[1, 1_500]);
}

#[test]
fn what_is_cancelled_before_it_begins_does_not_begin() {
    let (data, search) = (data(40, 3), search("[ridge]"));
    let cancel = Cancel::new();
    let trials = run_block(&data, &search, 0, &cancel).unwrap();
    refit(&data, &search, &trials, &cancel.clone()).unwrap();
    cancel.clone().cancel();
    assert!(matches!(run_block(&data, &search, 0, &cancel), Err(LearnError::Cancelled)));
    assert!(matches!(refit(&data, &search, &trials, &cancel), Err(LearnError::Cancelled)));
}
