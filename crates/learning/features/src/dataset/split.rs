//! The split into training and test rows, and the order of rows.

use std::collections::BTreeMap;

use model::dataset::Split;
use model::settings::SplitSettings;

use super::error::shown;
use super::permutation::permutation;
use super::place::Place;
use super::{DatasetError, copies};

/// The order of a dataset's rows: training rows first.
pub(super) struct RowOrder {
    /// Indices of source rows.
    pub(super) rows: Vec<usize>,
    train: usize,
    /// A sentence where the sides have other sizes than were asked for.
    pub(super) note: Option<String>,
}

impl RowOrder {
    /// The order of the protocol, as `train_test_split(test_size, random_state=seed)` makes it: the first
    /// ⌈test_size × n⌉ of the permutation are the test rows.
    ///
    /// Rows that belong together, which are copies of a track and with `by_artist` all rows of an artist, are permuted as
    /// one, and the first of these groups go to the test side until it has that many rows; the last one stays. Where the
    /// largest alone has more, it stays, and the test side has its share of the other rows: else that group might be all that
    /// is tested.
    pub(super) fn shuffled(
        track_ids: &[String],
        artists: &[String],
        settings: &SplitSettings,
    ) -> Result<Self, DatasetError> {
        let n = track_ids.len();
        let share = |rows: usize| (settings.test_size * rows as f64).ceil() as usize;
        let groups = together(track_ids, settings.by_artist.then_some(artists));
        let largest = (0..groups.len()).max_by_key(|&group| groups[group].len());
        let staying = largest.filter(|&group| groups[group].len() > share(n));
        let wanted = share(n - staying.map_or(0, |group| groups[group].len()));
        let movable_groups = groups.len() - staying.iter().len();
        let (mut train, mut test, mut number) = (Vec::with_capacity(n), Vec::new(), 0);
        for group in permutation(groups.len(), settings.seed) {
            let may_be_tested = staying != Some(group);
            number += usize::from(may_be_tested);
            let is_last = number == movable_groups && movable_groups > 1 && wanted < n;
            let side = if test.len() < wanted && may_be_tested && !is_last { &mut test } else { &mut train };
            side.extend(&groups[group]);
        }
        let note = largest.and_then(|group| {
            let (first, rows, is_by_artist) = (groups[group][0], groups[group].len(), settings.by_artist);
            let (whose, name) = match artists[first].as_str() {
                artist if is_by_artist && !artist.is_empty() => ("an artist", artist),
                _ => ("a track", track_ids[first].as_str()),
            };
            let (test, asked) = (test.len(), share(n));
            let is_far = 2 * test > 3 * asked || 3 * test < 2 * asked;
            ((is_far || staying.is_some()) && test != asked).then(|| {
                let name = shown(name);
                format!("{test} of {n} rows are held out, not {asked}: all rows of {whose} stay together, and {name} has {rows}")
            })
        });
        let rows = [&train[..], &test].concat();
        Self { rows, train: train.len(), note }.checked()
    }

    /// The order of rows whose sides are known: that of the source within each side, but for copies of a track, which
    /// follow its first row. A track with copies on both sides is refused.
    pub(super) fn preset(sides: &[Split], track_ids: &[String], places: &[Place]) -> Result<Self, DatasetError> {
        let firsts = copies::first_rows(track_ids);
        copies::check_sides(track_ids, places, sides)?;
        let rows_of = |side| {
            let mut rows: Vec<usize> = (0..sides.len()).filter(|&i| sides[i] == side).collect();
            rows.sort_by_key(|&row| firsts[row]);
            rows
        };
        let (mut rows, test) = (rows_of(Split::Train), rows_of(Split::Test));
        let train = rows.len();
        rows.extend(test);
        Self { rows, train, note: None }.checked()
    }

    /// Indices of the source rows that are trained on.
    pub(super) fn training_rows(&self) -> &[usize] {
        &self.rows[..self.train]
    }

    /// The side of each row, in this order.
    pub(super) fn sides(&self) -> Vec<Split> {
        (0..self.rows.len()).map(|i| if i < self.train { Split::Train } else { Split::Test }).collect()
    }

    fn checked(self) -> Result<Self, DatasetError> {
        let rows = self.rows.len();
        match self.train {
            0 => Err(DatasetError::OneSided { rows, side: "test" }),
            train if train == rows => Err(DatasetError::OneSided { rows, side: "train" }),
            _ => Ok(self),
        }
    }
}

/// Rows that belong together, by their first ones: those of a track, and those of an artist where artists are given.
/// Rows that name no artist belong to none. Within a group the rows of a track follow its first one.
fn together(track_ids: &[String], artists: Option<&[String]>) -> Vec<Vec<usize>> {
    let firsts = copies::first_rows(track_ids);
    let mut groups = firsts.clone();
    if let Some(artists) = artists {
        for (row, first) in copies::first_rows(artists).into_iter().enumerate() {
            if !artists[row].is_empty() {
                join(&mut groups, row, first);
            }
        }
    }
    let mut rows_of: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for row in 0..track_ids.len() {
        rows_of.entry(root(&groups, row)).or_default().push(row);
    }
    let mut rows_of: Vec<Vec<usize>> = rows_of.into_values().collect();
    rows_of.iter_mut().for_each(|rows| rows.sort_by_key(|&row| firsts[row]));
    rows_of
}

/// The first row of a row's group. Each row names one before it, or itself where it is the first.
fn root(groups: &[usize], mut row: usize) -> usize {
    while groups[row] != row {
        row = groups[row];
    }
    row
}

/// Makes one group of two.
fn join(groups: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(groups, a), root(groups, b));
    let first = a.min(b);
    groups[a] = first;
    groups[b] = first;
}
