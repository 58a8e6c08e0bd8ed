//! The rows of a small branch, copied together, so that its nodes find them in the nearest caches: a row of another's
//! column is a cache line for a single number.

use super::columns::TILE;

/// Rows of a branch that are copied where its nodes read them whole: 5 MB of values for 1,241 features.
pub(super) const WHOLE: usize = 1024;

/// The same where they read some drawn features here and there: they have to fit a cache that is near, so at most 1.3 MB of
/// values, or half of that of ranks.
pub(super) const DRAWN: usize = 256;

/// The rows of one branch after another, in tiles as [`super::columns::Columns::tiles`].
pub(super) struct Near<T> {
    /// Where each row of the branch begins in a tile.
    places: Vec<u32>,
    values: Vec<T>,
    tile: usize,
}

impl<T> Default for Near<T> {
    fn default() -> Self {
        Self { places: Vec::new(), values: Vec::new(), tile: 0 }
    }
}

impl<T: Copy> Near<T> {
    /// Copies the rows of a branch, of all that the tiles have.
    pub(super) fn take<'t>(&mut self, tiles: impl Iterator<Item = &'t [T]>, rows: &[u32], of: usize)
    where
        T: 't,
    {
        self.places.resize(of, 0);
        rows.iter().zip(0..).for_each(|(&row, at)| self.places[row as usize] = at * TILE as u32);
        self.tile = rows.len() * TILE;
        self.values.clear();
        for tile in tiles {
            for &row in rows {
                self.values.extend_from_slice(&tile[row as usize * TILE..][..TILE]);
            }
        }
    }

    pub(super) fn tiles(&self) -> impl Iterator<Item = &[T]> {
        self.values.chunks_exact(self.tile)
    }

    /// Where a row begins in a tile.
    #[inline(always)]
    pub(super) fn place(&self, row: u32) -> u32 {
        self.places[row as usize]
    }

    /// Writes where each of some rows begins in a tile.
    #[inline(always)]
    pub(super) fn look_up(&self, rows: &[u32], places: &mut Vec<u32>) {
        places.clear();
        places.extend(rows.iter().map(|&row| self.place(row)));
    }

    /// The values of a feature, to be looked up by place.
    #[inline(always)]
    pub(super) fn feature(&self, feature: u32) -> &[T] {
        &self.values[feature as usize / TILE * self.tile + feature as usize % TILE..]
    }
}
