//! The inner loops: what every possible split of a node costs, many at a time.
//!
//! Weights are whole numbers here (see [`super::rows`]), so sums do not depend on their order; costs are computed by the
//! same operations in the same order on every machine. Lower is better; only costs of one node compare.

#![allow(clippy::needless_range_loop, reason = "lanes of several arrays side by side are plainer by index")]

use super::code::Code;
use super::criterion::mass;
use super::rounding::Gains;
use super::rows::{LANES, Lanes, Local};

/// What each cut of a sorted node costs, and the weight left of it; kept and filled again for the next order.
#[derive(Default)]
pub(super) struct Cuts {
    pub(super) costs: Vec<f64>,
    pub(super) weights: Vec<i32>,
    pub(super) gains: Gains,
    squares: Vec<i64>,
    products: Vec<i64>,
    light_squares: Vec<i32>,
    light_products: Vec<i32>,
}

impl Cuts {
    /// Weighs each cut between the rows `order[i]` and `order[i + 1]` of a node.
    #[inline(always)]
    pub(super) fn weigh<const ENTROPY: bool, C: Code>(&mut self, node: &Local, order: &[C]) {
        let (rows, cuts) = (order.len(), order.len() - 1);
        self.costs.resize(cuts, 0.0);
        self.weights.resize(cuts, 0);
        if !ENTROPY && !node.light.is_empty() {
            return self.weigh_light(node, order);
        }
        let mut left = 0;
        for (&row, weight) in order.iter().zip(&mut self.weights) {
            left += node.weights[row.number() as usize];
            *weight = left;
        }
        if !ENTROPY {
            return self.weigh_squares(node, order);
        }
        for (group, (lanes, total)) in node.lanes.chunks_exact(rows).zip(&node.totals).enumerate() {
            let mut left = Lanes::ZERO;
            for ((&row, cost), &weight) in order.iter().zip(&mut self.costs).zip(&self.weights) {
                left.add(&lanes[row.number() as usize]);
                let of_group = f64::from(entropy_of(&left, total, weight, node.weight));
                *cost = if group == 0 { of_group } else { *cost + of_group };
            }
        }
    }

    /// Gini's cost is, up to what all cuts of the node have in common, −(Σ a² / A + Σ b² / B), where a and b are the
    /// weights with each label on the left and on the right, and A and B those of all rows there. With t = a + b,
    /// Σ b² = Σ t² − 2 Σ t a + Σ a²; the last sum but one grows by a number a row, so only one is over labels.
    #[inline(always)]
    fn weigh_squares<C: Code>(&mut self, node: &Local, order: &[C]) {
        let (rows, cuts) = (order.len(), order.len() - 1);
        self.squares.resize(cuts, 0);
        self.products.resize(cuts, 0);
        let mut left = 0;
        for (&row, product) in order.iter().zip(&mut self.products) {
            left += node.products[row.number() as usize];
            *product = left;
        }
        for (group, lanes) in node.lanes.chunks_exact(rows).enumerate() {
            let mut left = Lanes::ZERO;
            for (&row, squares) in order.iter().zip(&mut self.squares) {
                left.add(&lanes[row.number() as usize]);
                let of_group = sum_of_squares(&left);
                *squares = if group == 0 { of_group } else { *squares + of_group };
            }
        }
        let total = node.sum_of_squares();
        let sums = self.squares.iter().zip(&self.products).zip(&self.weights);
        for (cost, ((&squares, &product), &weight)) in self.costs.iter_mut().zip(sums) {
            *cost = gini(squares, total - 2 * product + squares, weight, node.weight);
        }
    }

    /// The same for a light node.
    #[inline(always)]
    fn weigh_light<C: Code>(&mut self, node: &Local, order: &[C]) {
        let (rows, cuts) = (order.len(), order.len() - 1);
        self.light_squares.resize(cuts, 0);
        self.light_products.resize(cuts, 0);
        let (mut left_weight, mut left_product) = (0, 0);
        let sums = self.weights.iter_mut().zip(&mut self.light_products);
        for (&row, (weight, product)) in order.iter().zip(sums) {
            left_weight += node.weights[row.number() as usize];
            left_product += node.light_products[row.number() as usize];
            (*weight, *product) = (left_weight, left_product);
        }
        for (group, lanes) in node.light.chunks_exact(rows).enumerate() {
            let mut left = [0; LANES];
            for (&row, squares) in order.iter().zip(&mut self.light_squares) {
                let of_row = &lanes[row.number() as usize];
                for lane in 0..LANES {
                    left[lane] += of_row[lane];
                }
                let of_group = sum_of_light_squares(&left);
                *squares = if group == 0 { of_group } else { *squares + of_group };
            }
        }
        let total = node.sum_of_squares();
        let sums = self.light_squares.iter().zip(&self.light_products).zip(&self.weights);
        for (cost, ((&squares, &product), &weight)) in self.costs.iter_mut().zip(sums) {
            let squares = i64::from(squares);
            *cost = gini(squares, total - 2 * i64::from(product) + squares, weight, node.weight);
        }
    }
}

/// Cost of a split from the sums of squares on both sides.
#[inline(always)]
fn gini(left: i64, right: i64, left_weight: i32, weight: i32) -> f64 {
    let (left_weight, right_weight) = (f64::from(left_weight), f64::from(weight - left_weight));
    // Over one denominator, since a division takes longer than all else.
    -(left as f64 * right_weight + right as f64 * left_weight) / (left_weight * right_weight)
}

#[inline(always)]
pub(super) fn sum_of_squares(lanes: &Lanes) -> i64 {
    lanes.0.iter().map(|&sum| i64::from(sum) * i64::from(sum)).sum()
}

#[inline(always)]
fn sum_of_light_squares(lanes: &[i16; LANES]) -> i32 {
    let mut eight = [0; LANES / 2];
    for pair in 0..LANES / 2 {
        let (a, b) = (i32::from(lanes[2 * pair]), i32::from(lanes[2 * pair + 1]));
        eight[pair] = a * a + b * b;
    }
    eight.into_iter().sum()
}

/// The lowest of some costs; `none`, which is above all, if there are none.
#[inline(always)]
pub(super) fn lowest<T: Copy + PartialOrd>(costs: &[T], none: T) -> T {
    let mut low = [none; LANES];
    let whole = costs.chunks_exact(LANES);
    low.iter_mut().zip(whole.remainder()).for_each(|(low, cost)| *low = *cost);
    for some in whole {
        for lane in 0..LANES {
            low[lane] = if some[lane] < low[lane] { some[lane] } else { low[lane] };
        }
    }
    for half in [8, 4, 2, 1] {
        for lane in 0..half {
            low[lane] = if low[lane + half] < low[lane] { low[lane + half] } else { low[lane] };
        }
    }
    low[0]
}

/// Cost of one split of the labels in one group of lanes, of gini as exact as [`Cuts`] has it but for a rounding a group.
#[inline(always)]
pub(super) fn cost_of_all<const ENTROPY: bool>(left: &Lanes, total: &Lanes, left_weight: i32, weight: i32) -> f64 {
    if ENTROPY {
        return f64::from(entropy_of(left, total, left_weight, weight));
    }
    let mut right = *total;
    for lane in 0..LANES {
        right.0[lane] -= left.0[lane];
    }
    gini(sum_of_squares(left), sum_of_squares(&right), left_weight, weight)
}

/// Where, from some place on, costs are at most this.
#[inline(always)]
pub(super) fn at_most(costs: &[f64], from: usize, most: f64) -> impl Iterator<Item = usize> {
    let some = costs[from..].chunks(LANES).zip((from..).step_by(LANES));
    let some = some.filter(move |(some, _)| some.iter().any(|&cost| cost <= most));
    some.flat_map(move |(some, first)| {
        some.iter().zip(first..).filter(move |(cost, _)| **cost <= most).map(|(_, at)| at)
    })
}

/// Entropy's cost of one split of the labels in one group of lanes: impurity times weight, on both sides.
#[inline(always)]
fn entropy_of(left: &Lanes, total: &Lanes, left_weight: i32, weight: i32) -> f32 {
    let right_weight = weight - left_weight;
    let (left_inverse, right_inverse) = (1.0 / left_weight as f32, 1.0 / right_weight as f32);
    let mut sums = [0.0_f32; LANES];
    for (lane, sum) in sums.iter_mut().enumerate() {
        let (with, of_right) = (left.0[lane], total.0[lane] - left.0[lane]);
        let of_left = mass::<true>(with as f32, (left_weight - with) as f32, left_inverse);
        *sum = of_left + mass::<true>(of_right as f32, (right_weight - of_right) as f32, right_inverse);
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

    use super::super::rows::{Labels, Weights};
    use super::*;
    use crate::random::RandomKey;

    #[test]
    fn nodes_are_light_where_16_bits_hold_the_weight_of_each_label_and_31_the_squares() {
        const MOST: usize = i16::MAX as usize;
        // One row has all labels, and all weight.
        let is_light = |labels: usize, weight: usize| {
            let of_labels = Labels::new(Array2::from_elem((1, labels), true).view());
            let weights = Weights::new(vec![weight as f64], labels);
            let mut local = Local::default();
            local.fill(&[0], weight as f64, &weights, &of_labels);
            local.lay_out(&[0], &of_labels);
            !local.light.is_empty()
        };
        assert!(is_light(1, MOST) && is_light(2, MOST));
        assert!(!is_light(1, MOST + 1) && !is_light(3, MOST));
    }

    #[test]
    fn light_nodes_cost_in_16_bits_what_they_do_in_32() {
        let draw = |place: u32| RandomKey::root(7, 0).draw(place).priority;
        let (rows, labels) = (70, 20);
        let targets =
            Array2::from_shape_fn((rows, labels), |(row, label)| draw((row * 31 + label) as u32).is_multiple_of(4));
        let labels_of = Labels::new(targets.view());
        let weights = Weights::new((0..rows as u32).map(|row| f64::from(1 + draw(row) % 3)).collect(), labels);
        let all: Vec<u32> = (0..rows as u32).collect();
        let mut order = all.clone();
        order.sort_by_key(|&row| draw(1_000 + row));
        let mut local = Local::default();
        local.fill(&all, weights.total, &weights, &labels_of);
        local.lay_out(&all, &labels_of);
        assert!(!local.light.is_empty());
        let (mut light, mut heavy) = (Cuts::default(), Cuts::default());
        light.weigh::<false, _>(&local, &order);
        local.light.clear();
        heavy.weigh::<false, _>(&local, &order);
        assert_eq!((light.costs, light.weights), (heavy.costs, heavy.weights));
    }
}
