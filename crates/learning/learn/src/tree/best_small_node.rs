//! Best splits of a small node, many features at once: the cost of every way to part its rows is looked up, not summed.

#![allow(clippy::needless_range_loop, reason = "lanes of several arrays side by side are plainer by index")]

use super::rank_width::RankWidth;
use super::ranks::RankTable;
use super::scratch::SplitScratch;
use super::split_record::{SplitRecord, variant_indices};
use super::splitter::{NodeSplitter, SplitRequest};
use super::values::FEATURE_THRESHOLD;

/// The most rows of a small node. Half of its 2⁸ subsets are computed, fewer than the positions to scan for √1,241 = 35 drawn
/// features; with every further row the subsets double.
pub(super) const SMALL_NODE_ROWS: usize = 8;

impl NodeSplitter<'_> {
    /// Tries every threshold of each drawn feature, `WIDTH` features at a time; returns whether any feature varies. The rows'
    /// weights must be whole numbers, so that gains do not depend on the order of the rows.
    #[inline(always)]
    pub(super) fn best_split_small_node<const ENTROPY: bool, const WIDTH: usize, C: RankWidth>(
        &self,
        node: &SplitRequest<'_>,
        ranks: &RankTable<C>,
        scratch: &mut SplitScratch,
    ) -> bool {
        let rows = node.rows.len();
        scratch.subsets.compute::<ENTROPY>(&scratch.statistics, rows);
        let full = (1_u16 << rows) - 1;
        let (mut drawn, mut varies) = (0, false);
        while drawn < self.max_features {
            let count = WIDTH.min(self.max_features - drawn);
            let features = scratch.draw_features::<WIDTH>(count);
            drawn += count;
            let mut row_ranks = [[C::default(); WIDTH]; SMALL_NODE_ROWS];
            let compact = C::compact(&mut scratch.compact);
            for (lane, &feature) in features[..count].iter().enumerate() {
                let column = compact.feature(feature);
                for (ranks, &place) in row_ranks.iter_mut().zip(&scratch.places) {
                    ranks[lane] = column[place as usize];
                }
            }
            // For each row, the subset of the rows whose rank is at most its own.
            let mut subsets = [[0_u16; WIDTH]; SMALL_NODE_ROWS];
            let mut smallest = [full; WIDTH];
            for i in 0..rows {
                for j in 0..rows {
                    for lane in 0..WIDTH {
                        subsets[i][lane] |= u16::from(row_ranks[j][lane] <= row_ranks[i][lane]) << j;
                    }
                }
                for lane in 0..WIDTH {
                    smallest[lane] &= subsets[i][lane];
                }
            }
            for (lane, &feature) in features[..count].iter().enumerate() {
                let is_plain = ranks.is_plain(feature);
                if is_plain && smallest[lane] == full || !is_plain && !self.varies(feature, node.rows) {
                    continue;
                }
                varies = true;
                let row_subsets: [u16; SMALL_NODE_ROWS] = match is_plain {
                    true => std::array::from_fn(|row| subsets[row][lane]),
                    false => self.subsets_by_value(feature, node.rows),
                };
                self.keep_best_subset::<ENTROPY>(node, feature, &row_subsets[..rows], scratch);
            }
        }
        varies
    }

    /// Keeps the best of a feature's splits; `row_subsets` are their left sides, one ending at each row.
    #[inline(always)]
    fn keep_best_subset<const ENTROPY: bool>(
        &self,
        node: &SplitRequest<'_>,
        feature: u32,
        row_subsets: &[u16],
        scratch: &mut SplitScratch,
    ) {
        let SplitScratch { best, statistics, subsets, .. } = scratch;
        let rows = row_subsets.len();
        for variant in variant_indices(node.variants) {
            let (limits, best) = (self.variants[variant], &mut best[variant]);
            let mut margin = self.margin::<ENTROPY>(statistics, best.cost);
            let mut best_subset = 0;
            for (&subset, &last_left_row) in row_subsets.iter().zip(node.rows) {
                let (left_rows, subset) = (subset.count_ones() as usize, usize::from(subset));
                let cost = subsets.costs[subset];
                if cost > best.cost + margin
                    || left_rows == rows
                    || left_rows < limits.min_rows
                    || rows - left_rows < limits.min_rows
                    || !statistics.sides_weigh(subsets.left_weights[subset], limits.min_weight)
                {
                    continue;
                }
                let is_lower = cost < best.cost - margin;
                let gain = subsets.gain(subset, self, node, statistics);
                // A feature's subsets contain each other. The smallest of equally good ones is the lowest threshold, which is
                // the one that a scan in order would keep.
                let wins_tie = || match feature == best.feature {
                    true => subset < best_subset,
                    false => node.path.draw(feature).priority > best.priority,
                };
                if is_lower || gain > best.gain || gain == best.gain && wins_tie() {
                    let priority = node.path.draw(feature).priority;
                    *best = SplitRecord { cost, gain, priority, feature, last_left_row, threshold: f64::NAN };
                    margin = self.margin::<ENTROPY>(statistics, cost);
                    best_subset = subset;
                }
            }
        }
    }

    /// For each row, the subset of the rows whose value is at most its own, where ranks cannot tell. A row that is too close to
    /// the next one gets all rows, which is no split.
    fn subsets_by_value(&self, feature: u32, rows: &[u32]) -> [u16; SMALL_NODE_ROWS] {
        let column = self.columns.column(feature);
        let full = (1 << rows.len()) - 1;
        std::array::from_fn(|place| {
            let Some(&row) = rows.get(place) else { return full };
            let value = column[row as usize];
            let at_most = |bound: f32| {
                let are_left = rows.iter().map(|&row| column[row as usize] <= bound);
                are_left.enumerate().fold(0, |subset, (place, is_left)| subset | u16::from(is_left) << place)
            };
            let subset = at_most(value);
            if subset == at_most(value + FEATURE_THRESHOLD) { subset } else { full }
        })
    }
}
