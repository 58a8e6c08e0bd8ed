//! Multi-label scores by scikit-learn's definitions, with `zero_division=0`, and the baseline they stand beside.

use std::collections::HashMap;

use model::search::{Averages, Confusion, Scores};
use ndarray::{Array2, ArrayView2};

/// Scores of predicted labels, both n × q. No rows score 0.
pub fn scores(truth: ArrayView2<'_, bool>, predicted: ArrayView2<'_, bool>) -> Scores {
    let labels: Vec<Counts> = truth.columns().into_iter().zip(predicted.columns()).map(Counts::of).collect();
    let rows: Vec<Counts> = truth.rows().into_iter().zip(predicted.rows()).map(Counts::of).collect();
    let exact = rows.iter().filter(|row| row.missed + row.wrong == 0.0).count();
    let averages = |measure: fn(&Counts) -> f64| averages(&labels, &rows, measure);
    Scores {
        accuracy: ratio(exact as f64, rows.len() as f64),
        precision: averages(Counts::precision),
        recall: averages(Counts::recall),
        f1: averages(Counts::f1),
    }
}

/// One 2×2 matrix a label, scikit-learn's `multilabel_confusion_matrix`.
pub fn confusion(truth: ArrayView2<'_, bool>, predicted: ArrayView2<'_, bool>) -> Vec<Confusion> {
    let of_label = |label: usize| {
        let mut matrix = Confusion::default();
        for (truth, predicted) in truth.column(label).iter().zip(predicted.column(label)) {
            match (truth, predicted) {
                (false, false) => matrix.true_negative += 1,
                (false, true) => matrix.false_positive += 1,
                (true, false) => matrix.false_negative += 1,
                (true, true) => matrix.true_positive += 1,
            }
        }
        matrix
    };
    (0..truth.ncols()).map(of_label).collect()
}

/// The baseline: the most frequent label set of the training rows, q labels; of equally frequent ones the smallest
/// (a set that lacks the first label they differ in). It is the constant answer with the best subset accuracy on the
/// training rows. A majority vote on each label alone would assign nothing at all wherever no genre has half of the
/// tracks, score 0, and so be no baseline.
///
/// Needs at least one row.
pub fn most_frequent_set(truth: ArrayView2<'_, bool>) -> Vec<bool> {
    let mut counts: HashMap<Vec<bool>, usize> = HashMap::new();
    for row in truth.rows() {
        *counts.entry(row.to_vec()).or_default() += 1;
    }
    let most = counts.into_iter().min_by_key(|(set, count)| (std::cmp::Reverse(*count), set.clone()));
    most.expect("there are rows").0
}

/// `rows` rows of the same labels.
pub fn repeated(labels: &[bool], rows: usize) -> Array2<bool> {
    Array2::from_shape_fn((rows, labels.len()), |(_, label)| labels[label])
}

/// Decisions of one label over all rows, or of one row over all labels.
#[derive(Default)]
struct Counts {
    hit: f64,
    wrong: f64,
    missed: f64,
}

impl Counts {
    fn of((truth, predicted): (ndarray::ArrayView1<'_, bool>, ndarray::ArrayView1<'_, bool>)) -> Self {
        let mut counts = Self::default();
        for (truth, predicted) in truth.iter().zip(predicted) {
            match (truth, predicted) {
                (true, true) => counts.hit += 1.0,
                (false, true) => counts.wrong += 1.0,
                (true, false) => counts.missed += 1.0,
                (false, false) => {}
            }
        }
        counts
    }

    fn precision(&self) -> f64 {
        ratio(self.hit, self.hit + self.wrong)
    }

    fn recall(&self) -> f64 {
        ratio(self.hit, self.hit + self.missed)
    }

    fn f1(&self) -> f64 {
        ratio(2.0 * self.hit, 2.0 * self.hit + self.wrong + self.missed)
    }
}

fn averages(labels: &[Counts], rows: &[Counts], measure: fn(&Counts) -> f64) -> Averages {
    let sum = |of: fn(&Counts) -> f64| labels.iter().map(of).sum::<f64>();
    let total = Counts { hit: sum(|c| c.hit), wrong: sum(|c| c.wrong), missed: sum(|c| c.missed) };
    let mean = |counts: &[Counts]| ratio(counts.iter().map(measure).sum(), counts.len() as f64);
    let weighted = labels.iter().map(|label| (label.hit + label.missed) * measure(label)).sum();
    Averages {
        micro: measure(&total),
        macro_: mean(labels),
        weighted: ratio(weighted, total.hit + total.missed),
        samples: mean(rows),
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn the_baseline_is_the_most_frequent_set_and_ties_go_to_the_smallest() {
        let truth = array![[true, false], [false, true], [true, false], [false, true], [true, true]];
        assert_eq!(most_frequent_set(truth.view()), [false, true]);
        assert_eq!(most_frequent_set(truth.slice(ndarray::s![..3, ..])), [true, false]);
    }

    #[test]
    fn rows_without_any_label_count_as_right_and_divide_nothing_by_zero() {
        let nothing = array![[false, false], [false, false]];
        let scores = scores(nothing.view(), nothing.view());
        assert_eq!((scores.accuracy, scores.f1.micro, scores.f1.samples), (1.0, 0.0, 0.0));
    }
}
