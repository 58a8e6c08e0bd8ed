//! The rows of a small branch, copied together, so that its nodes find them in the nearest caches: a row of another's
//! column is a cache line for a single number.

use super::columns::{Columns, TILE};

/// Rows of a branch that are copied: 640 kB for 1,241 features.
pub(super) const ROWS: usize = 128;

/// The rows of one branch after another, in tiles as [`Columns::tiles`].
pub(super) struct Near {
    /// Where each row of the branch begins in a tile.
    places: Vec<u32>,
    values: Vec<f32>,
    tile: usize,
}

impl Near {
    pub(super) fn new(columns: &Columns) -> Self {
        Self { places: vec![0; columns.rows()], values: Vec::new(), tile: 0 }
    }

    /// Copies the rows of a branch.
    pub(super) fn take(&mut self, columns: &Columns, rows: &[u32]) {
        rows.iter().zip(0..).for_each(|(&row, at)| self.places[row as usize] = at * TILE as u32);
        self.tile = rows.len() * TILE;
        self.values.clear();
        for tile in columns.tiles() {
            for &row in rows {
                self.values.extend_from_slice(&tile[row as usize * TILE..][..TILE]);
            }
        }
    }

    pub(super) fn tiles(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.tile)
    }

    /// Where a row begins in a tile.
    #[inline(always)]
    pub(super) fn place(&self, row: u32) -> u32 {
        self.places[row as usize]
    }

    /// The values of a feature, to be looked up by place.
    #[inline(always)]
    pub(super) fn feature(&self, feature: u32) -> &[f32] {
        &self.values[feature as usize / TILE * self.tile + feature as usize % TILE..]
    }
}
