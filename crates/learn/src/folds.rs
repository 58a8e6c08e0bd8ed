//! scikit-learn's `KFold`, unshuffled.

use std::ops::Range;

use ndarray::Axis;

use crate::{Labelled, LearnError};

/// Cuts `rows` rows in their order into `folds` stretches, the first `rows % folds` of them one row longer. Each is the
/// validation part of one fold.
pub fn k_fold(rows: usize, folds: usize) -> Result<Vec<Range<usize>>, LearnError> {
    if folds < 2 {
        return Err(LearnError::Data(format!("{folds} folds make no cross-validation: use 2 or more")));
    }
    if rows < folds {
        return Err(LearnError::Data(format!(
            "{rows} training rows cannot be cut into {folds} folds: use fewer folds or more tracks"
        )));
    }
    let starts = (0..=folds).map(|fold| fold * (rows / folds) + fold.min(rows % folds)).collect::<Vec<_>>();
    Ok(starts.windows(2).map(|pair| pair[0]..pair[1]).collect())
}

/// All rows but those of `validation`, in their order.
pub fn without(all: &Labelled, validation: &Range<usize>) -> Labelled {
    let rows: Vec<usize> = (0..all.records.nrows()).filter(|row| !validation.contains(row)).collect();
    Labelled::new(all.records.select(Axis(0), &rows), all.targets.select(Axis(0), &rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_folds_are_one_row_longer() {
        assert_eq!(k_fold(11, 4).unwrap(), [0..3, 3..6, 6..9, 9..11]);
        assert_eq!(k_fold(4, 4).unwrap(), [0..1, 1..2, 2..3, 3..4]);
    }

    #[test]
    fn too_few_rows_are_an_error_that_says_so() {
        let error = k_fold(3, 5).unwrap_err().to_string();
        assert_eq!(error, "3 training rows cannot be cut into 5 folds: use fewer folds or more tracks");
        assert!(k_fold(3, 1).is_err());
    }
}
