//! The training rows' feature values in `f32`, in the layouts that the splitters read.

use std::sync::OnceLock;

use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

use super::aligned::AlignedVec;
use super::rank_sort::sorted_by_value;
use super::ranks::Ranks;
use super::values::{FEATURE_THRESHOLD, TILE_FEATURES, from_key, key, narrow};
use crate::Cancel;

/// n rows × d features in the requested layouts.
pub(super) struct Columns {
    rows: usize,
    features: usize,
    values: Option<Vec<f32>>,
    tiles: Option<AlignedVec<i32>>,
    keys: Option<AlignedVec<i32>>,
    ranks: Option<Ranks>,
    /// Sorted when first asked for.
    orders: Vec<OnceLock<ColumnOrder>>,
}

/// The layouts to make before trees are built. They are not made on demand: a thread that waited for one might meanwhile be
/// given a task that waits for the same.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Layouts {
    /// Columns of values: for all but random thresholds of all features.
    pub(super) values: bool,
    /// Tiles of keys: for random thresholds of all features.
    pub(super) tiles: bool,
    /// Rows of keys: for random thresholds of drawn features.
    pub(super) keys: bool,
    /// Ranks: for best thresholds of drawn features.
    pub(super) ranks: bool,
}

/// All rows by their value of one feature, then by row.
pub(super) struct ColumnOrder {
    pub(super) rows: Vec<u32>,
    /// Whether most rows have a value of their own, so that the feature is hardly ever constant in a node.
    pub(super) mostly_differ: bool,
}

impl Columns {
    /// Lays the rows out; unfinished if cancelled.
    pub(super) fn new(records: ArrayView2<'_, f64>, layouts: Layouts, cancel: &Cancel) -> Self {
        let (rows, features) = records.dim();
        let orders = (0..features).map(|_| OnceLock::new()).collect();
        let values = layouts.values.then(|| values_by_column(records, cancel));
        let tiles = layouts.tiles.then(|| keys_by_tile(records, cancel));
        let keys = layouts.keys.then(|| keys_by_row(records, cancel));
        let ranks =
            values.as_ref().filter(|_| layouts.ranks).map(|values| Ranks::new(values, (rows, features), cancel));
        Self { rows, features, values, tiles, keys, ranks, orders }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn features(&self) -> usize {
        self.features
    }

    /// d × n values, feature by feature.
    pub(super) fn values(&self) -> &[f32] {
        self.values.as_ref().expect("all but random thresholds of all features asked for values")
    }

    pub(super) fn column(&self, feature: u32) -> &[f32] {
        &self.values()[feature as usize * self.rows..][..self.rows]
    }

    /// The values of a feature, from whichever layout there is.
    pub(super) fn values_along(&self, feature: u32) -> ColumnValues<'_> {
        if self.values.is_some() {
            return ColumnValues::Column(self.column(feature));
        }
        let tile = self.tiles().nth(feature as usize / TILE_FEATURES).expect("every feature is in a tile");
        ColumnValues::Tile(tile, feature as usize % TILE_FEATURES)
    }

    /// Tiles of [`TILE_FEATURES`] features, each n × [`TILE_FEATURES`] [`key`]s row by row, so that a node's rows are read in
    /// order and one tile of them stays in the cache. The features that pad the last tile are zero.
    pub(super) fn tiles(&self) -> impl ExactSizeIterator<Item = &[i32]> {
        self.tiles
            .as_ref()
            .expect("random thresholds of all features asked for tiles")
            .chunks_exact(TILE_FEATURES * self.rows)
    }

    /// n × d keys of values, row by row.
    pub(super) fn keys(&self) -> &[i32] {
        self.keys.as_ref().expect("random thresholds of drawn features asked for keys")
    }

    /// The ranks of all rows along all features.
    pub(super) fn ranks(&self) -> &Ranks {
        self.ranks.as_ref().expect("best thresholds of drawn features asked for ranks")
    }

    /// All rows in the order of a feature.
    pub(super) fn order(&self, feature: u32) -> &ColumnOrder {
        self.orders[feature as usize].get_or_init(|| {
            let column = self.column(feature);
            let rows = sorted_by_value(column);
            let value = |row: u32| column[row as usize];
            let changes = rows.windows(2).filter(|pair| value(pair[1]) > value(pair[0]) + FEATURE_THRESHOLD).count();
            ColumnOrder { mostly_differ: changes > rows.len() / 2, rows }
        })
    }
}

/// The values of one feature in either layout.
#[derive(Clone, Copy)]
pub(super) enum ColumnValues<'a> {
    Column(&'a [f32]),
    /// A tile, and the feature's lane in each row of it.
    Tile(&'a [i32], usize),
}

impl ColumnValues<'_> {
    /// The value of a row.
    #[inline(always)]
    pub(super) fn value(self, row: u32) -> f32 {
        match self {
            Self::Column(column) => column[row as usize],
            Self::Tile(tile, lane) => from_key(tile[row as usize * TILE_FEATURES + lane]),
        }
    }
}

/// Values, column by column.
fn values_by_column(records: ArrayView2<'_, f64>, cancel: &Cancel) -> Vec<f32> {
    let rows = records.nrows();
    let mut values = vec![0.0; records.len()];
    let tiles =
        values.par_chunks_mut(chunk_len(TILE_FEATURES, rows)).zip(records.axis_chunks_iter(Axis(1), TILE_FEATURES));
    tiles.for_each(|(values, records)| {
        if cancel.is_cancelled() {
            return;
        }
        for (row, record) in records.rows().into_iter().enumerate() {
            for (feature, &value) in record.iter().enumerate() {
                values[feature * rows + row] = narrow(value);
            }
        }
    });
    values
}

/// Keys, tile by tile, and each tile row by row.
fn keys_by_tile(records: ArrayView2<'_, f64>, cancel: &Cancel) -> AlignedVec<i32> {
    let (rows, features) = records.dim();
    let mut tiles = AlignedVec::new(rows * features.next_multiple_of(TILE_FEATURES));
    let chunks =
        tiles.par_chunks_mut(chunk_len(TILE_FEATURES, rows)).zip(records.axis_chunks_iter(Axis(1), TILE_FEATURES));
    chunks.for_each(|(tile, records)| {
        if cancel.is_cancelled() {
            return;
        }
        for (keys, record) in tile.chunks_exact_mut(TILE_FEATURES).zip(records.rows()) {
            keys.iter_mut().zip(record).for_each(|(slot, &value)| *slot = key(narrow(value)));
        }
    });
    tiles
}

/// Keys, row by row.
fn keys_by_row(records: ArrayView2<'_, f64>, cancel: &Cancel) -> AlignedVec<i32> {
    let mut keys = AlignedVec::new(records.len());
    let chunks = keys.par_chunks_mut(records.ncols().max(1)).zip(records.axis_iter(Axis(0)));
    chunks.for_each(|(keys, record)| {
        if cancel.is_cancelled() {
            return;
        }
        keys.iter_mut().zip(record).for_each(|(slot, &value)| *slot = key(narrow(value)));
    });
    keys
}

/// Numbers in a chunk of this many features and rows; at least 1, since chunks must not be empty.
fn chunk_len(features: usize, rows: usize) -> usize {
    (features * rows).max(1)
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    #[test]
    fn every_layout_holds_the_same_values() {
        const FEATURES: usize = 2 * TILE_FEATURES + 2;
        let records = Array2::from_shape_fn((5, FEATURES), |(row, feature)| match (row * FEATURES + feature) % 7 {
            0 => -0.0,
            number => (number as f64 - 3.0) * (feature as f64 + 0.1),
        });
        let cancel = Cancel::new();
        let columns = Columns::new(records.view(), Layouts { values: true, keys: true, ..Layouts::default() }, &cancel);
        let in_tiles = Columns::new(records.view(), Layouts { tiles: true, ..Layouts::default() }, &cancel);
        for ((row, feature), &value) in records.indexed_iter() {
            let (value, row) = (value as f32 + 0.0, row as u32);
            let found = [&columns, &in_tiles].map(|columns| columns.values_along(feature as u32).value(row));
            assert_eq!(found.map(f32::to_bits), [value.to_bits(); 2], "row {row}, feature {feature}");
            assert_eq!(columns.keys()[row as usize * FEATURES + feature], key(value));
        }
    }
}
