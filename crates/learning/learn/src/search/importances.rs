//! What the winner's decisions rest on: how far scores on held-out rows fall when features are permuted (Breiman 2001),
//! those of a group together.

use model::dataset::ColumnGroup;
use model::search::{Importance, Importances, Loss, Scores};
use ndarray::{ArrayView2, Axis, s};

use super::Prepared;
use super::groups::complete;
use crate::cancel::Cancelled;
use crate::family::{FitSize, decide_above};
use crate::pipeline::{FittedPipeline, Pipeline};
use crate::random::{IndexSampler, RandomKey};
use crate::{Cancel, metrics};

/// Permutations of each group.
const REPEATS: usize = 5;

/// Held-out rows that are looked at, at most.
const MOST: usize = 1_000;

/// Held-out rows below which the fall of a score would say nothing, unless there are no more.
const LEAST: usize = 30;

/// Rough seconds of one core that all predictions together may take; rows are left out for it.
const SECONDS: f64 = 6.0;

/// The importances of a fitted setting's features; none where the model predicts too slowly for them.
pub(super) fn importances(
    data: &Prepared,
    pipeline: &Pipeline,
    fitted: &FittedPipeline,
    thresholds: &[f64],
    seed: u64,
    cancel: &Cancel,
) -> Result<Option<Importances>, Cancelled> {
    let (groups, features_left_out) = complete(&data.groups, &data.feature_names);
    let (n, d) = data.train.records.dim();
    let size = FitSize { rows: n, queries: 0, features: d, labels: data.label_names.len() };
    let predictions = SECONDS / pipeline.row_seconds(size);
    let affordable = (predictions / (groups.len() * REPEATS) as f64) as usize;
    let all = data.test.records.nrows();
    let rows = all.min(MOST).min(affordable);
    if rows < all.min(LEAST) {
        return Ok(None);
    }
    let looked = Looked {
        rows: data.test.records.slice(s![..rows, ..]),
        truth: data.test.targets.slice(s![..rows, ..]),
        fitted,
        thresholds,
        cancel,
    };
    let orders: Vec<Vec<usize>> = (0..REPEATS as u64).map(|repeat| order(rows, seed, repeat)).collect();
    let scores = looked.scores(looked.rows)?;
    let constant = metrics::constant_prediction(&metrics::most_frequent_set(data.train.targets.view()), rows);
    let importance = |group: &ColumnGroup| looked.importance(group, &scores, &orders);
    let mut groups: Vec<Importance> = groups.iter().map(importance).collect::<Result<_, _>>()?;
    groups.sort_by(|a, b| b.f1_micro.mean.total_cmp(&a.f1_micro.mean));
    Ok(Some(Importances {
        rows: rows as u32,
        repeats: REPEATS as u32,
        baseline: metrics::scores(looked.truth, constant.view()),
        scores,
        groups,
        features_left_out: features_left_out as u32,
    }))
}

/// What is looked at, and who looks.
struct Looked<'a> {
    rows: ArrayView2<'a, f64>,
    truth: ArrayView2<'a, bool>,
    fitted: &'a FittedPipeline,
    thresholds: &'a [f64],
    cancel: &'a Cancel,
}

impl Looked<'_> {
    fn scores(&self, rows: ArrayView2<'_, f64>) -> Result<Scores, Cancelled> {
        let assigned = decide_above(self.thresholds, self.fitted.probabilities(rows, self.cancel)?.view());
        Ok(metrics::scores(self.truth, assigned.view()))
    }

    fn importance(&self, group: &ColumnGroup, before: &Scores, orders: &[Vec<usize>]) -> Result<Importance, Cancelled> {
        let permuted = |order: &Vec<usize>| {
            let mut rows = self.rows.to_owned();
            for &column in &group.columns {
                rows.column_mut(column).assign(&self.rows.column(column).select(Axis(0), order));
            }
            self.scores(rows.view())
        };
        let after: Vec<Scores> = orders.iter().map(permuted).collect::<Result<_, _>>()?;
        let loss = |of: fn(&Scores) -> f64| loss(after.iter().map(|after| of(before) - of(after)).collect());
        Ok(Importance {
            group: group.name.clone(),
            features: group.columns.len() as u32,
            f1_micro: loss(|scores| scores.f1.micro),
            accuracy: loss(|scores| scores.accuracy),
        })
    }
}

/// A permutation of rows.
fn order(rows: usize, seed: u64, repeat: u64) -> Vec<usize> {
    let mut pool = IndexSampler::new(rows);
    pool.begin(RandomKey::root(seed, repeat));
    std::iter::from_fn(|| pool.next()).map(|row| row as usize).collect()
}

/// Mean and standard deviation.
fn loss(losses: Vec<f64>) -> Loss {
    let n = losses.len() as f64;
    let mean = losses.iter().sum::<f64>() / n;
    let squares = losses.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>();
    Loss { mean, std: (squares / n).sqrt() }
}
