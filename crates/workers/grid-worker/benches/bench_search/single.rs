//! Single fits that share nothing, both sides in turn.

use std::time::Instant;

use learn::Labelled;
use learn::family::Estimator;
use linfa::traits::Fit;
use linfa_trees::DecisionTree;
use model::search::Candidate;
use ndarray::{Array1, s};
use serde::{Deserialize, Serialize};

use crate::common::median;
use crate::journal::Journal;
use crate::{Bench, only_candidate, theirs};

/// The fits, each with how many times faster than scikit-learn it has to be.
const FITS: &[(&str, &str, f64)] = &[
    ("decision tree, best split of all features, depth 48", "[tree]\nmax_depth = 48", 8.0),
    ("extra trees, 20 trees, all features", "[extra_trees]\nn_estimators = 20\nmax_features = 'none'", 20.0),
    ("random forest, 100 trees, sqrt features", "[random_forest]\nn_estimators = 100\nmax_features = 'sqrt'", 8.0),
    (
        "network (100, 100, 100), relu, adam, 0.001",
        "[mlp]\nhidden_layer_sizes = [[100, 100, 100]]\nactivation = 'relu'\nsolver = 'adam'\nlearning_rate_init = 0.001",
        2.5,
    ),
];

/// Depth of the trees on one label.
const MAX_TREE_DEPTH: usize = 48;

/// One fit by both sides.
#[derive(Serialize, Deserialize)]
pub struct SingleFit {
    pub fit: String,
    pub peer: String,
    /// Median seconds.
    pub ours: f64,
    pub theirs: f64,
    /// `None`: a baseline, of which nothing is asked.
    #[serde(rename = "wanted")]
    pub min_speedup: Option<f64>,
}

/// What is known of single fits.
pub fn journal(bench: &Bench) -> Journal {
    Journal::new(&bench.ours, "single")
}

/// Runs the fits that were not run yet, on the training rows of the first fold.
pub fn run(bench: &Bench) -> anyhow::Result<()> {
    let done: Vec<SingleFit> = journal(bench).read()?;
    let is_done = |name: &str| done.iter().any(|fit| fit.fit == name);
    let train = crate::first_fold(&bench.training()?)?.train;
    for &(name, grid, min_speedup) in FITS.iter().filter(|(name, ..)| !is_done(name)) {
        let candidate = only_candidate(grid)?;
        let round =
            |seed| Ok((ours(&candidate, seed, &train)?, theirs::single(bench, &bench.data, &candidate, seed)?.seconds));
        add(bench, name, "scikit-learn", Some(min_speedup), round)?;
    }
    let name = "decision tree on one label, depth 48";
    if !is_done(name) {
        let single_label = Labelled::new(train.records.clone(), train.targets.slice(s![.., ..1]).to_owned());
        let candidate = only_candidate(&format!("[tree]\nmax_depth = {MAX_TREE_DEPTH}"))?;
        add(bench, name, "linfa-trees", None, |seed| {
            Ok((ours(&candidate, seed, &single_label)?, linfas(&single_label)?))
        })?;
    }
    Ok(())
}

/// The medians of some rounds, each with a seed of its own.
fn add(
    bench: &Bench,
    fit: &str,
    peer: &str,
    min_speedup: Option<f64>,
    round: impl Fn(u64) -> anyhow::Result<(f64, f64)>,
) -> anyhow::Result<()> {
    let rounds = (0..bench.args.rounds as u64).map(round).collect::<anyhow::Result<Vec<(f64, f64)>>>()?;
    let (ours, theirs) = rounds.into_iter().unzip();
    let single =
        SingleFit { fit: fit.into(), peer: peer.into(), ours: median(ours), theirs: median(theirs), min_speedup };
    println!("{fit}: {:.3} s, {peer} {:.3} s", single.ours, single.theirs);
    journal(bench).add(&single)
}

fn ours(candidate: &Candidate, seed: u64, train: &Labelled) -> anyhow::Result<f64> {
    let estimator = Estimator::new(candidate, seed)?;
    let began = Instant::now();
    estimator.fit(train)?;
    Ok(began.elapsed().as_secs_f64())
}

fn linfas(train: &Labelled) -> anyhow::Result<f64> {
    let targets: Array1<usize> = train.targets.column(0).mapv(usize::from);
    let data = linfa::Dataset::new(train.records.clone(), targets);
    let params = DecisionTree::params().max_depth(Some(MAX_TREE_DEPTH));
    let began = Instant::now();
    params.fit(&data)?;
    Ok(began.elapsed().as_secs_f64())
}
