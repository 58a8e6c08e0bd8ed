//! The statistics that the figures draw: five-number summaries and means.

use model::dataset::Dataset;

/// The five numbers of a box plot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FiveNumbers {
    /// Lowest value within 1.5 interquartile ranges of the box (Tukey's whisker).
    pub low: f64,
    /// First quartile.
    pub q1: f64,
    /// Median.
    pub median: f64,
    /// Third quartile.
    pub q3: f64,
    /// Highest value within 1.5 interquartile ranges of the box.
    pub high: f64,
}

/// The five-number summary of these values; `None` without values. Quartiles are interpolated linearly (numpy's default).
pub fn five_numbers(mut values: Vec<f64>) -> Option<FiveNumbers> {
    values.sort_by(f64::total_cmp);
    let (first, last) = (*values.first()?, *values.last()?);
    let quantile = |share: f64| {
        let at = share * (values.len() - 1) as f64;
        let (below, above) = (values[at.floor() as usize], values[at.ceil() as usize]);
        below + (above - below) * at.fract()
    };
    let (q1, median, q3) = (quantile(0.25), quantile(0.5), quantile(0.75));
    let reach = 1.5 * (q3 - q1);
    let low = values.iter().copied().find(|value| *value >= q1 - reach).unwrap_or(first);
    let high = values.iter().rev().copied().find(|value| *value <= q3 + reach).unwrap_or(last);
    Some(FiveNumbers { low, q1, median, q3, high })
}

/// Values of one feature column over the rows of one label.
pub fn column_of_label(dataset: &Dataset, column: usize, label: usize) -> Vec<f64> {
    rows_of_label(dataset, label).map(|row| dataset.feature_row(row)[column]).collect()
}

/// Mean of `count` feature columns from `first` over the rows of one label; `None` for a label without rows.
pub fn mean_of_label(dataset: &Dataset, first: usize, count: usize, label: usize) -> Option<Vec<f64>> {
    let mut sums = vec![0.0; count];
    let mut rows = 0.0;
    for row in rows_of_label(dataset, label) {
        rows += 1.0;
        for (sum, value) in sums.iter_mut().zip(&dataset.feature_row(row)[first..]) {
            *sum += value;
        }
    }
    (rows > 0.0).then(|| sums.into_iter().map(|sum| sum / rows).collect())
}

fn rows_of_label(dataset: &Dataset, label: usize) -> impl Iterator<Item = usize> {
    (0..dataset.rows()).filter(move |&row| dataset.label_row(row)[label] == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whiskers_leave_outliers_out() {
        let five_numbers = five_numbers(vec![1.0, 2.0, 3.0, 4.0, 100.0]).unwrap();
        assert_eq!(five_numbers, FiveNumbers { low: 1.0, q1: 2.0, median: 3.0, q3: 4.0, high: 4.0 });
    }

    #[test]
    fn quartiles_are_interpolated_as_numpy_does() {
        let five_numbers = five_numbers(vec![4.0, 1.0, 2.0, 3.0]).unwrap();
        assert_eq!((five_numbers.q1, five_numbers.median, five_numbers.q3), (1.75, 2.5, 3.25));
        assert_eq!(super::five_numbers(Vec::new()), None);
    }
}
