//! Multi-label scores by scikit-learn's definitions with `zero_division=0`, and the baseline to compare them with.

use std::collections::HashMap;

use model::search::{Averages, Confusion, Scores};
use ndarray::{Array2, ArrayView2};

/// Scores of predicted labels; both matrices are n × q. Without rows, every score is 0.
pub fn scores(truth: ArrayView2<'_, bool>, predicted: ArrayView2<'_, bool>) -> Scores {
    let labels: Vec<Counts> = truth.columns().into_iter().zip(predicted.columns()).map(Counts::count).collect();
    let rows: Vec<Counts> = truth.rows().into_iter().zip(predicted.rows()).map(Counts::count).collect();
    let exact = rows.iter().filter(|row| row.false_negatives + row.false_positives == 0.0).count();
    let averages = |measure: fn(&Counts) -> f64| averages(&labels, &rows, measure);
    Scores {
        accuracy: ratio(exact as f64, rows.len() as f64),
        precision: averages(Counts::precision),
        recall: averages(Counts::recall),
        f1: averages(Counts::f1),
    }
}

/// One 2×2 matrix per label, as scikit-learn's `multilabel_confusion_matrix`.
pub fn confusion(truth: ArrayView2<'_, bool>, predicted: ArrayView2<'_, bool>) -> Vec<Confusion> {
    let matrix_of = |label: usize| {
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
    (0..truth.ncols()).map(matrix_of).collect()
}

/// The baseline: the most frequent label set of the training rows, as q flags; of equally frequent sets the smallest (the
/// one that lacks the first label in which they differ). No other constant prediction has a better subset accuracy on the
/// training rows. A majority vote per label would assign nothing where no label has half of the rows: it would score 0
/// and be no baseline.
///
/// Needs at least one row.
pub fn most_frequent_set(truth: ArrayView2<'_, bool>) -> Vec<bool> {
    let mut counts: HashMap<Vec<bool>, usize> = HashMap::new();
    for row in truth.rows() {
        *counts.entry(row.to_vec()).or_default() += 1;
    }
    let most_frequent = counts.into_iter().min_by_key(|(set, count)| (std::cmp::Reverse(*count), set.clone()));
    most_frequent.expect("there are rows").0
}

/// The same labels for each of `rows` rows.
pub fn constant_prediction(labels: &[bool], rows: usize) -> Array2<bool> {
    Array2::from_shape_fn((rows, labels.len()), |(_, label)| labels[label])
}

/// Decisions of one label over all rows, or of one row over all labels.
#[derive(Default)]
struct Counts {
    true_positives: f64,
    false_positives: f64,
    false_negatives: f64,
}

impl Counts {
    fn count((truth, predicted): (ndarray::ArrayView1<'_, bool>, ndarray::ArrayView1<'_, bool>)) -> Self {
        let mut counts = Self::default();
        for (truth, predicted) in truth.iter().zip(predicted) {
            match (truth, predicted) {
                (true, true) => counts.true_positives += 1.0,
                (false, true) => counts.false_positives += 1.0,
                (true, false) => counts.false_negatives += 1.0,
                (false, false) => {}
            }
        }
        counts
    }

    fn precision(&self) -> f64 {
        ratio(self.true_positives, self.true_positives + self.false_positives)
    }

    fn recall(&self) -> f64 {
        ratio(self.true_positives, self.true_positives + self.false_negatives)
    }

    fn f1(&self) -> f64 {
        ratio(2.0 * self.true_positives, 2.0 * self.true_positives + self.false_positives + self.false_negatives)
    }

    fn actual(&self) -> f64 {
        self.true_positives + self.false_negatives
    }
}

fn averages(labels: &[Counts], rows: &[Counts], measure: fn(&Counts) -> f64) -> Averages {
    let sum = |count: fn(&Counts) -> f64| labels.iter().map(count).sum::<f64>();
    let total = Counts {
        true_positives: sum(|label| label.true_positives),
        false_positives: sum(|label| label.false_positives),
        false_negatives: sum(|label| label.false_negatives),
    };
    let mean = |counts: &[Counts]| ratio(counts.iter().map(measure).sum(), counts.len() as f64);
    let weighted = labels.iter().map(|label| label.actual() * measure(label)).sum();
    Averages {
        micro: measure(&total),
        macro_: mean(labels),
        weighted: ratio(weighted, total.actual()),
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
    fn rows_without_any_label_count_as_right_and_nothing_is_divided_by_zero() {
        let nothing = array![[false, false], [false, false]];
        let scores = scores(nothing.view(), nothing.view());
        assert_eq!((scores.accuracy, scores.f1.micro, scores.f1.samples), (1.0, 0.0, 0.0));
    }
}
