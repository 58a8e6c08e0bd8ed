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

/// [`k_fold`] of rows of which several may be copies of one track: no track is cut. `ends` says where the rows of each track
/// end, in their order. Each boundary is the end of a track that is nearest to the one [`k_fold`] would set, of two equally
/// near ones the later, and every fold gets a track.
pub fn k_fold_tracks(ends: &[usize], folds: usize) -> Result<Vec<Range<usize>>, LearnError> {
    let rows = ends.last().copied().unwrap_or(0);
    let wanted = k_fold(rows, folds)?;
    let tracks = ends.len();
    if tracks < folds {
        return Err(LearnError::Data(format!(
            "{rows} training rows are copies of {tracks} tracks, which cannot be cut into {folds} folds: use fewer folds or \
             more tracks"
        )));
    }
    let (mut start, mut next) = (0, 0);
    let stretches = wanted.iter().enumerate().map(|(fold, wanted)| {
        let last = tracks - (folds - fold);
        let track = nearest(ends, wanted.end).clamp(next, last);
        next = track + 1;
        std::mem::replace(&mut start, ends[track])..ends[track]
    });
    Ok(stretches.collect())
}

/// Which end is the nearest to this one.
fn nearest(ends: &[usize], wanted: usize) -> usize {
    let at = ends.partition_point(|&end| end < wanted);
    let is_earlier_nearer = at > 0 && wanted - ends[at - 1] < ends[at] - wanted;
    if is_earlier_nearer { at - 1 } else { at }
}

/// All rows but those of `validation`, in their order.
pub fn without(all: &Labelled, validation: &Range<usize>) -> Labelled {
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
            match (k_fold(rows, folds), k_fold_tracks(&ends, folds)) {
                (Ok(of_rows), Ok(of_tracks)) => prop_assert_eq!(of_rows, of_tracks),
                (of_rows, of_tracks) => prop_assert_eq!(of_rows.unwrap_err().to_string(), of_tracks.unwrap_err().to_string()),
            }
        }

        #[test]
        fn no_track_is_cut_and_no_fold_is_further_from_its_size_than_the_largest_track(
            copies in prop::collection::vec(1usize..30, 1..60),
            folds in 2usize..12,
        ) {
            let ends: Vec<usize> = copies.iter().scan(0, |end, copies| { *end += copies; Some(*end) }).collect();
            let rows = *ends.last().unwrap();
            let Ok(stretches) = k_fold_tracks(&ends, folds) else {
                prop_assert!(copies.len() < folds);
                return Ok(());
            };
            prop_assert_eq!(stretches.len(), folds);
            prop_assert_eq!((stretches[0].start, stretches[folds - 1].end), (0, rows));
            prop_assert!(stretches.windows(2).all(|two| two[0].end == two[1].start));
            prop_assert!(stretches.iter().all(|stretch| ends.contains(&stretch.end)), "{:?}", stretches);
            let largest = *copies.iter().max().unwrap() as f64;
            let asked = rows as f64 / folds as f64;
            let is_near = |stretch: &Range<usize>| (stretch.len() as f64 - asked).abs() < largest + 1.0;
            prop_assert!(stretches.iter().all(|stretch| !stretch.is_empty() && is_near(stretch)), "{:?}", stretches);
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
