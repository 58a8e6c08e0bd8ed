//! Univariate scores of features.

use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;

use crate::Cancel;

/// The ANOVA F value of each of d features: the mean over labels of scikit-learn's `f_classif`. Labels that all rows or no
/// rows have carry no information and are left out; a constant feature scores −∞. None if no label is left.
pub(super) fn anova(rows: ArrayView2<'_, f64>, labels: ArrayView2<'_, bool>, cancel: &Cancel) -> Option<Vec<f64>> {
    let labels = informative(labels);
    let score_of = |column: ArrayView1<'_, f64>| {
        if column.iter().all(|x| *x == column[0]) {
            return f64::NEG_INFINITY;
        }
        // Centred, so that sums of squares do not cancel.
        let mean = column.sum() / column.len() as f64;
        let column: Vec<f64> = column.iter().map(|x| x - mean).collect();
        let sum = labels.iter().map(|label| f_value(&column, label)).sum::<f64>();
        let mean = sum / labels.len() as f64;
        if mean.is_nan() { f64::NEG_INFINITY } else { mean }
    };
    (!labels.is_empty()).then(|| by_column(rows, score_of, cancel))
}

/// The variance between the rows with and without a label divided by the variance within both.
fn f_value(column: &[f64], label: &[bool]) -> f64 {
    let (mut with, mut sum, mut sum_with, mut squares) = (0.0, 0.0, 0.0, 0.0);
    for (&x, &has) in column.iter().zip(label) {
        (with, sum_with) = if has { (with + 1.0, sum_with + x) } else { (with, sum_with) };
        sum += x;
        squares += x * x;
    }
    let n = column.len() as f64;
    let (without, sum_without) = (n - with, sum - sum_with);
    let of_mean = sum * sum / n;
    let between = sum_with * sum_with / with + sum_without * sum_without / without - of_mean;
    // Rounding can make it negative where a feature predicts the label perfectly.
    let within = (squares - of_mean - between).max(0.0);
    between / (within / (n - 2.0))
}

/// The mutual information of each of d features with a label, in nats, as a mean over labels; labels as for [`anova`].
///
/// A feature is split into ⌈∛n⌉ bins of equally many rows, equal values in one bin, and the information is computed from
/// the frequencies of the bins. scikit-learn estimates it from nearest neighbours (Ross 2014) after adding random noise
/// that separates equal values; bins rank features alike and need no noise, so a search stays a function of its data.
pub(super) fn mutual_info(
    rows: ArrayView2<'_, f64>,
    labels: ArrayView2<'_, bool>,
    cancel: &Cancel,
) -> Option<Vec<f64>> {
    let labels = informative(labels);
    let score_of = |column: ArrayView1<'_, f64>| {
        let bins = bins(column);
        labels.iter().map(|label| information(&bins, label)).sum::<f64>() / labels.len() as f64
    };
    (!labels.is_empty()).then(|| by_column(rows, score_of, cancel))
}

/// The bin of each value. Larger values have larger bins; some numbers of bins may be unused.
fn bins(column: ArrayView1<'_, f64>) -> Vec<usize> {
    let n = column.len();
    let count = (libm::cbrt(n as f64).ceil() as usize).max(2);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_unstable_by(|&a, &b| column[a].total_cmp(&column[b]));
    let (mut bins, mut before) = (vec![0; n], 0);
    for equal in order.chunk_by(|&a, &b| column[a] == column[b]) {
        // Equal values go to the bin of their middle.
        let bin = (2 * before + equal.len() - 1) * count / (2 * n);
        equal.iter().for_each(|&row| bins[row] = bin);
        before += equal.len();
    }
    bins
}

/// Σ p(bin, has) ln(p(bin, has) / (p(bin) p(has))).
fn information(bins: &[usize], label: &[bool]) -> f64 {
    let n = bins.len() as f64;
    let mut counts = vec![[0.0; 2]; bins.iter().max().map_or(0, |last| last + 1)];
    bins.iter().zip(label).for_each(|(&bin, &has)| counts[bin][usize::from(has)] += 1.0);
    let with = label.iter().filter(|has| **has).count() as f64;
    let label_totals = [n - with, with];
    let mut sum = 0.0;
    for bin_counts in counts {
        let bin_total = bin_counts[0] + bin_counts[1];
        for (count, label_total) in bin_counts.into_iter().zip(label_totals) {
            if count > 0.0 {
                sum += count / n * libm::log(count * n / (bin_total * label_total));
            }
        }
    }
    sum
}

/// The labels that some rows have and some rows have not.
fn informative(labels: ArrayView2<'_, bool>) -> Vec<Vec<bool>> {
    let columns = labels.columns().into_iter().map(|column| column.to_vec());
    columns.filter(|column| column.iter().any(|has| *has) && column.iter().any(|has| !*has)).collect()
}

/// The score of each column; any numbers once cancelled.
fn by_column(
    rows: ArrayView2<'_, f64>,
    score: impl Fn(ArrayView1<'_, f64>) -> f64 + Sync,
    cancel: &Cancel,
) -> Vec<f64> {
    let columns = (0..rows.ncols()).into_par_iter();
    columns.map(|column| if cancel.is_cancelled() { 0.0 } else { score(rows.column(column)) }).collect()
}
