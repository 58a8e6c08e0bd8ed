//! The rows of a small branch, copied together, so that its nodes find them in the nearest caches: a row of another's
//! column is a cache line for a single number.

use super::columns::{Columns, TILE};

/// Rows of a branch that are copied: 640 kB for 1,241 features.
pub(super) const ROWS: usize = 128;

/// The rows of one branch after another.
pub(super) struct Near {
    /// Where the rows of the branch begin among the values.
    places: Vec<u32>,
    values: Vec<f32>,
    width: usize,
}

impl Near {
    pub(super) fn new(columns: &Columns) -> Self {
        let width = columns.features().div_ceil(TILE) * TILE;
        Self { places: vec![0; columns.rows()], values: Vec::new(), width }
    }

    /// Copies the rows of a branch, at most [`ROWS`].
    pub(super) fn take(&mut self, columns: &Columns, rows: &[u32]) {
        self.values.resize(rows.len() * self.width, 0.0);
        for (place, &row) in rows.iter().enumerate() {
            self.places[row as usize] = (place * self.width) as u32;
        }
        for (at, tile) in columns.tiles().enumerate() {
            for (place, &row) in rows.iter().enumerate() {
                let (to, from) = (place * self.width + at * TILE, row as usize * TILE);
                self.values[to..to + TILE].copy_from_slice(&tile[from..from + TILE]);
            }
        }
    }

    /// The values of a row of the branch.
    #[inline(always)]
    pub(super) fn row(&self, row: u32) -> &[f32] {
        &self.values[self.places[row as usize] as usize..][..self.width]
    }
}
