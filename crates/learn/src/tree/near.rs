//! The rows of a small branch, copied together, so that its nodes find them in the nearest caches: a row of another's
//! column is a cache line for a single number.

/// Most rows of a branch that are copied: 2 MB of keys for 1,241 features, or half of that of ranks in 16 bits, which a second
/// cache of 1 MB holds.
pub(super) const ROWS: usize = 384;

/// The rows of one branch after another, each with all features.
pub(super) struct Near<T> {
    /// Where each row of the branch begins.
    places: Vec<u32>,
    values: Vec<T>,
}

impl<T> Default for Near<T> {
    fn default() -> Self {
        Self { places: Vec::new(), values: Vec::new() }
    }
}

impl<T: Copy> Near<T> {
    /// Copies the rows of a branch, out of all rows of so many features.
    pub(super) fn take(&mut self, of_rows: &[T], features: usize, rows: &[u32]) {
        self.places.resize(of_rows.len() / features, 0);
        self.values.clear();
        for &row in rows {
            self.places[row as usize] = self.values.len() as u32;
            self.values.extend_from_slice(&of_rows[row as usize * features..][..features]);
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
