//! scikit-learn's `KFold`, unshuffled.

use std::ops::Range;

use ndarray::Axis;

use crate::{Labelled, LearnError};

/// Splits `rows` consecutive rows into `folds` ranges, the first `rows % folds` of them one row longer. Each range holds
/// the validation rows of one fold.
pub fn k_fold(rows: usize, folds: usize) -> Result<Vec<Range<usize>>, LearnError> {
    if folds < 2 {
        return Err(LearnError::Data(format!("{folds} folds make no cross-validation: use 2 or more")));
    }
    if rows < folds {
        return Err(LearnError::Data(format!(
            "{rows} training rows cannot be cut into {folds} folds: use fewer folds or more tracks"
        )));
    }
    let boundaries = (0..=folds).map(|fold| fold * (rows / folds) + fold.min(rows % folds)).collect::<Vec<_>>();
    Ok(boundaries.windows(2).map(|pair| pair[0]..pair[1]).collect())
}

/// [`k_fold`] for rows that may hold several copies of a track: no track is split between folds. `track_ends` says where
/// the rows of each track end, ascending. Each boundary of a fold is the track end nearest to the boundary that
/// [`k_fold`] would set (of two equally near ones the later), and every fold gets at least one track.
pub fn group_k_fold(track_ends: &[usize], folds: usize) -> Result<Vec<Range<usize>>, LearnError> {
    let rows = track_ends.last().copied().unwrap_or(0);
    let ideal = k_fold(rows, folds)?;
    let tracks = track_ends.len();
    if tracks < folds {
        return Err(LearnError::Data(format!(
            "{rows} training rows are copies of {tracks} tracks, which cannot be cut into {folds} folds: use fewer folds or \
             more tracks"
        )));
    }
    let (mut start, mut next) = (0, 0);
    let ranges = ideal.iter().enumerate().map(|(fold, ideal)| {
        // The folds still to come need a track each.
        let last = tracks - (folds - fold);
        let track = nearest(track_ends, ideal.end).clamp(next, last);
        next = track + 1;
        std::mem::replace(&mut start, track_ends[track])..track_ends[track]
    });
    Ok(ranges.collect())
}

/// The index of the end that is nearest to `boundary`.
fn nearest(ends: &[usize], boundary: usize) -> usize {
    let at = ends.partition_point(|&end| end < boundary);
    let is_earlier_nearer = at > 0 && boundary - ends[at - 1] < ends[at] - boundary;
    if is_earlier_nearer { at - 1 } else { at }
}

/// The training rows of a fold: all but its validation rows, in order.
pub fn training_rows(all: &Labelled, validation: &Range<usize>) -> Labelled {
    let rows: Vec<usize> = (0..all.records.nrows()).filter(|row| !validation.contains(row)).collect();
    Labelled::new(all.records.select(Axis(0), &rows), all.targets.select(Axis(0), &rows))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn tracks_without_copies_are_folded_as_rows(rows in 2usize..400, folds in 2usize..20) {
            let ends: Vec<usize> = (1..=rows).collect();
            match (k_fold(rows, folds), group_k_fold(&ends, folds)) {
                (Ok(by_row), Ok(by_track)) => prop_assert_eq!(by_row, by_track),
                (by_row, by_track) => prop_assert_eq!(by_row.unwrap_err().to_string(), by_track.unwrap_err().to_string()),
            }
        }

        #[test]
        fn no_track_is_cut_and_no_fold_is_further_from_its_size_than_the_largest_track(
            copies in prop::collection::vec(1usize..30, 1..60),
            folds in 2usize..12,
        ) {
            let ends: Vec<usize> = copies.iter().scan(0, |end, copies| { *end += copies; Some(*end) }).collect();
            let rows = *ends.last().unwrap();
            let Ok(ranges) = group_k_fold(&ends, folds) else {
                prop_assert!(copies.len() < folds);
                return Ok(());
            };
            prop_assert_eq!(ranges.len(), folds);
            prop_assert_eq!((ranges[0].start, ranges[folds - 1].end), (0, rows));
            prop_assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
            prop_assert!(ranges.iter().all(|range| ends.contains(&range.end)), "{:?}", ranges);
            let largest = *copies.iter().max().unwrap() as f64;
            let ideal = rows as f64 / folds as f64;
            let is_near = |range: &Range<usize>| (range.len() as f64 - ideal).abs() < largest + 1.0;
            prop_assert!(ranges.iter().all(|range| !range.is_empty() && is_near(range)), "{:?}", ranges);
        }
    }

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
