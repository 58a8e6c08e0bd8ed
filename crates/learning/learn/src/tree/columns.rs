//! Training rows as trees read them, in f32, laid out for each way of looking for a split.

use std::sync::OnceLock;

use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

use super::aligned::Aligned;
use super::ranks::Ranks;
use super::sort::by_value;
use super::values::{SAME, TILE, key, of_key, read};
use crate::Cancel;

/// n × d values in f32, laid out as some ways of splitting need them.
pub(crate) struct Columns {
    rows: usize,
    features: usize,
    values: Option<Vec<f32>>,
    tiles: Option<Aligned<i32>>,
    keys: Option<Aligned<i32>>,
    ranks: Option<Ranks>,
    /// Made when they are first asked for.
    orders: Vec<OnceLock<Order>>,
}

/// What is made before trees are grown: a thread that waited for it half way might be given a task that waits for the same.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Layouts {
    /// For all but random thresholds of all features.
    pub(super) values: bool,
    /// For random thresholds of all features.
    pub(super) tiles: bool,
    /// For random thresholds of drawn features.
    pub(super) keys: bool,
    /// For best thresholds of drawn features.
    pub(super) ranks: bool,
}

/// All rows by their value of a feature, then by row.
pub(super) struct Order {
    pub(super) rows: Vec<u32>,
    /// Most rows have a value of their own, so that the feature is hardly ever constant in a node.
    pub(super) mostly_differ: bool,
}

impl Columns {
    /// Lays them out; unfinished where it is cancelled.
    pub(super) fn new(records: ArrayView2<'_, f64>, wanted: Layouts, cancel: &Cancel) -> Self {
        let (rows, features) = records.dim();
        let orders = (0..features).map(|_| OnceLock::new()).collect();
        let values = wanted.values.then(|| values_of(records, cancel));
        let tiles = wanted.tiles.then(|| tiles_of(records, cancel));
        let keys = wanted.keys.then(|| keys_of(records, cancel));
        let ranks = values.as_ref().filter(|_| wanted.ranks).map(|values| Ranks::new(values, (rows, features), cancel));
        Self { rows, features, values, tiles, keys, ranks, orders }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn features(&self) -> usize {
        self.features
    }

    /// n × d values, feature by feature.
    pub(super) fn values(&self) -> &[f32] {
        self.values.as_ref().expect("all but random thresholds of all features asked for values")
    }

    pub(super) fn column(&self, feature: u32) -> &[f32] {
        &self.values()[feature as usize * self.rows..][..self.rows]
    }

    /// The values along a feature, wherever they are.
    pub(super) fn along(&self, feature: u32) -> Along<'_> {
        if self.values.is_some() {
            return Along::Column(self.column(feature));
        }
        let tile = self.tiles().nth(feature as usize / TILE).expect("every feature is in a tile");
        Along::Tile(tile, feature as usize % TILE)
    }

    /// Stretches of [`TILE`] features, each n × [`TILE`] keys of values (see [`key`]) row by row, so that a node's rows are
    /// read in order and one tile of them stays in the cache. Columns that fill up the last tile are zeros.
    pub(super) fn tiles(&self) -> impl ExactSizeIterator<Item = &[i32]> {
        self.tiles.as_ref().expect("random thresholds of all features asked for tiles").chunks_exact(TILE * self.rows)
    }

    /// n × d keys of values, row by row.
    pub(super) fn keys(&self) -> &[i32] {
        self.keys.as_ref().expect("random thresholds of drawn features asked for keys")
    }

    /// The ranks of all rows along all features.
    pub(super) fn ranks(&self) -> &Ranks {
        self.ranks.as_ref().expect("best thresholds of drawn features asked for ranks")
    }

    /// All rows along a feature.
    pub(super) fn order(&self, feature: u32) -> &Order {
        self.orders[feature as usize].get_or_init(|| {
            let column = self.column(feature);
            let rows = by_value(column);
            let value = |row: u32| column[row as usize];
            let different = rows.windows(2).filter(|pair| value(pair[1]) > value(pair[0]) + SAME).count();
            Order { mostly_differ: different > rows.len() / 2, rows }
        })
    }
}

/// The values along a feature.
#[derive(Clone, Copy)]
pub(super) enum Along<'a> {
    Column(&'a [f32]),
    /// A tile, and the feature's place in each row of it.
    Tile(&'a [i32], usize),
}

impl Along<'_> {
    /// That of a row.
    #[inline(always)]
    pub(super) fn of(self, row: u32) -> f32 {
        match self {
            Self::Column(column) => column[row as usize],
            Self::Tile(tile, place) => of_key(tile[row as usize * TILE + place]),
        }
    }
}

/// Column by column.
fn values_of(records: ArrayView2<'_, f64>, cancel: &Cancel) -> Vec<f32> {
    let rows = records.nrows();
    let mut values = vec![0.0; records.len()];
    let of_tiles = values.par_chunks_mut(stretch(TILE, rows)).zip(records.axis_chunks_iter(Axis(1), TILE));
    of_tiles.for_each(|(values, records)| {
        if cancel.is_cancelled() {
            return;
        }
        for (row, of_row) in records.rows().into_iter().enumerate() {
            for (feature, &value) in of_row.iter().enumerate() {
                values[feature * rows + row] = read(value);
            }
        }
    });
    values
}

/// Tile by tile, each row by row.
fn tiles_of(records: ArrayView2<'_, f64>, cancel: &Cancel) -> Aligned<i32> {
    let (rows, features) = records.dim();
    let mut tiles = Aligned::new(rows * features.next_multiple_of(TILE));
    let of_tiles = tiles.par_chunks_mut(stretch(TILE, rows)).zip(records.axis_chunks_iter(Axis(1), TILE));
    of_tiles.for_each(|(tile, records)| {
        if cancel.is_cancelled() {
            return;
        }
        for (keys, of_row) in tile.chunks_exact_mut(TILE).zip(records.rows()) {
            keys.iter_mut().zip(of_row).for_each(|(of, &value)| *of = key(read(value)));
        }
    });
    tiles
}

/// Row by row.
fn keys_of(records: ArrayView2<'_, f64>, cancel: &Cancel) -> Aligned<i32> {
    let mut keys = Aligned::new(records.len());
    let of_rows = keys.par_chunks_mut(records.ncols().max(1)).zip(records.axis_iter(Axis(0)));
    of_rows.for_each(|(keys, of_row)| {
        if cancel.is_cancelled() {
            return;
        }
        keys.iter_mut().zip(of_row).for_each(|(of, &value)| *of = key(read(value)));
    });
    keys
}

/// Numbers in a stretch of so many features and rows; at least 1, since nothing cannot be cut into pieces of nothing.
fn stretch(features: usize, rows: usize) -> usize {
    (features * rows).max(1)
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    #[test]
    fn every_layout_holds_the_same_values() {
        const FEATURES: usize = 2 * TILE + 2;
        let records = Array2::from_shape_fn((5, FEATURES), |(row, feature)| match (row * FEATURES + feature) % 7 {
            0 => -0.0,
            of => (of as f64 - 3.0) * (feature as f64 + 0.1),
        });
        let cancel = Cancel::new();
        let columns = Columns::new(records.view(), Layouts { values: true, keys: true, ..Layouts::default() }, &cancel);
        let in_tiles = Columns::new(records.view(), Layouts { tiles: true, ..Layouts::default() }, &cancel);
        for ((row, feature), &value) in records.indexed_iter() {
            let (value, row) = (value as f32 + 0.0, row as u32);
            let found = [&columns, &in_tiles].map(|of| of.along(feature as u32).of(row));
            assert_eq!(found.map(f32::to_bits), [value.to_bits(); 2], "row {row}, feature {feature}");
            assert_eq!(columns.keys()[row as usize * FEATURES + feature], key(value));
        }
    }
}
