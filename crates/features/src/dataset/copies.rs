//! Rows that are copies of one track: of one id, or alike under different ids.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};

use model::dataset::{Dataset, Split};

use super::DatasetError;
use super::error::shown;

/// Rows, or pairs of them, that a text names at most.
const MOST_NAMED: usize = 3;

/// For each row the first one with the same name.
pub(super) fn first_rows(names: &[String]) -> Vec<usize> {
    let mut first: HashMap<&str, usize> = HashMap::with_capacity(names.len());
    names.iter().enumerate().map(|(row, name)| *first.entry(name).or_insert(row)).collect()
}

/// Refuses a split that has rows of a track on both sides. `firsts` are the tracks' [`first_rows`].
pub(super) fn check_sides(track_ids: &[String], firsts: &[usize], sides: &[Split]) -> Result<(), DatasetError> {
    let mut parted: BTreeMap<usize, usize> = BTreeMap::new();
    for (row, &first) in firsts.iter().enumerate() {
        if sides[row] != sides[first] {
            parted.entry(first).or_insert(row);
        }
    }
    if parted.is_empty() {
        return Ok(());
    }
    let word = |row: usize| if sides[row] == Split::Train { "train" } else { "test" };
    let place = |(&first, &row): (&usize, &usize)| {
        let id = shown(&track_ids[first]);
        format!("{id} is in rows {} ({}) and {} ({})", first + 1, word(first), row + 1, word(row))
    };
    let tracks = if parted.len() == 1 { "a track".to_owned() } else { format!("{} tracks", parted.len()) };
    Err(DatasetError::Parted { tracks, rows: first_few(parted.iter().map(place)) })
}

/// What a person should know about copies among the rows of a table, in sentences. `places` are the rows' places in the
/// table, from 0; `has_ids` says whether they have ids of their own, or are merely numbered.
pub(super) fn notes(dataset: &Dataset, places: &[usize], has_ids: bool) -> Vec<String> {
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

fn alike(dataset: &Dataset, places: &[usize], has_ids: bool) -> Option<String> {
    let mut rows: Vec<usize> = (0..dataset.rows()).collect();
    rows.sort_by(|&a, &b| compare(dataset, a, b));
    let groups = rows.chunk_by(|&a, &b| compare(dataset, a, b).is_eq());
    let of_several_ids =
        groups.filter(|rows| rows.iter().map(|&row| &dataset.track_ids[row]).collect::<HashSet<_>>().len() > 1);
    let mut pairs = Vec::new();
    let mut count = 0;
    for rows in of_several_ids {
        count += rows.len();
        let first = *rows.iter().min_by_key(|&&row| places[row])?;
        let others = rows.iter().filter(|&&row| dataset.track_ids[row] != dataset.track_ids[first]);
        let other = *others.min_by_key(|&&row| places[row])?;
        pairs.push((places[first] + 1, places[other] + 1));
    }
    if count == 0 {
        return None;
    }
    pairs.sort_unstable();
    let pairs = first_few(pairs.iter().map(|(first, other)| format!("{first} and {other}")));
    let (ids, all) = (if has_ids { " under different ids" } else { "" }, dataset.rows());
    Some(format!(
        "{count} of {all} rows are equal in every feature and label{ids} (rows {pairs}): if they are copies of one track, \
         give them one `track_id`, or scores on held-out rows come out too good"
    ))
}

/// By features, then by labels.
fn compare(dataset: &Dataset, a: usize, b: usize) -> Ordering {
    // Plus zero: the negative one equals the other.
    let values =
        dataset.feature_row(a).iter().zip(dataset.feature_row(b)).map(|(a, b)| (a + 0.0).total_cmp(&(b + 0.0)));
    let features = values.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal);
    features.then_with(|| dataset.label_row(a).cmp(dataset.label_row(b)))
}

/// The first few of these, and how many more there are.
fn first_few(mut texts: impl ExactSizeIterator<Item = String>) -> String {
    let named: Vec<String> = texts.by_ref().take(MOST_NAMED).collect();
    match texts.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
