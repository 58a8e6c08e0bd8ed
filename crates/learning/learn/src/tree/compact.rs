//! A compact copy of a small branch's rows, which keeps them in the nearest caches while the branch is built.
//!
//! In the full columns every number of a row would be a cache line of its own, far from the others.

use super::aligned::{AlignedVec, CACHE_LINE_BYTES};
use super::values::TILE_FEATURES;

/// The most rows of a branch that is copied. With 1,241 features the 16-bit ranks of 384 rows fill a second-level cache of
/// 1 MB. Larger and smaller branches were slower; `cargo xtask bench search --only single` measures it again.
pub(super) const MAX_COMPACT_ROWS: usize = 384;

/// A copy of the rows of one branch with all features, reused from branch to branch.
pub(super) struct CompactRows<T> {
    /// Where each row of the branch starts in `values`; indexed by training row.
    places: Vec<u32>,
    values: AlignedVec<T>,
}

/// The distance between rows copied from tiles: one cache line more than a row has, since rows a large power of two apart
/// would evict each other from the cache.
fn stride(tiles: usize) -> usize {
    tiles * TILE_FEATURES + CACHE_LINE_BYTES / size_of::<i32>()
}

impl<T: Copy + Default> Default for CompactRows<T> {
    fn default() -> Self {
        Self { places: Vec::new(), values: AlignedVec::new(0) }
    }
}

impl CompactRows<i32> {
    /// Copies the rows of a branch from tiles of all `row_count` training rows.
    pub(super) fn copy_tiles<'a>(
        &mut self,
        tiles: impl ExactSizeIterator<Item = &'a [i32]>,
        row_count: usize,
        rows: &[u32],
    ) {
        let stride = stride(tiles.len());
        let starts = (0..).step_by(stride);
        self.places.resize(row_count, 0);
        self.reserve(rows.len() * stride);
        for (index, tile) in tiles.enumerate() {
            for (&row, start) in rows.iter().zip(starts.clone()) {
                let keys = &tile[row as usize * TILE_FEATURES..][..TILE_FEATURES];
                self.values[start + index * TILE_FEATURES..][..TILE_FEATURES].copy_from_slice(keys);
            }
        }
        for (&row, start) in rows.iter().zip(starts) {
            self.places[row as usize] = start as u32;
        }
    }
}

impl<T: Copy + Default> CompactRows<T> {
    fn reserve(&mut self, len: usize) {
        if self.values.len() < len {
            self.values = AlignedVec::new(len);
        }
    }

    /// Copies the rows of a branch from all training rows, which lie row by row.
    pub(super) fn copy_rows(&mut self, matrix: &[T], features: usize, rows: &[u32]) {
        self.places.resize(matrix.len() / features, 0);
        self.reserve(rows.len() * features);
        for (&row, start) in rows.iter().zip((0..).step_by(features)) {
            self.places[row as usize] = start as u32;
            self.values[start..][..features].copy_from_slice(&matrix[row as usize * features..][..features]);
        }
    }

    /// The place of a row, at which [`CompactRows::feature`] has its value.
    #[inline(always)]
    pub(super) fn place(&self, row: u32) -> u32 {
        self.places[row as usize]
    }

    /// Writes where each of the rows starts.
    #[inline(always)]
    pub(super) fn find_places(&self, rows: &[u32], places: &mut Vec<u32>) {
        places.clear();
        places.extend(rows.iter().map(|&row| self.place(row)));
    }

    /// A feature's values, indexed by place.
    #[inline(always)]
    pub(super) fn feature(&self, feature: u32) -> &[T] {
        &self.values[feature as usize..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_tiles_are_found_by_feature() {
        let (rows, features) = (5, 2 * TILE_FEATURES as u32);
        let key = |row: u32, feature: u32| (1_000 * row + feature) as i32;
        let tile_keys = |tile: u32| {
            (0..rows * TILE_FEATURES as u32)
                .map(move |i| key(i / TILE_FEATURES as u32, tile * TILE_FEATURES as u32 + i % TILE_FEATURES as u32))
        };
        let tiles: Vec<Vec<i32>> = (0..2).map(|tile| tile_keys(tile).collect()).collect();
        let mut compact = CompactRows::default();
        for taken in [vec![0, 1, 2, 3, 4], vec![1, 4], vec![3]] {
            compact.copy_tiles(tiles.iter().map(Vec::as_slice), rows as usize, &taken);
            for row in taken {
                for feature in 0..features {
                    assert_eq!(compact.feature(feature)[compact.place(row) as usize], key(row, feature));
                }
                assert_eq!(compact.feature(0)[compact.place(row) as usize..].as_ptr() as usize % CACHE_LINE_BYTES, 0);
            }
        }
    }
}
