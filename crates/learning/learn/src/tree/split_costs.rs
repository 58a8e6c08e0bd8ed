//! The costs of all splits along one sorted feature: the inner loops of the best splitter.
//!
//! Sums are of whole numbers, so they do not depend on the order of the rows, and every machine computes a cost by the same
//! operations in the same order. Lower is better; costs compare within a node only.

#![allow(clippy::needless_range_loop, reason = "lanes of several arrays side by side are plainer by index")]

use super::criterion::weighted_impurity;
use super::lanes::{LabelLanes, VECTOR_LANES};
use super::node_statistics::NodeStatistics;
use super::ordinal::Ordinal;
use super::sklearn_gain::GainCache;

/// The cost of a split at each position of a node's rows in order, and the weight left of it. Buffers are reused from feature
/// to feature.
#[derive(Default)]
pub(super) struct SplitCosts {
    pub(super) costs: Vec<f64>,
    pub(super) left_weights: Vec<i32>,
    /// Serves all features of a node.
    pub(super) gains: GainCache,
    squares: Vec<i64>,
    products: Vec<i64>,
    narrow_squares: Vec<i32>,
    narrow_products: Vec<i32>,
}

impl SplitCosts {
    /// Computes the cost of a split between the rows `order[i]` and `order[i + 1]`, for each i.
    #[inline(always)]
    pub(super) fn compute<const ENTROPY: bool, C: Ordinal>(&mut self, node: &NodeStatistics, order: &[C]) {
        let (rows, positions) = (order.len(), order.len() - 1);
        self.costs.resize(positions, 0.0);
        self.left_weights.resize(positions, 0);
        if !ENTROPY && !node.narrow.is_empty() {
            return self.sum_narrow_squares(node, order);
        }
        let mut left = 0;
        for (&row, weight) in order.iter().zip(&mut self.left_weights) {
            left += node.weights[row.to_u32() as usize];
            *weight = left;
        }
        if !ENTROPY {
            return self.weigh_squares(node, order);
        }
        for (group, (lanes, total)) in node.lanes.chunks_exact(rows).zip(&node.totals).enumerate() {
            let mut left = LabelLanes::ZERO;
            for ((&row, cost), &weight) in order.iter().zip(&mut self.costs).zip(&self.left_weights) {
                left.add(&lanes[row.to_u32() as usize]);
                let group_cost = f64::from(group_entropy(&left, total, weight, node.weight));
                *cost = if group == 0 { group_cost } else { *cost + group_cost };
            }
        }
    }

    /// Up to a term that all splits of the node share, the gini cost is −(Σ a² / A + Σ b² / B), where a and b are the weights
    /// of each label on the left and on the right, and A and B those of all rows there. With t = a + b, Σ b² is
    /// Σ t² − 2 Σ t a + Σ a². From row to row Σ t a grows by the row's product, so only Σ a² has to be summed over labels.
    #[inline(always)]
    fn weigh_squares<C: Ordinal>(&mut self, node: &NodeStatistics, order: &[C]) {
        let (rows, positions) = (order.len(), order.len() - 1);
        self.squares.resize(positions, 0);
        self.products.resize(positions, 0);
        let mut left = 0;
        for (&row, product) in order.iter().zip(&mut self.products) {
            left += node.products[row.to_u32() as usize];
            *product = left;
        }
        for (group, lanes) in node.lanes.chunks_exact(rows).enumerate() {
            let mut left = LabelLanes::ZERO;
            for (&row, squares) in order.iter().zip(&mut self.squares) {
                left.add(&lanes[row.to_u32() as usize]);
                let group_squares = left.sum_of_squares();
                *squares = if group == 0 { group_squares } else { *squares + group_squares };
            }
        }
        let total = node.sum_of_squares();
        let sums = self.squares.iter().zip(&self.products).zip(&self.left_weights);
        for (cost, ((&squares, &product), &weight)) in self.costs.iter_mut().zip(sums) {
            *cost = gini(squares, total - 2 * product + squares, weight, node.weight);
        }
    }

    /// The same in narrower numbers, twice as many a vector, for a node light enough.
    #[inline(always)]
    fn sum_narrow_squares<C: Ordinal>(&mut self, node: &NodeStatistics, order: &[C]) {
        let (rows, positions) = (order.len(), order.len() - 1);
        self.narrow_squares.resize(positions, 0);
        self.narrow_products.resize(positions, 0);
        let (mut left_weight, mut left_product) = (0, 0);
        let sums = self.left_weights.iter_mut().zip(&mut self.narrow_products);
        for (&row, (weight, product)) in order.iter().zip(sums) {
            left_weight += node.weights[row.to_u32() as usize];
            left_product += node.narrow_products[row.to_u32() as usize];
            (*weight, *product) = (left_weight, left_product);
        }
        for (group, lanes) in node.narrow.chunks_exact(rows).enumerate() {
            let mut left = [0; VECTOR_LANES];
            for (&row, squares) in order.iter().zip(&mut self.narrow_squares) {
                let row_lanes = &lanes[row.to_u32() as usize];
                for lane in 0..VECTOR_LANES {
                    left[lane] += row_lanes[lane];
                }
                let group_squares = sum_of_narrow_squares(&left);
                *squares = if group == 0 { group_squares } else { *squares + group_squares };
            }
        }
        let total = node.sum_of_squares();
        let sums = self.narrow_squares.iter().zip(&self.narrow_products).zip(&self.left_weights);
        for (cost, ((&squares, &product), &weight)) in self.costs.iter_mut().zip(sums) {
            let squares = i64::from(squares);
            *cost = gini(squares, total - 2 * i64::from(product) + squares, weight, node.weight);
        }
    }
}

/// The gini cost of a split from the sums of squares on both sides.
#[inline(always)]
fn gini(left: i64, right: i64, left_weight: i32, weight: i32) -> f64 {
    let (left_weight, right_weight) = (f64::from(left_weight), f64::from(weight - left_weight));
    // One division instead of two, since it takes longer than everything else together.
    -(left as f64 * right_weight + right as f64 * left_weight) / (left_weight * right_weight)
}

#[inline(always)]
fn sum_of_narrow_squares(lanes: &[i16; VECTOR_LANES]) -> i32 {
    let mut pairs = [0; VECTOR_LANES / 2];
    for pair in 0..VECTOR_LANES / 2 {
        let (a, b) = (i32::from(lanes[2 * pair]), i32::from(lanes[2 * pair + 1]));
        pairs[pair] = a * a + b * b;
    }
    pairs.into_iter().sum()
}

/// One group's part of a split's cost. For gini it is as exact as in [`SplitCosts`], apart from one rounding per group.
#[inline(always)]
pub(super) fn group_cost<const ENTROPY: bool>(
    left: &LabelLanes,
    total: &LabelLanes,
    left_weight: i32,
    weight: i32,
) -> f64 {
    if ENTROPY {
        return f64::from(group_entropy(left, total, left_weight, weight));
    }
    let mut right = *total;
    for lane in 0..VECTOR_LANES {
        right.0[lane] -= left.0[lane];
    }
    gini(left.sum_of_squares(), right.sum_of_squares(), left_weight, weight)
}

/// One group's part of a split's entropy cost: impurity times weight, summed over both sides.
#[inline(always)]
fn group_entropy(left: &LabelLanes, total: &LabelLanes, left_weight: i32, weight: i32) -> f32 {
    let right_weight = weight - left_weight;
    let (left_inverse, right_inverse) = (1.0 / left_weight as f32, 1.0 / right_weight as f32);
    let mut sums = [0.0_f32; VECTOR_LANES];
    for (lane, sum) in sums.iter_mut().enumerate() {
        let (left_with, right_with) = (left.0[lane], total.0[lane] - left.0[lane]);
        let left = weighted_impurity::<true>(left_with as f32, (left_weight - left_with) as f32, left_inverse);
        *sum = left + weighted_impurity::<true>(right_with as f32, (right_weight - right_with) as f32, right_inverse);
    }
    for half in [8, 4, 2, 1] {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
    }
    sums[0]
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::super::row_labels::RowLabels;
    use super::super::row_weights::RowWeights;
    use super::*;
    use crate::random::RandomKey;

    #[test]
    fn sums_are_narrow_where_16_bits_hold_the_weight_of_each_label_and_31_the_squares() {
        const MAX_LABEL_WEIGHT: usize = i16::MAX as usize;
        // One row has all labels and all weight.
        let fits_narrow = |labels: usize, weight: usize| {
            let row_labels = RowLabels::new(Array2::from_elem((1, labels), true).view());
            let weights = RowWeights::new(vec![weight as f64], labels);
            let mut statistics = NodeStatistics::default();
            statistics.fill(&[0], weight as f64, &weights, &row_labels);
            statistics.fill_lanes(&[0], &row_labels);
            !statistics.narrow.is_empty()
        };
        assert!(fits_narrow(1, MAX_LABEL_WEIGHT) && fits_narrow(2, MAX_LABEL_WEIGHT));
        assert!(!fits_narrow(1, MAX_LABEL_WEIGHT + 1) && !fits_narrow(3, MAX_LABEL_WEIGHT));
    }

    #[test]
    fn narrow_sums_give_the_costs_of_wide_ones() {
        let draw = |place: u32| RandomKey::root(7, 0).draw(place).priority;
        let (rows, labels) = (70, 20);
        let targets =
            Array2::from_shape_fn((rows, labels), |(row, label)| draw((row * 31 + label) as u32).is_multiple_of(4));
        let row_labels = RowLabels::new(targets.view());
        let weights = RowWeights::new((0..rows as u32).map(|row| f64::from(1 + draw(row) % 3)).collect(), labels);
        let row_numbers: Vec<u32> = (0..rows as u32).collect();
        let mut order = row_numbers.clone();
        order.sort_by_key(|&row| draw(1_000 + row));
        let mut statistics = NodeStatistics::default();
        statistics.fill(&row_numbers, weights.total, &weights, &row_labels);
        statistics.fill_lanes(&row_numbers, &row_labels);
        assert!(!statistics.narrow.is_empty());
        let (mut narrow, mut wide) = (SplitCosts::default(), SplitCosts::default());
        narrow.compute::<false, _>(&statistics, &order);
        statistics.narrow.clear();
        wide.compute::<false, _>(&statistics, &order);
        assert_eq!((narrow.costs, narrow.left_weights), (wide.costs, wide.left_weights));
    }
}
