//! Permutation importances of the winner's features: how far the scores on held-out rows fall when the features of a group
//! are permuted together (Breiman 2001).

use model::dataset::ColumnGroup;
use model::search::{Importance, Importances, Loss, Scores};
use ndarray::{ArrayView2, Axis, s};

use super::Prepared;
use super::column_groups::with_single_columns;
use crate::cancel::Cancelled;
use crate::family::{FitSize, decide_above};
use crate::pipeline::{FittedPipeline, Pipeline};
use crate::random::{IndexSampler, RandomKey};
use crate::{Cancel, metrics};

/// Permutations of each group, scikit-learn's default `n_repeats`.
const PERMUTATIONS_PER_GROUP: usize = 5;

/// Held-out rows that are predicted at most: more change a mean loss little.
const MAX_SCORED_ROWS: usize = 1_000;

/// Held-out rows below which a loss would be noise. A dataset that has no more uses those it has.
const MIN_SCORED_ROWS: usize = 30;

/// Estimated core seconds that all predictions together may take; rows are left out to keep to it.
const MAX_PREDICTION_SECONDS: f64 = 6.0;

/// The importances of a fitted candidate's features; none if the model predicts too slowly.
pub(super) fn importances(
    data: &Prepared,
    pipeline: &Pipeline,
    fitted: &FittedPipeline,
    thresholds: &[f64],
    seed: u64,
    cancel: &Cancel,
) -> Result<Option<Importances>, Cancelled> {
    let (groups, features_left_out) = with_single_columns(&data.groups, &data.feature_names);
    let (n, d) = data.train.records.dim();
    let size = FitSize { rows: n, queries: 0, features: d, labels: data.label_names.len() };
    let affordable_predictions = MAX_PREDICTION_SECONDS / pipeline.row_seconds(size);
    let affordable_rows = (affordable_predictions / (groups.len() * PERMUTATIONS_PER_GROUP) as f64) as usize;
    let test_rows = data.test.records.nrows();
    let rows = test_rows.min(MAX_SCORED_ROWS).min(affordable_rows);
    if rows < test_rows.min(MIN_SCORED_ROWS) {
        return Ok(None);
    }
    let scorer = PermutationScorer {
        rows: data.test.records.slice(s![..rows, ..]),
        truth: data.test.targets.slice(s![..rows, ..]),
        fitted,
        thresholds,
        cancel,
    };
    let permutations: Vec<Vec<usize>> =
        (0..PERMUTATIONS_PER_GROUP as u64).map(|repeat| permutation(rows, seed, repeat)).collect();
    let scores = scorer.scores(scorer.rows)?;
    let constant = metrics::constant_prediction(&metrics::most_frequent_set(data.train.targets.view()), rows);
    let importance = |group: &ColumnGroup| scorer.importance(group, &scores, &permutations);
    let mut groups: Vec<Importance> = groups.iter().map(importance).collect::<Result<_, _>>()?;
    groups.sort_by(|a, b| b.f1_micro.mean.total_cmp(&a.f1_micro.mean));
    Ok(Some(Importances {
        rows: rows as u32,
        repeats: PERMUTATIONS_PER_GROUP as u32,
        baseline: metrics::scores(scorer.truth, constant.view()),
        scores,
        groups,
        features_left_out: features_left_out as u32,
    }))
}

/// Scores permuted rows with a fitted candidate.
struct PermutationScorer<'a> {
    rows: ArrayView2<'a, f64>,
    truth: ArrayView2<'a, bool>,
    fitted: &'a FittedPipeline,
    thresholds: &'a [f64],
    cancel: &'a Cancel,
}

impl PermutationScorer<'_> {
    fn scores(&self, rows: ArrayView2<'_, f64>) -> Result<Scores, Cancelled> {
        let assigned = decide_above(self.thresholds, self.fitted.probabilities(rows, self.cancel)?.view());
        Ok(metrics::scores(self.truth, assigned.view()))
    }

    fn importance(
        &self,
        group: &ColumnGroup,
        before: &Scores,
        permutations: &[Vec<usize>],
    ) -> Result<Importance, Cancelled> {
        let permuted = |permutation: &Vec<usize>| {
            let mut rows = self.rows.to_owned();
            for &column in &group.columns {
                rows.column_mut(column).assign(&self.rows.column(column).select(Axis(0), permutation));
            }
            self.scores(rows.view())
        };
        let after: Vec<Scores> = permutations.iter().map(permuted).collect::<Result<_, _>>()?;
        let loss = |score: fn(&Scores) -> f64| loss(after.iter().map(|after| score(before) - score(after)).collect());
        Ok(Importance {
            group: group.name.clone(),
            features: group.columns.len() as u32,
            f1_micro: loss(|scores| scores.f1.micro),
            accuracy: loss(|scores| scores.accuracy),
        })
    }
}

/// A random permutation of rows.
fn permutation(rows: usize, seed: u64, repeat: u64) -> Vec<usize> {
    let mut sampler = IndexSampler::new(rows);
    sampler.begin(RandomKey::root(seed, repeat));
    std::iter::from_fn(|| sampler.next()).map(|row| row as usize).collect()
}

/// Mean and standard deviation.
fn loss(losses: Vec<f64>) -> Loss {
    let n = losses.len() as f64;
    let mean = losses.iter().sum::<f64>() / n;
    let squares = losses.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>();
    Loss { mean, std: (squares / n).sqrt() }
}
