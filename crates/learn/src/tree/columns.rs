//! Training rows as trees read them, in f32, laid out for each way of looking for a split.

use std::sync::OnceLock;

use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

use super::ranks::Ranks;

/// Values that differ by no more than this are one value (scikit-learn's `FEATURE_THRESHOLD`).
pub(super) const SAME: f32 = 1e-7;

/// Features that lie side by side in a tile, and are worked on together.
pub(super) const TILE: usize = 64;

/// n × d values in f32, and what some ways of splitting need beside them.
pub(crate) struct Columns {
    rows: usize,
    features: usize,
    values: Vec<f32>,
    tiles: Option<Vec<i32>>,
    keys: Option<Vec<i32>>,
    ranks: Option<Ranks>,
    /// Made when they are first asked for.
    orders: Vec<OnceLock<Order>>,
}

/// What is made beside the values, before trees are grown: a thread that waited for it half way might be given a task that
/// waits for the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layouts {
    pub(super) tiles: bool,
    pub(super) keys: bool,
    pub(super) ranks: bool,
}

/// All rows by their value of a feature, then by row.
pub(super) struct Order {
    pub(super) rows: Vec<u32>,
    /// Most rows have a value of their own, so that the feature is hardly ever constant in a node.
    pub(super) mostly_differ: bool,
}

impl Columns {
    pub(super) fn new(records: ArrayView2<'_, f64>, wanted: Layouts) -> Self {
        let (rows, features) = records.dim();
        let mut values = vec![0.0; rows * features];
        let of_tiles = values.par_chunks_mut(tile_of(rows)).zip(records.axis_chunks_iter(Axis(1), TILE));
        of_tiles.for_each(|(values, records)| {
            for (row, of_row) in records.rows().into_iter().enumerate() {
                for (feature, &value) in of_row.iter().enumerate() {
                    // Adding zero makes 0.0 of -0.0, so that the order of bits is that of values.
                    values[feature * rows + row] = value as f32 + 0.0;
                }
            }
        });
        let orders = (0..features).map(|_| OnceLock::new()).collect();
        let mut columns = Self { rows, features, values, tiles: None, keys: None, ranks: None, orders };
        columns.tiles = wanted.tiles.then(|| tiles(&columns.values, rows, TILE, key));
        columns.keys = wanted.keys.then(|| tiles(&columns.values, rows, features, key));
        columns.ranks = wanted.ranks.then(|| Ranks::new(&columns));
        columns
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn features(&self) -> usize {
        self.features
    }

    pub(super) fn column(&self, feature: u32) -> &[f32] {
        &self.values[feature as usize * self.rows..][..self.rows]
    }

    /// Stretches of [`TILE`] features, each n × [`TILE`] keys of values (see [`key`]) row by row, so that a node's rows are
    /// read in order and one tile of them stays in the cache. Columns that fill up the last tile are zeros.
    pub(super) fn tiles(&self) -> impl Iterator<Item = &[i32]> {
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

/// Numbers in a tile of so many rows; at least 1, since nothing cannot be cut into pieces of nothing.
fn tile_of(rows: usize) -> usize {
    TILE * rows.max(1)
}

/// What columns of so many rows come to, in stretches of some features, each row by row.
pub(super) fn tiles<T: Copy + Sync, K: Copy + Default + Send>(
    columns: &[T],
    rows: usize,
    width: usize,
    of: impl Fn(T) -> K + Sync,
) -> Vec<K> {
    let mut tiles = vec![K::default(); columns.len().next_multiple_of((width * rows).max(1))];
    for (tile, columns) in tiles.chunks_mut((width * rows).max(1)).zip(columns.chunks((width * rows).max(1))) {
        tile.par_chunks_mut(width * 64).enumerate().for_each(|(at, of_rows)| {
            for (column, columns) in columns.chunks_exact(rows).enumerate() {
                let of_rows = of_rows[column..].iter_mut().step_by(width);
                of_rows.zip(&columns[at * 64..]).for_each(|(to, &value)| *to = of(value));
            }
        });
    }
    tiles
}

/// All rows by value, then by row: a radix sort by three digits of the values.
pub(super) fn by_value(column: &[f32]) -> Vec<u32> {
    const DIGIT: u32 = 11;
    let digit = |key: u32, place: usize| (key >> (DIGIT * place as u32)) as usize % (1 << DIGIT);
    let mut keys: Vec<(u32, u32)> = column.iter().map(|&value| key(value) as u32 ^ 1 << 31).zip(0..).collect();
    let mut nexts = [[0_u32; 1 << DIGIT]; 3];
    for &(key, _) in &keys {
        nexts.iter_mut().enumerate().for_each(|(place, next)| next[digit(key, place)] += 1);
    }
    let mut sorted = keys.clone();
    for (place, next) in nexts.iter_mut().enumerate() {
        let mut before = 0;
        for next in &mut *next {
            before += *next;
            *next = before - *next;
        }
        for &of in &keys {
            let next = &mut next[digit(of.0, place)];
            sorted[*next as usize] = of;
            *next += 1;
        }
        std::mem::swap(&mut keys, &mut sorted);
    }
    keys.into_iter().map(|(_, row)| row).collect()
}

/// A whole number that ascends with the value, which is not -0.0: its bits, of negative ones turned around. Comparing whole
/// numbers takes fewer steps, since none of them is unordered.
#[inline(always)]
pub(super) fn key(value: f32) -> i32 {
    turned(value.to_bits() as i32)
}

/// The value of a key.
#[inline(always)]
pub(super) fn of_key(key: i32) -> f32 {
    f32::from_bits(turned(key) as u32)
}

#[inline(always)]
fn turned(bits: i32) -> i32 {
    bits ^ (bits >> 31 & i32::MAX)
}
