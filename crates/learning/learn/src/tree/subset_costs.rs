//! The cost of every way to part a small node's rows, computed once and looked up for every feature.

use super::lanes::LabelLanes;
use super::node_statistics::NodeStatistics;
use super::sklearn_gain;
use super::split_costs::group_cost;
use super::splitter::{NodeSplitter, SplitRequest};

/// The costs of all subsets of a node's rows as the left side of a split: bit i of a subset says that row i goes left.
#[derive(Default)]
pub(super) struct SubsetCosts {
    pub(super) costs: Vec<f64>,
    pub(super) left_weights: Vec<i32>,
    lanes: Vec<LabelLanes>,
    /// See [`sklearn_gain`]; NaN until it is asked for.
    gains: Vec<f64>,
}

impl SubsetCosts {
    /// Computes the costs of all subsets of a node's rows.
    #[inline(always)]
    pub(super) fn compute<const ENTROPY: bool>(&mut self, statistics: &NodeStatistics, rows: usize) {
        let (subsets, half) = (1 << rows, 1 << (rows - 1));
        self.left_weights.resize(subsets, 0);
        self.left_weights[0] = 0;
        for subset in 1..subsets {
            let rest = self.left_weights[subset & (subset - 1)];
            self.left_weights[subset] = rest + statistics.weights[subset.trailing_zeros() as usize];
        }
        self.gains.clear();
        self.gains.resize(subsets, f64::NAN);
        self.costs.clear();
        self.costs.resize(subsets, 0.0);
        self.lanes.resize(half, LabelLanes::ZERO);
        for (row_lanes, total) in statistics.lanes.chunks_exact(rows).zip(&statistics.totals) {
            self.lanes[0] = LabelLanes::ZERO;
            for subset in 1..half {
                let mut left = self.lanes[subset & (subset - 1)];
                left.add(&row_lanes[subset.trailing_zeros() as usize]);
                self.lanes[subset] = left;
                self.costs[subset] += group_cost::<ENTROPY>(&left, total, self.left_weights[subset], statistics.weight);
            }
        }
        // A split costs the same with its sides exchanged.
        for subset in 1..half {
            self.costs[subsets - 1 - subset] = self.costs[subset];
        }
    }

    /// scikit-learn's gain of a subset.
    #[inline]
    pub(super) fn gain(
        &mut self,
        subset: usize,
        splitter: &NodeSplitter<'_>,
        node: &SplitRequest<'_>,
        statistics: &NodeStatistics,
    ) -> f64 {
        if self.gains[subset].is_nan() {
            let places = (0..node.rows.len() as u32).filter(|place| subset >> place & 1 == 1);
            self.gains[subset] = sklearn_gain::gain(splitter, node, statistics, &places.collect::<Vec<u32>>());
        }
        self.gains[subset]
    }
}
