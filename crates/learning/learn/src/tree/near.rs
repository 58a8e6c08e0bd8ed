//! The rows of a small branch, copied together, so that its nodes find them in the nearest caches: a row of another's
//! column is a cache line for a single number, and of all rows a few lie far apart.

use super::aligned::{Aligned, LINE};
use super::values::TILE;

/// Most rows of a branch that are copied. With 1,241 features, their ranks in 16 bits fill a second cache of 1 MB, their keys
/// two of them; more or fewer were slower.
pub(super) const ROWS: usize = 384;

/// The rows of one branch after another, each with all features.
pub(super) struct Near<T> {
    /// Where each row of the branch begins.
    places: Vec<u32>,
    values: Aligned<T>,
}

/// Numbers from one row of so many tiles to the next: a cache line more than there are, since lines that lie a large power of
/// two apart drive each other out of the cache.
fn stride(tiles: usize) -> usize {
    tiles * TILE + LINE / size_of::<i32>()
}

impl<T: Copy + Default> Default for Near<T> {
    fn default() -> Self {
        Self { places: Vec::new(), values: Aligned::new(0) }
    }
}

impl Near<i32> {
    /// Copies the rows of a branch, out of so many rows of some tiles.
    pub(super) fn take_tiles<'a>(
        &mut self,
        tiles: impl ExactSizeIterator<Item = &'a [i32]>,
        all_rows: usize,
        rows: &[u32],
    ) {
        let stride = stride(tiles.len());
        let starts = (0..).step_by(stride);
        self.places.resize(all_rows, 0);
        self.make_room(rows.len() * stride);
        for (number, tile) in tiles.enumerate() {
            for (&row, start) in rows.iter().zip(starts.clone()) {
                let keys = &tile[row as usize * TILE..][..TILE];
                self.values[start + number * TILE..][..TILE].copy_from_slice(keys);
            }
        }
        for (&row, start) in rows.iter().zip(starts) {
            self.places[row as usize] = start as u32;
        }
    }
}

impl<T: Copy + Default> Near<T> {
    fn make_room(&mut self, count: usize) {
        if self.values.len() < count {
            self.values = Aligned::new(count);
        }
    }

    /// Copies the rows of a branch, out of all rows of so many features.
    pub(super) fn take(&mut self, of_rows: &[T], features: usize, rows: &[u32]) {
        self.places.resize(of_rows.len() / features, 0);
        self.make_room(rows.len() * features);
        for (&row, start) in rows.iter().zip((0..).step_by(features)) {
            self.places[row as usize] = start as u32;
            self.values[start..][..features].copy_from_slice(&of_rows[row as usize * features..][..features]);
        }
    }

    /// Where a row begins.
    #[inline(always)]
    pub(super) fn place(&self, row: u32) -> u32 {
        self.places[row as usize]
    }

    /// Writes where each of some rows begins.
    #[inline(always)]
    pub(super) fn look_up(&self, rows: &[u32], places: &mut Vec<u32>) {
        places.clear();
        places.extend(rows.iter().map(|&row| self.place(row)));
    }

    /// The values of a feature, to be looked up by place.
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
        let (rows, features) = (5, 2 * TILE as u32);
        let key = |row: u32, feature: u32| (1_000 * row + feature) as i32;
        let of_tile = |tile: u32| {
            (0..rows * TILE as u32).map(move |at| key(at / TILE as u32, tile * TILE as u32 + at % TILE as u32))
        };
        let tiles: Vec<Vec<i32>> = (0..2).map(|tile| of_tile(tile).collect()).collect();
        let mut near = Near::default();
        for taken in [vec![0, 1, 2, 3, 4], vec![1, 4], vec![3]] {
            near.take_tiles(tiles.iter().map(Vec::as_slice), rows as usize, &taken);
            for row in taken {
                for feature in 0..features {
                    assert_eq!(near.feature(feature)[near.place(row) as usize], key(row, feature));
                }
                assert_eq!(near.feature(0)[near.place(row) as usize..].as_ptr() as usize % LINE, 0);
            }
        }
    }
}
