//! Rows that are copies of one track: with the same id, or equal under different ids.

use std::collections::{BTreeMap, HashMap};

use model::dataset::{Dataset, Split};
use model::explain::join_first;

use super::DatasetError;
use super::error::shown;
use super::place::{MAX_ROWS_LISTED, Place};

/// For each row the first one with the same name.
pub(super) fn first_rows(names: &[String]) -> Vec<usize> {
    let mut first: HashMap<&str, usize> = HashMap::with_capacity(names.len());
    names.iter().enumerate().map(|(row, name)| *first.entry(name).or_insert(row)).collect()
}

/// An error if a split has rows of a track on both sides.
pub(super) fn check_sides(track_ids: &[String], places: &[Place], sides: &[Split]) -> Result<(), DatasetError> {
    let firsts = first_rows(track_ids);
    let mut parted: BTreeMap<usize, usize> = BTreeMap::new();
    for (row, first) in firsts.into_iter().enumerate() {
        if sides[row] != sides[first] {
            parted.entry(first).or_insert(row);
        }
    }
    if parted.is_empty() {
        return Ok(());
    }
    let word = |row: usize| if sides[row] == Split::Train { "train" } else { "test" };
    let place = |(&first, &row): (&usize, &usize)| {
        let (id, [here, there]) = (shown(&track_ids[first]), [first, row].map(|row| places[row].number()));
        format!("{id} is in {} {here} ({}) and {there} ({})", places[first].plural(), word(first), word(row))
    };
    let tracks = if parted.len() == 1 { "a track".to_owned() } else { format!("{} tracks", parted.len()) };
    Err(DatasetError::Parted { tracks, rows: join_first(parted.iter().map(place), MAX_ROWS_LISTED) })
}

/// What a person should know about copies among the rows of a table, in sentences. `places` are the rows' places in the
/// file; `has_ids` says whether they have ids of their own, or are merely numbered.
pub(super) fn notes(dataset: &Dataset, places: &[Place], has_ids: bool) -> Vec<String> {
    same_id(&dataset.track_ids).into_iter().chain(alike(dataset, places, has_ids)).collect()
}

fn same_id(track_ids: &[String]) -> Option<String> {
    let mut rows_of: HashMap<&str, usize> = HashMap::with_capacity(track_ids.len());
    track_ids.iter().for_each(|id| *rows_of.entry(id).or_default() += 1);
    let several = rows_of.values().filter(|rows| **rows > 1);
    let (tracks, copies) = several.fold((0, 0), |(tracks, copies), rows| (tracks + 1, copies + rows));
    let tracks = match tracks {
        0 => return None,
        1 => "one track".to_owned(),
        _ => format!("{tracks} tracks"),
    };
    let rows = track_ids.len();
    Some(format!(
        "{copies} of {rows} rows are copies of {tracks}; copies are kept on one side of the split and of every fold"
    ))
}

fn alike(dataset: &Dataset, places: &[Place], has_ids: bool) -> Option<String> {
    // By their hashes, since comparing rows of a large table costs more than reading it.
    let mut hashed: Vec<(u64, usize)> = (0..dataset.rows()).map(|row| (hash(dataset, row), row)).collect();
    hashed.sort_unstable();
    let mut pairs = Vec::new();
    let mut count = 0;
    for hashed in hashed.chunk_by(|a, b| a.0 == b.0).filter(|hashed| hashed.len() > 1) {
        let mut left: Vec<usize> = hashed.iter().map(|(_, row)| *row).collect();
        while let [row, ..] = left[..] {
            let (rows, others): (Vec<usize>, _) =
                left.into_iter().partition(|&other| other == row || are_equal(dataset, row, other));
            left = others;
            let first = *rows.iter().min_by_key(|&&row| places[row])?;
            let of_others = rows.iter().filter(|&&row| dataset.track_ids[row] != dataset.track_ids[first]);
            if let Some(&other) = of_others.min_by_key(|&&row| places[row]) {
                count += rows.len();
                pairs.push((places[first], places[other]));
            }
        }
    }
    if count == 0 {
        return None;
    }
    pairs.sort_unstable();
    let what = pairs[0].0.plural();
    let pair = |(first, other): &(Place, Place)| format!("{} and {}", first.number(), other.number());
    let pairs = join_first(pairs.iter().map(pair), MAX_ROWS_LISTED);
    let (ids, all) = (if has_ids { " under different ids" } else { "" }, dataset.rows());
    Some(format!(
        "{count} of {all} rows are equal in every feature and label{ids} ({what} {pairs}): if they are copies of one track, \
         give them one `track_id`, or scores on held-out rows come out too good"
    ))
}

/// A hash of a row's features and labels.
fn hash(dataset: &Dataset, row: usize) -> u64 {
    let mix = |hash: u64, bits: u64| {
        // The digits of π: an odd number without a pattern, as multiplicative hashes need.
        let product = (hash ^ bits).wrapping_mul(0x243f_6a88_85a3_08d3);
        product ^ (product >> 32)
    };
    // Adding zero makes −0 equal to 0.
    let features = dataset.feature_row(row).iter().map(|value| (value + 0.0).to_bits());
    features.chain(dataset.label_row(row).iter().map(|bit| u64::from(*bit))).fold(0, mix)
}

fn are_equal(dataset: &Dataset, a: usize, b: usize) -> bool {
    dataset.feature_row(a) == dataset.feature_row(b) && dataset.label_row(a) == dataset.label_row(b)
}
