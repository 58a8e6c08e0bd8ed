//! Training rows as trees read them, in f32, laid out for each way of looking for a split.

use std::sync::OnceLock;

use ndarray::ArrayView2;

/// Values that differ by no more than this are one value (scikit-learn's `FEATURE_THRESHOLD`).
pub(super) const SAME: f32 = 1e-7;

/// Features that lie side by side in a tile, and are worked on together.
pub(super) const TILE: usize = 64;

/// n × d values in f32. What a way of splitting needs beyond the columns is made when it is first asked for.
pub(crate) struct Columns {
    rows: usize,
    features: usize,
    values: Vec<f32>,
    tiles: OnceLock<Vec<f32>>,
    orders: Vec<OnceLock<Order>>,
}

/// All rows by their value of a feature, then by row.
pub(super) struct Order {
    pub(super) rows: Vec<u32>,
    /// Most rows have a value of their own, so that the feature is hardly ever constant in a node.
    pub(super) mostly_differ: bool,
}

impl Columns {
    pub(crate) fn new(records: ArrayView2<'_, f64>) -> Self {
        let (rows, features) = records.dim();
        let mut values = vec![0.0; rows * features];
        // Row by row: the places that are written lie in as many cache lines as there are columns, row after row.
        for (row, of_row) in records.rows().into_iter().enumerate() {
            for (feature, &value) in of_row.iter().enumerate() {
                // Adding zero makes 0.0 of -0.0, so that the order of bits is that of values.
                values[feature * rows + row] = value as f32 + 0.0;
            }
        }
        let orders = (0..features).map(|_| OnceLock::new()).collect();
        Self { rows, features, values, tiles: OnceLock::new(), orders }
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

    /// Stretches of [`TILE`] features, each n × [`TILE`] values row by row, so that a node's rows are read in order and
    /// one tile of them stays in the cache. Columns that fill up the last tile are zeros.
    pub(super) fn tiles(&self) -> impl Iterator<Item = &[f32]> {
        let tiles = self.tiles.get_or_init(|| {
            let mut tiles = vec![0.0; self.features.div_ceil(TILE) * TILE * self.rows];
            for row in 0..self.rows {
                for feature in 0..self.features {
                    let place = feature / TILE * TILE * self.rows + row * TILE + feature % TILE;
                    tiles[place] = self.values[feature * self.rows + row];
                }
            }
            tiles
        });
        tiles.chunks_exact(TILE * self.rows)
    }

    /// All rows along a feature.
    pub(super) fn order(&self, feature: u32) -> &Order {
        self.orders[feature as usize].get_or_init(|| {
            let column = self.column(feature);
            let mut keys: Vec<u64> = column.iter().zip(0..).map(|(&value, row)| key(value, row)).collect();
            keys.sort_unstable();
            let rows: Vec<u32> = keys.into_iter().map(|key| key as u32).collect();
            let value = |row: u32| column[row as usize];
            let different = rows.windows(2).filter(|pair| value(pair[1]) > value(pair[0]) + SAME).count();
            Order { mostly_differ: different > rows.len() / 2, rows }
        })
    }
}

/// Orders as (value, row) do: the bits of a float, with the sign turned around, ascend with its value.
#[inline(always)]
pub(super) fn key(value: f32, row: u32) -> u64 {
    let bits = value.to_bits();
    let ascending = bits ^ (((bits as i32 >> 31) as u32) | 1 << 31);
    u64::from(ascending) << 32 | u64::from(row)
}
