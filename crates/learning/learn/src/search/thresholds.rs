//! A threshold per label in place of one half, tuned on training rows that are left out of the fit.

use model::search::{Scores, Search, Tuned};
use ndarray::{Array2, ArrayView1, s};

use super::Prepared;
use crate::family::{decide, decide_above};
use crate::pipeline::Pipeline;
use crate::{Cancel, LearnError, folds, metrics};

/// The thresholds of a candidate, with their scores on the rows they were tuned on; the test rows are not touched.
pub(super) fn tune(
    data: &Prepared,
    search: &Search,
    pipeline: &Pipeline,
    cancel: &Cancel,
) -> Result<Tuned, LearnError> {
    let probabilities = out_of_fold(data, search.folds, pipeline, cancel)?;
    let truth = data.train.targets.view();
    let columns = probabilities.columns().into_iter().zip(truth.columns());
    let thresholds: Vec<f64> = columns.map(|(probabilities, truth)| best_threshold(probabilities, truth)).collect();
    let scores = |assigned: Array2<bool>| metrics::scores(truth, assigned.view());
    Ok(Tuned {
        out_of_fold_at_half: scores(decide(probabilities.view())),
        out_of_fold: scores(decide_above(&thresholds, probabilities.view())),
        thresholds,
        heldout: Scores::default(),
    })
}

/// Probabilities of all training rows, n × q, each predicted by a fit on the other folds.
fn out_of_fold(data: &Prepared, folds: u32, pipeline: &Pipeline, cancel: &Cancel) -> Result<Array2<f64>, LearnError> {
    let mut probabilities = Array2::zeros(data.train.targets.raw_dim());
    for validation in folds::group_k_fold(&data.track_ends, folds as usize)? {
        cancel.check()?;
        let fitted = pipeline.fit(&folds::training_rows(&data.train, &validation), cancel)?;
        let predicted = fitted.probabilities(data.train.records.slice(s![validation.clone(), ..]), cancel)?;
        probabilities.slice_mut(s![validation, ..]).assign(&predicted);
    }
    Ok(probabilities)
}

/// The threshold with the best F1 of one label: 0, one half, or the midpoint of two neighbouring probabilities; of equally
/// good ones the nearest to one half.
fn best_threshold(probabilities: ArrayView1<'_, f64>, truth: ArrayView1<'_, bool>) -> f64 {
    let mut rows: Vec<(f64, bool)> = probabilities.iter().copied().zip(truth.iter().copied()).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let midpoints = rows.windows(2).map(|pair| midpoint(pair[0].0, pair[1].0));
    let mut thresholds: Vec<f64> = midpoints.chain([0.0, 0.5]).collect();
    thresholds.sort_by(f64::total_cmp);
    thresholds.dedup();
    // Rows at or below the threshold, and how many of them have the label.
    let (mut below, mut missed) = (0, 0);
    let with = rows.iter().filter(|(_, has)| *has).count();
    let mut best_threshold = (0.0, 0.5);
    for threshold in thresholds {
        while rows.get(below).is_some_and(|(probability, _)| *probability <= threshold) {
            missed += usize::from(rows[below].1);
            below += 1;
        }
        // F1 = 2 true positives / (assigned rows + rows with the label).
        let assigned_and_actual = (rows.len() - below + with).max(1);
        let f1 = 2.0 * (with - missed) as f64 / assigned_and_actual as f64;
        let is_nearer = (threshold - 0.5).abs() < (best_threshold.1 - 0.5_f64).abs();
        if f1 > best_threshold.0 || (f1 == best_threshold.0 && is_nearer) {
            best_threshold = (f1, threshold);
        }
    }
    best_threshold.1
}

/// The midpoint of two numbers, or the lower one if no number is between them: the same rows are above it.
fn midpoint(low: f64, high: f64) -> f64 {
    let midpoint = low + (high - low) / 2.0;
    if midpoint < high { midpoint } else { low }
}

#[cfg(test)]
mod tests {
    use ndarray::aview1;

    fn best_threshold(probabilities: &[f64], truth: &[u8]) -> f64 {
        let truth: Vec<bool> = truth.iter().map(|has| *has == 1).collect();
        super::best_threshold(aview1(probabilities), aview1(&truth))
    }

    #[test]
    fn the_best_f1_decides_and_ties_go_to_one_half() {
        assert_eq!(best_threshold(&[0.125, 0.25, 0.3, 0.4], &[0, 1, 1, 1]), 0.1875);
        assert_eq!(best_threshold(&[0.625, 0.875, 0.9], &[0, 1, 1]), 0.75);
        assert_eq!(best_threshold(&[0.2, 0.7], &[0, 1]), 0.5, "everything from 0.2 to 0.7 is as good");
        assert_eq!(best_threshold(&[0.2, 0.2, 0.3], &[1, 1, 1]), 0.0, "every row");
        assert_eq!(best_threshold(&[0.2, 0.9], &[0, 0]), 0.5, "no row has the label");
        assert_eq!(best_threshold(&[], &[]), 0.5);
    }

    #[test]
    fn a_threshold_separates_neighbouring_numbers() {
        let (low, high) = (0.3_f64, 0.3_f64.next_up());
        let threshold = best_threshold(&[low, high], &[0, 1]);
        assert!(low <= threshold && threshold < high);
    }
}
