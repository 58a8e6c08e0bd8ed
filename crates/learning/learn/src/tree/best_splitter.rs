//! The best threshold of each searched feature: scikit-learn's `node_split_best`.
//!
//! All features: their orders are handed down from the root ([`super::presorted`]). Drawn features: their ranks are sorted
//! at each node. Either way [`NodeSplitter::scan_positions`] keeps the best.

use pulp::NullaryFnOnce;
use rayon::prelude::*;

use super::best_small_node::SMALL_NODE_ROWS;
use super::lanes::{VECTOR_LANES, at_most, lowest};
use super::node_statistics::NodeStatistics;
use super::ordinal::Ordinal;
use super::presorted::{FeatureBlock, SortedOrders};
use super::rank_width::RankWidth;
use super::ranks::RankTable;
use super::scratch::SplitScratch;
use super::split_costs::SplitCosts;
use super::split_record::{SplitRecord, variant_indices};
use super::splitter::{NodeSplitter, SplitRequest};
use super::values::{FEATURE_THRESHOLD, TILE_FEATURES};

impl NodeSplitter<'_> {
    /// Tries every threshold of every feature.
    pub(super) fn best_split_presorted<const ENTROPY: bool, C: Ordinal>(
        &self,
        node: &SplitRequest<'_>,
        presorted: &SortedOrders<C>,
        scratch: &mut SplitScratch,
    ) {
        let SplitScratch { best, statistics, costs, .. } = scratch;
        statistics.fill_lanes(node.rows, self.labels);
        let statistics = &*statistics;
        let scan = |block: &FeatureBlock<C>, costs: &mut SplitCosts, best: &mut [SplitRecord]| {
            self.arch.dispatch(BlockScan::<ENTROPY, C> { splitter: self, node, statistics, block, costs, best });
        };
        let scan_apart = |block: &FeatureBlock<C>| {
            let mut best = vec![SplitRecord::NONE; self.variants.len()];
            scan(block, &mut SplitCosts::default(), &mut best);
            best
        };
        let results: Vec<Vec<SplitRecord>> = match presorted.is_parallel() {
            true => presorted.blocks().par_iter().map(scan_apart).collect(),
            false => {
                presorted.blocks().iter().for_each(|block| scan(block, costs, best));
                Vec::new()
            }
        };
        for result in results {
            for (best, found) in best.iter_mut().zip(result) {
                let margin = self.margin::<ENTROPY>(statistics, best.cost);
                let wins_tie = found.gain == best.gain && found.priority > best.priority;
                let is_close = found.cost <= best.cost + margin && (found.gain > best.gain || wins_tie);
                if found.exists() && (found.cost < best.cost - margin || is_close) {
                    *best = found;
                }
            }
        }
        self.place_thresholds(node, best, |best, row| self.is_left_by_value(best, row));
    }

    /// Tries every threshold of each drawn feature.
    #[inline(always)]
    pub(super) fn best_split_ranked<const ENTROPY: bool, C: RankWidth>(
        &self,
        node: &SplitRequest<'_>,
        ranks: &RankTable<C>,
        scratch: &mut SplitScratch,
    ) {
        scratch.pool.begin(node.path);
        scratch.statistics.fill_lanes(node.rows, self.labels);
        if node.is_compact {
            C::compact(&mut scratch.compact).find_places(node.rows, &mut scratch.places);
        }
        let is_small = self.weights.all_whole && node.is_compact && node.rows.len() <= SMALL_NODE_ROWS;
        let (drawn, all_constant) = match is_small {
            true if self.max_features <= VECTOR_LANES => {
                let varies = self.best_split_small_node::<ENTROPY, VECTOR_LANES, C>(node, ranks, scratch);
                (self.max_features, !varies)
            }
            true => {
                let varies = self.best_split_small_node::<ENTROPY, TILE_FEATURES, C>(node, ranks, scratch);
                (self.max_features, !varies)
            }
            false => (0, true),
        };
        if all_constant {
            self.best_split_drawn::<ENTROPY, C>(node, ranks, scratch, drawn);
        }
        self.place_rank_thresholds(node, ranks, &mut scratch.best);
    }

    /// Places the thresholds of splits that were found by rank.
    #[inline(always)]
    pub(super) fn place_rank_thresholds<C: Ordinal>(
        &self,
        node: &SplitRequest<'_>,
        ranks: &RankTable<C>,
        best: &mut [SplitRecord],
    ) {
        self.place_thresholds(node, best, |best, row| {
            let column = ranks.column(best.feature);
            match ranks.is_plain(best.feature) {
                true => column[row as usize] <= column[best.last_left_row as usize],
                false => self.is_left_by_value(best, row),
            }
        });
    }

    /// Searches features in random order until `max_features` are drawn, `drawn` of them before, and further until one is not
    /// constant.
    #[inline(always)]
    pub(super) fn best_split_drawn<const ENTROPY: bool, C: RankWidth>(
        &self,
        node: &SplitRequest<'_>,
        ranks: &RankTable<C>,
        scratch: &mut SplitScratch,
        mut drawn: usize,
    ) {
        let mut all_constant = true;
        while (drawn < self.max_features || all_constant) && !self.cancel.is_cancelled() {
            let Some(feature) = scratch.pool.next() else { break };
            all_constant &= !self.best_split_feature::<ENTROPY, C>(node, ranks, feature, scratch);
            drawn += 1;
        }
    }

    /// Tries every threshold of a feature; returns whether the feature varies.
    #[inline(always)]
    fn best_split_feature<const ENTROPY: bool, C: RankWidth>(
        &self,
        node: &SplitRequest<'_>,
        ranks: &RankTable<C>,
        feature: u32,
        scratch: &mut SplitScratch,
    ) -> bool {
        let SplitScratch { best, statistics, costs, sorters, compact, places, .. } = scratch;
        let sorter = C::sorter(sorters);
        if node.is_compact {
            let column = C::compact(compact).feature(feature);
            sorter.set_ranks(places.iter().map(|&place| column[place as usize]));
        } else {
            let column = ranks.column(feature);
            sorter.set_ranks(node.rows.iter().map(|&row| column[row as usize]));
        }
        let (low, high) = sorter.range();
        let is_plain = ranks.is_plain(feature);
        if is_plain && low == high || !is_plain && !self.varies(feature, node.rows) {
            return false;
        }
        if is_plain {
            sorter.sort(ranks.rank_count());
            let sorted = &sorter.sorted;
            let differ = |position: usize| sorted[position] != sorted[position + 1];
            self.scan_positions::<ENTROPY, u32>(node, statistics, feature, &sorter.order, differ, costs, best);
        } else {
            let column = self.columns.column(feature);
            let value = |place: u32| column[node.rows[place as usize] as usize];
            sorter.sort_by_value(node.rows.len(), value);
            let order = &sorter.order;
            let differ = |position: usize| value(order[position + 1]) > value(order[position]) + FEATURE_THRESHOLD;
            self.scan_positions::<ENTROPY, u32>(node, statistics, feature, order, differ, costs, best);
        }
        true
    }

    /// Places each threshold halfway between the largest value on the left and the smallest on the right. Values are read here
    /// only, once per node: each is a wait for memory.
    #[inline(always)]
    fn place_thresholds(
        &self,
        node: &SplitRequest<'_>,
        best: &mut [SplitRecord],
        is_left: impl Fn(&SplitRecord, u32) -> bool,
    ) {
        let mut previous = SplitRecord::NONE;
        for best in best.iter_mut().filter(|best| best.exists()) {
            if (best.feature, best.last_left_row) == (previous.feature, previous.last_left_row) {
                best.threshold = previous.threshold;
                continue;
            }
            let column = self.columns.column(best.feature);
            let (mut below, mut above) = (f32::NEG_INFINITY, f32::INFINITY);
            for &row in node.rows {
                let value = column[row as usize];
                if is_left(best, row) { below = below.max(value) } else { above = above.min(value) }
            }
            best.threshold = f64::from(below) / 2.0 + f64::from(above) / 2.0;
            previous = *best;
        }
    }

    /// Whether a row's value is at most that of the split's last row on the left.
    fn is_left_by_value(&self, best: &SplitRecord, row: u32) -> bool {
        let column = self.columns.column(best.feature);
        column[row as usize] <= column[best.last_left_row as usize]
    }

    /// Tries every threshold of a feature: every position of the order where the values on both sides differ.
    #[inline(always)]
    #[allow(clippy::too_many_arguments, reason = "parts of the scratch that are in use side by side")]
    fn scan_positions<const ENTROPY: bool, C: Ordinal>(
        &self,
        node: &SplitRequest<'_>,
        statistics: &NodeStatistics,
        feature: u32,
        order: &[C],
        differ: impl Fn(usize) -> bool,
        costs: &mut SplitCosts,
        best: &mut [SplitRecord],
    ) {
        let priority = node.path.draw(feature).priority;
        costs.compute::<ENTROPY, C>(statistics, order);
        let SplitCosts { costs, left_weights, gains, .. } = costs;
        let margin = |cost: f64| self.margin::<ENTROPY>(statistics, cost);
        for variant in variant_indices(node.variants) {
            let limits = self.variants[variant];
            let min_rows = limits.min_rows.max(1);
            if 2 * min_rows > order.len() {
                continue;
            }
            let (first, end) = (min_rows - 1, order.len() - min_rows);
            let costs = &costs[..end];
            let best = &mut best[variant];
            let low = lowest(&costs[first..], f64::INFINITY);
            let best_margin = margin(best.cost);
            if low > best.cost + best_margin {
                continue;
            }
            let leaves_fit = |position: usize| statistics.sides_weigh(left_weights[position], limits.min_weight);
            // A position that costs more than the lowest cost and its margin gains less than that one. If all costs are close to
            // the best so far, the bound stays wider than it has to be, which changes no result.
            let mut bound = best.cost + best_margin;
            if low < best.cost - best_margin {
                // The lowest cost of all is nearly always at a valid position.
                let is_valid = |position: &usize| differ(*position) && leaves_fit(*position);
                let low = match at_most(costs, first, low).any(|position| is_valid(&position)) {
                    true => low,
                    false => {
                        let valid = at_most(costs, first, bound).filter(is_valid);
                        valid.map(|position| costs[position]).fold(bound, f64::min)
                    }
                };
                bound = bound.min(low + margin(low));
            }
            for position in at_most(costs, first, bound) {
                let cost = costs[position];
                let margin = margin(best.cost);
                let is_lower = cost < best.cost - margin;
                if cost > best.cost + margin || !leaves_fit(position) || is_lower && !differ(position) {
                    continue;
                }
                let gain = gains.get_or_compute(self, node, statistics, &order[..=position]);
                let wins_tie = gain == best.gain && priority > best.priority && feature != best.feature;
                // Most ties are lost, so the values, which are waits for memory, are compared last.
                if is_lower || (gain > best.gain || wins_tie) && differ(position) {
                    *best = SplitRecord {
                        cost,
                        gain,
                        priority,
                        feature,
                        last_left_row: node.rows[order[position].to_u32() as usize],
                        threshold: f64::NAN,
                    };
                }
            }
        }
    }
}

/// The scan of a block of presorted features, to be compiled for the widest vectors of the machine.
struct BlockScan<'a, const ENTROPY: bool, C> {
    splitter: &'a NodeSplitter<'a>,
    node: &'a SplitRequest<'a>,
    statistics: &'a NodeStatistics,
    block: &'a FeatureBlock<C>,
    costs: &'a mut SplitCosts,
    best: &'a mut [SplitRecord],
}

impl<const ENTROPY: bool, C: Ordinal> NullaryFnOnce for BlockScan<'_, ENTROPY, C> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { splitter, node, statistics, block, costs, best } = self;
        for (feature, order) in block.iter(node.rows.len()) {
            if splitter.cancel.is_cancelled() {
                return;
            }
            let column = splitter.columns.column(feature);
            let value = |position: usize| column[node.rows[order[position].to_u32() as usize] as usize];
            let differ = |position: usize| value(position + 1) > value(position) + FEATURE_THRESHOLD;
            splitter.scan_positions::<ENTROPY, C>(node, statistics, feature, order, differ, costs, best);
        }
    }
}
