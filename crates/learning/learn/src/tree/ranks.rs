//! The rank of every training row along every feature, from which the best splitter sorts drawn features.
//!
//! Ranks of up to 65,536 rows take 16 bits, so more of the columns that nodes read stay in the caches.

use rayon::prelude::*;

use super::aligned::AlignedVec;
use super::ordinal::Ordinal;
use super::rank_sort::sorted_by_value;
use super::values::FEATURE_THRESHOLD;
use crate::Cancel;

/// The ranks of all rows along all features.
pub(super) enum Ranks {
    /// At most 65,536 rows.
    Narrow(RankTable<u16>),
    Wide(RankTable<u32>),
}

/// Ranks along each feature: 0 for the smallest value, and one more wherever the next value differs by more than
/// [`FEATURE_THRESHOLD`].
pub(super) struct RankTable<C> {
    rows: usize,
    /// Feature by feature.
    ranks: Vec<C>,
    /// The same ranks row by row.
    row_by_row: AlignedVec<C>,
    /// For each feature, whether values of equal rank never differ by more than [`FEATURE_THRESHOLD`], so that ranks alone tell
    /// which values differ. A chain of nearly equal values is not plain.
    is_plain: Vec<bool>,
}

impl Ranks {
    /// Ranks rows × features values, given feature by feature.
    pub(super) fn new(values: &[f32], size: (usize, usize), cancel: &Cancel) -> Self {
        match size.0 <= 1 << 16 {
            true => Self::Narrow(RankTable::new(values, size, cancel)),
            false => Self::Wide(RankTable::new(values, size, cancel)),
        }
    }
}

impl<C: Ordinal> RankTable<C> {
    /// Ranks rows × features values, given feature by feature; unfinished if cancelled.
    pub(super) fn new(values: &[f32], (rows, features): (usize, usize), cancel: &Cancel) -> Self {
        let mut table = Self {
            rows,
            ranks: vec![C::default(); features * rows],
            row_by_row: AlignedVec::new(0),
            is_plain: vec![false; features],
        };
        let columns = table.ranks.par_chunks_mut(rows.max(1)).zip(&mut table.is_plain);
        columns.enumerate().for_each(|(feature, (ranks, is_plain))| {
            if cancel.is_cancelled() {
                return;
            }
            let column = &values[feature * rows..][..rows];
            let (mut rank, mut previous, mut first_of_rank, mut plain) = (0, f32::NAN, f32::NAN, true);
            for (position, row) in sorted_by_value(column).into_iter().enumerate() {
                let value = column[row as usize];
                if position == 0 || value > previous + FEATURE_THRESHOLD {
                    rank += u32::from(position > 0);
                    first_of_rank = value;
                }
                plain &= value <= first_of_rank + FEATURE_THRESHOLD;
                previous = value;
                ranks[row as usize] = C::from_u32(rank);
            }
            *is_plain = plain;
        });
        table.row_by_row = transpose(&table.ranks, rows, features, cancel);
        table
    }

    pub(super) fn column(&self, feature: u32) -> &[C] {
        &self.ranks[feature as usize * self.rows..][..self.rows]
    }

    /// An upper bound: ranks are below it.
    pub(super) fn rank_count(&self) -> usize {
        self.rows
    }

    /// Whether ranks alone tell which values of a feature differ.
    pub(super) fn is_plain(&self, feature: u32) -> bool {
        self.is_plain[feature as usize]
    }

    /// n × d ranks, row by row.
    pub(super) fn row_by_row(&self) -> &[C] {
        &self.row_by_row
    }
}

/// Ranks given feature by feature, row by row.
fn transpose<C: Ordinal>(ranks: &[C], rows: usize, features: usize, cancel: &Cancel) -> AlignedVec<C> {
    /// Rows written by one task.
    const TASK_ROWS: usize = 64;
    let mut transposed = AlignedVec::new(ranks.len());
    transposed.par_chunks_mut((features * TASK_ROWS).max(1)).enumerate().for_each(|(task, task_rows)| {
        if cancel.is_cancelled() {
            return;
        }
        for (feature, column) in ranks.chunks_exact(rows).enumerate() {
            let cells = task_rows[feature..].iter_mut().step_by(features);
            cells.zip(&column[task * TASK_ROWS..]).for_each(|(cell, &rank)| *cell = rank);
        }
    });
    transposed
}
