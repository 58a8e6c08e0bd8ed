//! Training rows in ranks, for best splits of drawn features: where a row is along a feature, in 16 bits if that is enough,
//! so that the columns that nodes read here and there stay in the cache.

use rayon::prelude::*;

use super::aligned::Aligned;
use super::code::Code;
use super::sort::by_value;
use super::values::SAME;
use crate::Cancel;

/// The ranks of all rows along all features.
pub(super) enum Ranks {
    /// Of at most 65,536 rows.
    Narrow(Ranked<u16>),
    Wide(Ranked<u32>),
}

/// Ranks: 0 for the smallest value of a feature, and one more wherever the next differs by more than [`SAME`].
pub(super) struct Ranked<C> {
    rows: usize,
    /// Feature by feature, one a row.
    ranks: Vec<C>,
    /// The same row by row.
    row_by_row: Aligned<C>,
    /// Of each feature, whether values of one rank never differ by more than [`SAME`], so that ranks tell all.
    is_plain: Vec<bool>,
}

impl Ranks {
    /// Of rows × features values, feature by feature.
    pub(super) fn new(values: &[f32], size: (usize, usize), cancel: &Cancel) -> Self {
        match size.0 <= 1 << 16 {
            true => Self::Narrow(Ranked::new(values, size, cancel)),
            false => Self::Wide(Ranked::new(values, size, cancel)),
        }
    }
}

impl<C: Code> Ranked<C> {
    /// Of rows × features values, feature by feature.
    pub(super) fn new(values: &[f32], (rows, features): (usize, usize), cancel: &Cancel) -> Self {
        let mut ranked = Self {
            rows,
            ranks: vec![C::default(); features * rows],
            row_by_row: Aligned::new(0),
            is_plain: vec![false; features],
        };
        let of_features = ranked.ranks.par_chunks_mut(rows.max(1)).zip(&mut ranked.is_plain);
        of_features.enumerate().for_each(|(feature, (ranks, is_plain))| {
            if cancel.is_cancelled() {
                return;
            }
            let column = &values[feature * rows..][..rows];
            let (mut rank, mut last, mut first, mut plain) = (0, f32::NAN, f32::NAN, true);
            for (place, row) in by_value(column).into_iter().enumerate() {
                let value = column[row as usize];
                if place == 0 || value > last + SAME {
                    rank += u32::from(place > 0);
                    first = value;
                }
                plain &= value <= first + SAME;
                last = value;
                ranks[row as usize] = C::of(rank);
            }
            *is_plain = plain;
        });
        ranked.row_by_row = row_by_row(&ranked.ranks, rows, features, cancel);
        ranked
    }

    pub(super) fn of(&self, feature: u32) -> &[C] {
        &self.ranks[feature as usize * self.rows..][..self.rows]
    }

    /// Ranks are below this.
    pub(super) fn above(&self) -> usize {
        self.rows
    }

    pub(super) fn is_plain(&self, feature: u32) -> bool {
        self.is_plain[feature as usize]
    }

    /// n × d ranks, row by row.
    pub(super) fn row_by_row(&self) -> &[C] {
        &self.row_by_row
    }
}

/// What lies feature by feature, row by row.
fn row_by_row<C: Code>(ranks: &[C], rows: usize, features: usize, cancel: &Cancel) -> Aligned<C> {
    /// Rows that one task writes.
    const ROWS: usize = 64;
    let mut all = Aligned::new(ranks.len());
    all.par_chunks_mut((features * ROWS).max(1)).enumerate().for_each(|(number, of_rows)| {
        if cancel.is_cancelled() {
            return;
        }
        for (place, of_feature) in ranks.chunks_exact(rows).enumerate() {
            let into = of_rows[place..].iter_mut().step_by(features);
            into.zip(&of_feature[number * ROWS..]).for_each(|(into, &rank)| *into = rank);
        }
    });
    all
}
