//! Random splits of a small node: the cost of every way to part its rows is computed once, and features are drawn until none
//! could be better.

#![allow(clippy::needless_range_loop, reason = "lanes of several arrays side by side are plainer by index")]

use super::compact::CompactRows;
use super::node_view::NodeView;
use super::random_thresholds::{draw_threshold, score};
use super::scratch::SplitScratch;
use super::split_record::{LeafLimits, MAX_VARIANTS, SplitRecord, variant_indices};
use super::splitter::{NodeSplitter, SplitRequest};
use super::values::{FEATURE_THRESHOLD, TILE_FEATURES, from_key, range};

/// The most rows of a small node: the subsets that do not mirror each other fill the lanes of a tile (2⁶ = 64).
pub(super) const SMALL_NODE_ROWS: usize = 1 + TILE_FEATURES.ilog2() as usize;

/// The costs of all ways to part a node's rows. Bit i of a subset says that row i goes left. The last row always goes right,
/// since a split costs the same with its sides exchanged.
pub(super) struct RandomSubsetCosts {
    rows: usize,
    pub(super) costs: [f32; TILE_FEATURES],
    left_weights: [i32; TILE_FEATURES],
}

impl RandomSubsetCosts {
    /// Computes the costs of a node with `count` rows, each given as its weight and mixed labels; `sums` has room for q rows
    /// of sums.
    #[inline(always)]
    pub(super) fn new<const ENTROPY: bool>(
        rows: impl Iterator<Item = (i32, impl Iterator<Item = u32>)>,
        count: usize,
        node: &NodeView<'_>,
        sums: &mut [[i32; TILE_FEATURES]],
    ) -> Self {
        let mut subsets = Self { rows: count, costs: [0.0; TILE_FEATURES], left_weights: [0; TILE_FEATURES] };
        let sums = &mut sums[..node.label_weights.len()];
        sums.iter_mut().for_each(|sums| sums[0] = 0);
        for (row, (weight, labels)) in rows.take(count - 1).enumerate() {
            // The subsets with this row are the subsets of the rows before it, plus the row.
            let half = 1 << row;
            for subset in 0..half {
                subsets.left_weights[half + subset] = subsets.left_weights[subset] + weight;
            }
            sums.iter_mut().for_each(|sums| sums.copy_within(..half, half));
            for label in labels {
                sums[label as usize][half..2 * half].iter_mut().for_each(|sum| *sum += weight);
            }
        }
        match subsets.rows {
            // Every split of two rows has pure sides.
            2 => {}
            3..=5 => subsets.score::<ENTROPY, 16>(node, sums),
            _ => subsets.score::<ENTROPY, TILE_FEATURES>(node, sums),
        }
        subsets
    }

    #[inline(always)]
    fn score<const ENTROPY: bool, const WIDTH: usize>(&mut self, node: &NodeView<'_>, sums: &[[i32; TILE_FEATURES]]) {
        let left_weights = self.left_weights.first_chunk().expect("the width is at most a tile's");
        let costs = self.costs.first_chunk_mut().expect("the width is at most a tile's");
        score::<ENTROPY, WIDTH>(node, sums, left_weights, costs);
    }

    /// The subset of the rows whose value is at most the threshold, or of the others.
    #[inline(always)]
    pub(super) fn subset(&self, values: &[f32; SMALL_NODE_ROWS], threshold: f32) -> usize {
        let subset = (0..self.rows).fold(0, |subset, row| subset | usize::from(values[row] <= threshold) << row);
        let last_row = 1 << (self.rows - 1);
        if subset & last_row == 0 { subset } else { 2 * last_row - 1 - subset }
    }

    /// Whether both sides obey the limits.
    #[inline(always)]
    fn leaves_fit(&self, subset: usize, limits: &LeafLimits, node: &NodeView<'_>) -> bool {
        let rows = subset.count_ones() as usize;
        limits.are_none()
            || rows >= limits.min_rows
                && self.rows - rows >= limits.min_rows
                && node.sides_weigh(self.left_weights[subset], limits.min_weight)
    }

    /// The lowest cost of the splits that obey the limits.
    #[inline(always)]
    fn lowest(&self, limits: &LeafLimits, node: &NodeView<'_>) -> f32 {
        let valid = (1..1 << (self.rows - 1)).filter(|&subset| self.leaves_fit(subset, limits, node));
        valid.fold(f32::INFINITY, |low, subset| low.min(self.costs[subset]))
    }
}

impl NodeSplitter<'_> {
    /// Tries one random threshold of each drawn feature, until each variant has a split of the lowest possible cost.
    #[inline(always)]
    pub(super) fn random_split_small_node<const ENTROPY: bool>(
        &self,
        node: &SplitRequest<'_>,
        scratch: &mut SplitScratch,
    ) {
        let SplitScratch { best, statistics, sums, compact, pool, .. } = scratch;
        statistics.find_mixed_labels();
        let view = statistics.view(node.path);
        let rows = statistics.mixed_rows(node.rows, self.labels);
        let subsets = RandomSubsetCosts::new::<ENTROPY>(rows, node.rows.len(), &view, sums);
        let mut lowest = [f32::INFINITY; MAX_VARIANTS];
        variant_indices(node.variants)
            .for_each(|variant| lowest[variant] = subsets.lowest(&self.variants[variant], &view));
        let may_split = |variant: &usize| lowest[*variant] < f32::INFINITY;
        let unfinished = variant_indices(node.variants).filter(may_split);
        let mut unfinished = unfinished.fold(0, |variants, variant| variants | 1 << variant);
        pool.begin(node.path);
        let (mut drawn, mut all_constant) = (0, true);
        while unfinished != 0 && (drawn < self.max_features || all_constant) {
            let Some(feature) = pool.next() else { break };
            drawn += 1;
            let values = self.small_node_values(node, feature, &compact.keys);
            let (low, high) = range(values[..subsets.rows].iter().copied());
            if high <= low + FEATURE_THRESHOLD {
                continue;
            }
            all_constant = false;
            let threshold = draw_threshold(low, high, node.path.draw(feature).uniform);
            let subset = subsets.subset(&values, threshold);
            let cost = subsets.costs[subset];
            for variant in variant_indices(unfinished) {
                let best = &mut best[variant];
                if f64::from(cost) >= best.cost || !subsets.leaves_fit(subset, &self.variants[variant], &view) {
                    continue;
                }
                let (gain, threshold) = (-f64::from(cost), f64::from(threshold));
                // Features are drawn in random order, so the first of equally good ones is a random one.
                *best = SplitRecord { cost: -gain, gain, priority: 0, feature, last_left_row: 0, threshold };
                if cost <= lowest[variant] {
                    unfinished &= !(1 << variant);
                }
            }
        }
    }

    /// The values of a feature on a small node's rows.
    #[inline(always)]
    fn small_node_values(
        &self,
        node: &SplitRequest<'_>,
        feature: u32,
        compact: &CompactRows<i32>,
    ) -> [f32; SMALL_NODE_ROWS] {
        let mut values = [0.0; SMALL_NODE_ROWS];
        let cells = values.iter_mut().zip(node.rows);
        if node.is_compact {
            let keys = compact.feature(feature);
            cells.for_each(|(value, &row)| *value = from_key(keys[compact.place(row) as usize]));
        } else {
            let column = self.columns.values_along(feature);
            cells.for_each(|(value, &row)| *value = column.value(row));
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use pulp::Scalar;

    use super::super::node_samples::NodeSamples;
    use super::super::node_statistics::NodeStatistics;
    use super::super::random_thresholds::draw_thresholds;
    use super::super::row_labels::RowLabels;
    use super::super::row_weights::RowWeights;
    use super::super::values::key;
    use super::*;
    use crate::random::RandomKey;

    fn subsets_cost_what_thresholds_do<const ENTROPY: bool>() {
        let draw = |place: u32| RandomKey::root(5, 0).draw(place).priority;
        for count in 2..=SMALL_NODE_ROWS {
            let values: Vec<[f32; SMALL_NODE_ROWS]> =
                (0..TILE_FEATURES as u32).map(|j| std::array::from_fn(|row| draw(j * 8 + row as u32) as f32)).collect();
            let tile: Vec<i32> = (0..count).flat_map(|row| values.iter().map(move |values| key(values[row]))).collect();
            let places: Vec<u32> = (0..count).map(|row| (row * TILE_FEATURES) as u32).collect();
            let weights = (0..count as u32).map(|row| f64::from(1 + draw(9_000 + row) % 1_000)).collect();
            // Label q belongs to the rows whose number has bit q.
            let targets = Array2::from_shape_fn((count, 3), |(row, label)| row >> label & 1 == 1);
            let (weights, labels) = (RowWeights::new(weights, 3), RowLabels::new(targets.view()));
            let (rows, mut statistics): (Vec<u32>, _) = ((0..count as u32).collect(), NodeStatistics::default());
            statistics.fill(&rows, weights.total, &weights, &labels);
            let mut counts = Vec::new();
            let encoding = statistics.encode(&rows, &labels, &mut counts);
            let samples = NodeSamples { places: &places, encoding, counts: &counts };
            let node = statistics.view(RandomKey::root(count as u64, 2));
            let (features, mut sums) = (std::array::from_fn(|j| j as u32), vec![[0; TILE_FEATURES]; 4]);
            let simd = Scalar::new();
            let drawn =
                draw_thresholds::<_, ENTROPY, TILE_FEATURES>(simd, &node, &samples, &tile, &features, &mut sums);
            let mixed_rows = statistics.mixed_rows(&rows, &labels);
            let subsets = RandomSubsetCosts::new::<ENTROPY>(mixed_rows, count, &node, &mut sums);
            for j in 0..TILE_FEATURES {
                let cost = subsets.costs[subsets.subset(&values[j], drawn.thresholds[j])];
                // Splits of two rows cost nothing, up to rounding.
                let tolerance = if count == 2 { 1e-3 } else { 0.0 };
                assert!((cost - drawn.costs[j]).abs() <= tolerance, "{count} rows: {cost} and {}", drawn.costs[j]);
            }
        }
    }

    #[test]
    fn subsets_of_rows_cost_what_the_thresholds_between_them_do() {
        subsets_cost_what_thresholds_do::<false>();
        subsets_cost_what_thresholds_do::<true>();
    }
}
