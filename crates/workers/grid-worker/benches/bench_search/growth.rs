//! How the time of one fit of each family grows with rows, features and workers.

use std::cell::OnceCell;
use std::hint::black_box;
use std::time::Instant;

use anyhow::Context;
use learn::family::{Estimator, Model};
use rayon::ThreadPoolBuilder;
use serde::{Deserialize, Serialize};

use crate::common::median;
use crate::journal::Journal;
use crate::{Bench, Fold, cores, only_candidate, theirs};

/// Rounds over all points. A machine's speed changes more from minute to minute than between two fits in a row: each round
/// gives an exponent of its own, and their spread says how certain the mean is.
pub const ROUNDS: usize = 10;

/// The least seconds of fitting per point: short fits are disturbed by whatever else the machine does.
const MIN_POINT_SECONDS: f64 = 0.5;

/// What is fitted of each family: little enough to be fitted on four times the rows.
pub const FITS: &[(&str, &str, &str)] = &[
    ("knn", "one pass of Euclidean distances", "[knn]\nmetric = 'euclidean'"),
    ("tree", "one tree, best split of all features", "[tree]\nmax_depth = 48"),
    ("extra_trees", "20 trees, all features", "[extra_trees]\nn_estimators = 20\nmax_features = 'none'"),
    ("random_forest", "20 trees, sqrt features", "[random_forest]\nn_estimators = 20\nmax_features = 'sqrt'"),
    (
        "mlp",
        "(100, 100, 100), relu, adam, 5 epochs",
        "[mlp]\nhidden_layer_sizes = [[100, 100, 100]]\nlearning_rate_init = 0.001\nmax_iter = 5",
    ),
];

/// One fit with its predictions for the validation rows.
#[derive(Serialize, Deserialize, Clone)]
pub struct GrowthPoint {
    pub family: String,
    /// Tracks of the dataset, and its features.
    pub rows: usize,
    pub features: usize,
    pub workers: usize,
    pub round: usize,
    /// Median seconds.
    pub seconds: f64,
    /// Rows fitted on and rows predicted.
    pub train: usize,
    pub queries: usize,
    /// Leaves of all trees.
    pub leaves: Option<usize>,
}

/// Families whose fits scikit-learn runs too: how much deeper trees get with more rows is a matter of the data.
const PEER_FAMILIES: [&str; 3] = ["tree", "extra_trees", "random_forest"];

/// scikit-learn's fit of a grid's only candidate on all features of this many tracks.
#[derive(Serialize, Deserialize)]
pub struct PeerFit {
    pub grid: String,
    pub rows: usize,
    /// Rows fitted on.
    pub train: usize,
    pub seconds: f64,
    /// How many splits each of them passes, the mean over rows and trees.
    pub splits: f64,
}

/// What is known of growth.
pub fn journal(bench: &Bench) -> Journal {
    Journal::new(&bench.ours, "growth")
}

/// What is known of scikit-learn's.
pub fn peers(bench: &Bench) -> Journal {
    Journal::new(&bench.data, "scikit-learn-growth")
}

/// Tracks of the datasets with all features: half to four times those of the benchmark.
fn tracks(rows: usize) -> [usize; 4] {
    [rows / 2, rows, 2 * rows, 4 * rows]
}

/// Tracks and features of every dataset: half to four times the rows, a quarter to all features.
fn sizes(rows: usize, features: usize) -> Vec<(usize, usize)> {
    let by_rows = tracks(rows).map(|rows| (rows, features));
    let by_features = [features / 4, features / 2].map(|features| (rows, features.max(1)));
    by_rows.into_iter().chain(by_features).collect()
}

/// Measures what was not measured yet: every shape on all cores, the dataset of the benchmark on one to all; then
/// scikit-learn's fits.
pub fn run(bench: &Bench) -> anyhow::Result<()> {
    let sizes: Vec<DatasetSize> = sizes(bench.args.rows, bench.args.features)
        .into_iter()
        .map(|(rows, features)| DatasetSize::new(rows, features))
        .collect();
    for round in 0..ROUNDS {
        // Forth and back, so that a machine that slows down over time does so for no size in particular.
        for at in 0..sizes.len() {
            let size = &sizes[if round % 2 == 0 { at } else { sizes.len() - 1 - at }];
            run_size(bench, size, round)?;
        }
    }
    for rows in tracks(bench.args.rows) {
        run_peers(bench, rows)?;
    }
    Ok(())
}

/// Tracks and features of a dataset, which is made when it is first wanted and kept for the rounds to come.
struct DatasetSize {
    rows: usize,
    features: usize,
    fold: OnceCell<Fold>,
}

impl DatasetSize {
    fn new(rows: usize, features: usize) -> Self {
        Self { rows, features, fold: OnceCell::new() }
    }

    fn fold(&self, labels: usize) -> anyhow::Result<&Fold> {
        if self.fold.get().is_none() {
            let fold = crate::first_fold(&theirs::training(self.rows, self.features, labels)?)?;
            _ = self.fold.set(fold);
        }
        Ok(self.fold.get().expect("it was made"))
    }
}

fn run_size(bench: &Bench, size: &DatasetSize, round: usize) -> anyhow::Result<()> {
    let &DatasetSize { rows, features, .. } = size;
    let done: Vec<GrowthPoint> = journal(bench).read()?;
    let is_base = (rows, features) == (bench.args.rows, bench.args.features);
    let all_workers: Vec<usize> = if is_base { (1..=cores()).collect() } else { vec![cores()] };
    for &(family, _, grid) in FITS {
        for &workers in &all_workers {
            let is = |point: &GrowthPoint| {
                (point.rows, point.features, point.workers, point.round) == (rows, features, workers, round)
            };
            if done.iter().any(|point| point.family == family && is(point)) {
                continue;
            }
            let growth = measure(family, grid, size.fold(bench.args.labels)?, workers, round)?;
            let growth = GrowthPoint { rows, features, ..growth };
            println!("{family}: {rows} x {features}, {workers} workers, round {round}: {:.3} s", growth.seconds);
            journal(bench).add(&growth)?;
        }
    }
    Ok(())
}

fn run_peers(bench: &Bench, rows: usize) -> anyhow::Result<()> {
    let done: Vec<PeerFit> = peers(bench).read()?;
    let is_done = |grid: &str| done.iter().any(|point| (point.grid.as_str(), point.rows) == (grid, rows));
    let left: Vec<_> =
        FITS.iter().filter(|(family, _, grid)| PEER_FAMILIES.contains(family) && !is_done(grid)).collect();
    if left.is_empty() {
        return Ok(());
    }
    let folder = bench.data.join("growth");
    std::fs::create_dir_all(&folder)?;
    let data = theirs::training(rows, bench.args.features, bench.args.labels)?;
    theirs::write(&folder, &data)?;
    let train = crate::first_fold(&data)?.train.records.nrows();
    drop(data);
    for &&(family, _, grid) in &left {
        let theirs::PeerRun { seconds, splits } = theirs::single(bench, &folder, &only_candidate(grid)?, 0)?;
        println!("{family}: {rows} x {}, scikit-learn: {seconds:.3} s", bench.args.features);
        let splits = splits.context("scikit-learn's side did not say how deep its trees are")?;
        peers(bench).add(&PeerFit { grid: grid.into(), rows, train, seconds, splits })?;
    }
    Ok(std::fs::remove_dir_all(&folder)?)
}

fn measure(family: &str, grid: &str, fold: &Fold, workers: usize, round: usize) -> anyhow::Result<GrowthPoint> {
    let pool = ThreadPoolBuilder::new().num_threads(workers).build()?;
    let candidate = only_candidate(grid)?;
    let (mut seconds, mut leaves) = (Vec::new(), None);
    // Each round has seeds of its own.
    for seed in (round as u64..).step_by(ROUNDS) {
        if seconds.iter().sum::<f64>() >= MIN_POINT_SECONDS {
            break;
        }
        let estimator = Estimator::new(&candidate, seed)?;
        let began = Instant::now();
        let model = pool.install(|| {
            let model = estimator.fit(&fold.train)?;
            black_box(model.probabilities(fold.validation.view()));
            Ok::<Model, learn::LearnError>(model)
        })?;
        seconds.push(began.elapsed().as_secs_f64());
        leaves = if let Model::Tree(forest) = &model { Some(forest.leaves()) } else { None };
    }
    Ok(GrowthPoint {
        family: family.to_owned(),
        rows: 0,
        features: 0,
        workers,
        round,
        seconds: median(seconds),
        train: fold.train.records.nrows(),
        queries: fold.validation.nrows(),
        leaves,
    })
}

/// The exponent of the power of x that fits these (x, seconds) best.
pub fn exponent(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, seconds)| (x.ln(), seconds.ln())).collect();
    let n = logs.len() as f64;
    let (x, y) = (logs.iter().map(|point| point.0).sum::<f64>() / n, logs.iter().map(|point| point.1).sum::<f64>() / n);
    let rise: f64 = logs.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    rise / logs.iter().map(|point| (point.0 - x).powi(2)).sum::<f64>()
}
