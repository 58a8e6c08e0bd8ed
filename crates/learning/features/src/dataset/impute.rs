//! Imputation of missing values, as scikit-learn's `SimpleImputer`.

use model::dataset::Impute;

/// Replaces the missing values (NaN) of a column by a statistic of its training rows and returns it; `None` if those have
/// no value.
pub(super) fn fill(values: &mut [f64], training_rows: &[usize], how: Impute) -> Option<f64> {
    let known: Vec<f64> = training_rows.iter().map(|&row| values[row]).filter(|value| !value.is_nan()).collect();
    let value = statistic(known, how)?;
    values.iter_mut().filter(|old| old.is_nan()).for_each(|old| *old = value);
    Some(value)
}

/// The replacement for missing values, given the known ones; `None` if it takes some and there are none.
pub(super) fn statistic(known: Vec<f64>, how: Impute) -> Option<f64> {
    Some(match how {
        Impute::Zero => 0.0,
        _ if known.is_empty() => return None,
        Impute::Mean => known.iter().sum::<f64>() / known.len() as f64,
        Impute::Median => median(known),
        Impute::MostFrequent => most_frequent(known),
    })
}

/// The median; of an even number of values the mean of the middle two.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) { f64::midpoint(values[middle - 1], values[middle]) } else { values[middle] }
}

/// The most frequent value; of equally frequent ones the smallest.
fn most_frequent(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    // `max_by_key` returns the last maximum: from the largest value down, that is the smallest.
    let equal = values.chunk_by(|a, b| a == b).rev();
    equal.max_by_key(|equal| equal.len()).map_or(0.0, |equal| equal[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(how: Impute) -> Option<f64> {
        let mut values = [f64::NAN, 9.0, 1.0, 2.0, 9.0, 2.0, 6.0, f64::NAN, 1e9];
        fill(&mut values, &[1, 2, 3, 4, 5, 6, 7], how).inspect(|value| {
            assert_eq!([values[0], values[7]], [*value; 2]);
        })
    }

    #[test]
    fn statistics_are_of_the_training_rows_and_ties_go_to_the_smallest() {
        assert_eq!(filled(Impute::Mean), Some(29.0 / 6.0));
        assert_eq!(filled(Impute::Median), Some(4.0));
        assert_eq!(filled(Impute::MostFrequent), Some(2.0));
        assert_eq!(filled(Impute::Zero), Some(0.0));
    }

    #[test]
    fn a_column_without_training_values_has_no_statistic() {
        for (how, expected) in [(Impute::Mean, None), (Impute::MostFrequent, None), (Impute::Zero, Some(0.0))] {
            assert_eq!(fill(&mut [f64::NAN, 5.0], &[0], how), expected);
        }
    }
}
