//! The inner loops: what every possible split of a node costs, many at a time.
//!
//! Weights are whole numbers here (see [`super::rows`]), so sums do not depend on their order; costs are computed by the
//! same operations in the same order on every machine. Lower is better; only costs of one node compare.

#![allow(clippy::needless_range_loop, reason = "lanes of several arrays side by side are plainer by index")]

use super::columns::{SAME, TILE};
use super::criterion::mass;
use super::rounding::Gains;
use super::rows::{LANES, Lanes, Local};
use crate::random::Path;

/// What each cut of a sorted node costs, and the weight left of it; kept and filled again for the next order.
#[derive(Default)]
pub(super) struct Cuts {
    pub(super) costs: Vec<f64>,
    pub(super) weights: Vec<i32>,
    pub(super) gains: Gains,
    squares: Vec<f64>,
    products: Vec<i64>,
    light_squares: Vec<i32>,
    light_products: Vec<i32>,
}

impl Cuts {
    /// Weighs each cut between the rows `order[i]` and `order[i + 1]` of a node.
    #[inline(always)]
    pub(super) fn weigh<const ENTROPY: bool>(&mut self, node: &Local, order: &[u32]) {
        let (rows, cuts) = (order.len(), order.len() - 1);
        self.costs.resize(cuts, 0.0);
        self.weights.resize(cuts, 0);
        if !ENTROPY && !node.light.is_empty() {
            return self.weigh_light(node, order);
        }
        let mut left = 0;
        for (&row, weight) in order.iter().zip(&mut self.weights) {
            left += node.weights[row as usize];
            *weight = left;
        }
        if !ENTROPY {
            return self.weigh_squares(node, order);
        }
        for (group, (lanes, total)) in node.lanes.chunks_exact(rows).zip(&node.totals).enumerate() {
            let mut left = Lanes::ZERO;
            for ((&row, cost), &weight) in order.iter().zip(&mut self.costs).zip(&self.weights) {
                left.add(&lanes[row as usize]);
                let of_group = f64::from(cost_of::<true>(&left, total, weight, node.weight));
                *cost = if group == 0 { of_group } else { *cost + of_group };
            }
        }
    }

    /// Gini's cost is, up to what all cuts of the node have in common, −(Σ a² / A + Σ b² / B), where a and b are the
    /// weights with each label on the left and on the right, and A and B those of all rows there. With t = a + b,
    /// Σ b² = Σ t² − 2 Σ t a + Σ a²; the last sum but one grows by a number a row, so only one is over labels.
    #[inline(always)]
    fn weigh_squares(&mut self, node: &Local, order: &[u32]) {
        let (rows, cuts) = (order.len(), order.len() - 1);
        self.squares.resize(cuts, 0.0);
        self.products.resize(cuts, 0);
        let mut left = 0;
        for (&row, product) in order.iter().zip(&mut self.products) {
            left += node.products[row as usize];
            *product = left;
        }
        for (group, lanes) in node.lanes.chunks_exact(rows).enumerate() {
            let mut left = Lanes::ZERO;
            for (&row, squares) in order.iter().zip(&mut self.squares) {
                left.add(&lanes[row as usize]);
                let of_group = sum_of_squares(&left);
                *squares = if group == 0 { of_group } else { *squares + of_group };
            }
        }
        let total = node.sum_of_squares();
        let sums = self.squares.iter().zip(&self.products).zip(&self.weights);
        for (cost, ((&squares, &product), &weight)) in self.costs.iter_mut().zip(sums) {
            *cost = gini(squares, total - 2.0 * product as f64 + squares, weight, node.weight);
        }
    }

    /// The same for a light node.
    #[inline(always)]
    fn weigh_light(&mut self, node: &Local, order: &[u32]) {
        let (rows, cuts) = (order.len(), order.len() - 1);
        self.light_squares.resize(cuts, 0);
        self.light_products.resize(cuts, 0);
        let (mut left_weight, mut left_product) = (0, 0);
        let sums = self.weights.iter_mut().zip(&mut self.light_products);
        for (&row, (weight, product)) in order.iter().zip(sums) {
            left_weight += node.weights[row as usize];
            left_product += node.light_products[row as usize];
            (*weight, *product) = (left_weight, left_product);
        }
        for (group, lanes) in node.light.chunks_exact(rows).enumerate() {
            let mut left = [0; LANES];
            for (&row, squares) in order.iter().zip(&mut self.light_squares) {
                let of_row = &lanes[row as usize];
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
            let squares = f64::from(squares);
            *cost = gini(squares, total - 2.0 * f64::from(product) + squares, weight, node.weight);
        }
    }
}

/// Cost of a split from the sums of squares on both sides.
#[inline(always)]
fn gini(left: f64, right: f64, left_weight: i32, weight: i32) -> f64 {
    let (left_weight, right_weight) = (f64::from(left_weight), f64::from(weight - left_weight));
    // Over one denominator, since a division takes longer than all else.
    -(left * right_weight + right * left_weight) / (left_weight * right_weight)
}

#[inline(always)]
pub(super) fn sum_of_squares(lanes: &Lanes) -> f64 {
    let mut eight = [0.0; LANES / 2];
    for lane in 0..LANES / 2 {
        let (a, b) = (f64::from(lanes.0[lane]), f64::from(lanes.0[lane + LANES / 2]));
        eight[lane] = a * a + b * b;
    }
    let mut four = [0.0; LANES / 4];
    for lane in 0..LANES / 4 {
        four[lane] = eight[lane] + eight[lane + LANES / 4];
    }
    (four[0] + four[2]) + (four[1] + four[3])
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

/// Cost of one split of the labels in one group of lanes, of gini as exact as [`Cuts`] has it.
#[inline(always)]
pub(super) fn cost_of_all<const ENTROPY: bool>(left: &Lanes, total: &Lanes, left_weight: i32, weight: i32) -> f64 {
    if ENTROPY {
        return f64::from(cost_of::<true>(left, total, left_weight, weight));
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

/// Cost of one split of the labels in one group of lanes: impurity times weight, on both sides.
#[inline(always)]
pub(super) fn cost_of<const ENTROPY: bool>(left: &Lanes, total: &Lanes, left_weight: i32, weight: i32) -> f32 {
    let right_weight = weight - left_weight;
    let (left_inverse, right_inverse) = (1.0 / left_weight as f32, 1.0 / right_weight as f32);
    let mut sums = [0.0_f32; LANES];
    for (lane, sum) in sums.iter_mut().enumerate() {
        let (with, of_right) = (left.0[lane], total.0[lane] - left.0[lane]);
        let of_left = mass::<ENTROPY>(with as f32, (left_weight - with) as f32, left_inverse);
        *sum = of_left + mass::<ENTROPY>(of_right as f32, (right_weight - of_right) as f32, right_inverse);
    }
    for half in [8, 4, 2, 1] {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
    }
    sums[0]
}

/// One random threshold for each feature of a tile, and what it costs.
pub(super) struct Thresholds<const W: usize> {
    /// Infinite where the feature is constant.
    pub(super) costs: [f32; W],
    pub(super) thresholds: [f32; W],
    pub(super) priorities: [u32; W],
    /// Weight of the rows up to the threshold.
    pub(super) weights: [i32; W],
}

impl<const W: usize> Thresholds<W> {
    /// The lowest cost; infinite if all features are constant.
    #[inline(always)]
    pub(super) fn lowest(&self) -> f32 {
        lowest(&self.costs, f32::INFINITY)
    }

    /// The feature of this cost that has the highest priority.
    #[inline(always)]
    pub(super) fn first_of(&self, cost: f32) -> usize {
        let mut priorities = [0; W];
        for j in 0..W {
            priorities[j] = if self.costs[j] == cost { self.priorities[j] } else { 0 };
        }
        let highest = priorities.iter().fold(0, |highest, &priority| priority.max(highest));
        (0..W).find(|&j| self.costs[j] == cost && self.priorities[j] == highest).expect("some feature has this cost")
    }
}

/// A node as [`thresholds`] looks at it.
pub(super) struct Node<'a> {
    pub(super) path: Path,
    /// Where each row begins in a tile.
    pub(super) places: &'a [u32],
    /// One a row.
    pub(super) weights: &'a [i32],
    pub(super) weight: i32,
    /// What the rows with each label weigh, for labels that some rows have and some do not: others cost nothing on either
    /// side of any split.
    pub(super) with: &'a [i32],
    /// Which of them each row has, one row after another.
    pub(super) labels: &'a [u32],
    /// Where those of each row end.
    pub(super) ends: &'a [u32],
}

impl Node<'_> {
    /// A label for each row, times the weights on both sides, is a whole number that f32 holds exactly.
    fn is_light(&self) -> bool {
        self.with.len() as f32 * (self.weight as f32).powi(3) < (1 << 26) as f32
    }
}

/// Draws and weighs the thresholds of some features, whose values for each place lie side by side in the tile. `room`
/// holds q rows of sums.
#[inline(always)]
pub(super) fn thresholds<const ENTROPY: bool, const W: usize>(
    node: &Node<'_>,
    tile: &[f32],
    features: &[u32; W],
    room: &mut [[i32; TILE]],
) -> Thresholds<W> {
    let (low, high) = ranges::<W>(tile, node.places);
    let mut drawn = Thresholds { costs: [0.0; W], thresholds: [0.0; W], priorities: [0; W], weights: [0; W] };
    for j in 0..W {
        let draw = node.path.draw(features[j]);
        drawn.thresholds[j] = threshold(low[j], high[j], draw.uniform);
        drawn.priorities[j] = draw.priority;
    }
    match *node.places {
        // Whatever parts two rows costs nothing.
        [first, _] => {
            let (values, [of_first, of_second]) = (at::<W>(tile, first), [node.weights[0], node.weights[1]]);
            for j in 0..W {
                drawn.weights[j] = if values[j] <= drawn.thresholds[j] { of_first } else { of_second };
            }
        }
        _ => {
            sum_left(node, tile, &mut drawn, room);
            match !ENTROPY && node.is_light() {
                true => weigh_by_squares(node, room, &mut drawn),
                false => weigh_by_masses::<ENTROPY, W>(node, room, &mut drawn),
            }
        }
    }
    for j in 0..W {
        drawn.costs[j] = if high[j] > low[j] + SAME { drawn.costs[j] } else { f32::INFINITY };
    }
    drawn
}

/// What each split costs, label by label.
#[inline(always)]
fn weigh_by_masses<const ENTROPY: bool, const W: usize>(
    node: &Node<'_>,
    sums: &[[i32; TILE]],
    drawn: &mut Thresholds<W>,
) {
    let (mut left_inverse, mut right_inverse) = ([0.0_f32; W], [0.0_f32; W]);
    for j in 0..W {
        left_inverse[j] = 1.0 / drawn.weights[j] as f32;
        right_inverse[j] = 1.0 / (node.weight - drawn.weights[j]) as f32;
    }
    for (left, &total) in sums.iter().zip(node.with) {
        for j in 0..W {
            let (with, of_right, weight) = (left[j], total - left[j], drawn.weights[j]);
            let of_left = mass::<ENTROPY>(with as f32, (weight - with) as f32, left_inverse[j]);
            let without = (node.weight - weight - of_right) as f32;
            drawn.costs[j] += of_left + mass::<ENTROPY>(of_right as f32, without, right_inverse[j]);
        }
    }
}

/// What each split of a light node costs by gini: the rows' labels, less the sum of squares over the weight on each side,
/// all over one denominator. Every number up to the division is exact, so that equally good splits cost the same.
#[inline(always)]
fn weigh_by_squares<const W: usize>(node: &Node<'_>, sums: &[[i32; TILE]], drawn: &mut Thresholds<W>) {
    let (mut of_left, mut of_right) = ([0.0_f32; W], [0.0_f32; W]);
    for (left, &total) in sums.iter().zip(node.with) {
        for j in 0..W {
            let left = left[j] as f32;
            let right = total as f32 - left;
            of_left[j] += left * left;
            of_right[j] += right * right;
        }
    }
    let (weight, labels) = (node.weight as f32, node.with.iter().sum::<i32>() as f32);
    for j in 0..W {
        let left = drawn.weights[j] as f32;
        let right = weight - left;
        let both = left * right;
        drawn.costs[j] = (labels * both - (of_left[j] * right + of_right[j] * left)) / both;
    }
}

/// A threshold between the smallest and the largest value, such that the largest is above it.
#[inline(always)]
pub(super) fn threshold(low: f32, high: f32, uniform: f32) -> f32 {
    let threshold = low + uniform * (high - low);
    if threshold < high { threshold } else { low }
}

/// Smallest and largest value of each feature.
#[inline(always)]
fn ranges<const W: usize>(tile: &[f32], places: &[u32]) -> ([f32; W], [f32; W]) {
    let (mut low, mut high) = ([f32::INFINITY; W], [f32::NEG_INFINITY; W]);
    for &place in places {
        let values = at::<W>(tile, place);
        for j in 0..W {
            low[j] = if values[j] < low[j] { values[j] } else { low[j] };
            high[j] = if values[j] > high[j] { values[j] } else { high[j] };
        }
    }
    (low, high)
}

/// Adds up the rows at or below each threshold: their weight, and the weight with each label.
#[inline(always)]
fn sum_left<const W: usize>(node: &Node<'_>, tile: &[f32], drawn: &mut Thresholds<W>, room: &mut [[i32; TILE]]) {
    room[..node.with.len()].iter_mut().for_each(|sums| sums[..W].fill(0));
    let thresholds = drawn.thresholds;
    let (mut weights, mut first) = ([0; W], 0);
    for ((&place, &end), &weight) in node.places.iter().zip(node.ends).zip(node.weights) {
        let values = at::<W>(tile, place);
        let mut part = [0; W];
        for j in 0..W {
            part[j] = if values[j] <= thresholds[j] { weight } else { 0 };
            weights[j] += part[j];
        }
        for &label in &node.labels[first..end as usize] {
            let sums = &mut room[label as usize][..W];
            for j in 0..W {
                sums[j] += part[j];
            }
        }
        first = end as usize;
    }
    drawn.weights = weights;
}

#[inline(always)]
fn at<const W: usize>(tile: &[f32], place: u32) -> &[f32; W] {
    let at = place as usize;
    tile[at..at + W].try_into().expect("a tile has its width at every place")
}

/// Smallest and largest value.
#[inline(always)]
pub(super) fn range(values: &[f32]) -> (f32, f32) {
    let (mut low, mut high) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
    let whole = values.chunks_exact(LANES);
    for (lane, &value) in whole.remainder().iter().enumerate() {
        (low[lane], high[lane]) = (value, value);
    }
    for some in whole {
        for lane in 0..LANES {
            low[lane] = if some[lane] < low[lane] { some[lane] } else { low[lane] };
            high[lane] = if some[lane] > high[lane] { some[lane] } else { high[lane] };
        }
    }
    let low = low.into_iter().fold(f32::INFINITY, |low, value| if value < low { value } else { low });
    (low, high.into_iter().fold(f32::NEG_INFINITY, |high, value| if value > high { value } else { high }))
}

/// The rows whose value is at most a threshold.
#[derive(Default)]
pub(super) struct Left {
    pub(super) count: usize,
    pub(super) weight: i32,
    /// One a group.
    pub(super) with: Vec<Lanes>,
}

impl Left {
    /// Adds them up.
    #[inline(always)]
    pub(super) fn sum(&mut self, threshold: f32, values: &[f32], node: &Local) {
        (self.count, self.weight) = (0, 0);
        for (&value, &weight) in values.iter().zip(&node.weights) {
            self.count += usize::from(value <= threshold);
            self.weight += if value <= threshold { weight } else { 0 };
        }
        self.with.clear();
        for lanes in node.lanes.chunks_exact(values.len()) {
            let mut sums = Lanes::ZERO;
            for (&value, row) in values.iter().zip(lanes) {
                let mask = -i32::from(value <= threshold);
                for lane in 0..LANES {
                    sums.0[lane] += row.0[lane] & mask;
                }
            }
            self.with.push(sums);
        }
    }
}
