//! One random threshold per feature, drawn and scored for all features of a tile at once.

#![allow(clippy::needless_range_loop, reason = "lanes of several arrays side by side are plainer by index")]

use pulp::Simd;

use super::criterion::weighted_impurity;
use super::lanes::{VECTOR_LANES, lowest};
use super::node_samples::NodeSamples;
use super::node_view::NodeView;
use super::values::{FEATURE_THRESHOLD, TILE_FEATURES, from_key};
use crate::random::RandomKey;

/// One random threshold for each feature of a tile: its cost, and the weight of the rows at or below it.
pub(super) struct RandomThresholds<'a, const WIDTH: usize> {
    pub(super) features: &'a [u32; WIDTH],
    /// Infinite where the feature is constant.
    pub(super) costs: [f32; WIDTH],
    pub(super) thresholds: [f32; WIDTH],
    pub(super) left_weights: [i32; WIDTH],
}

impl<const WIDTH: usize> RandomThresholds<'_, WIDTH> {
    /// The lowest cost; infinite if all features are constant.
    #[inline(always)]
    pub(super) fn lowest(&self) -> f32 {
        lowest(&self.costs, f32::INFINITY)
    }

    /// Among the features with this cost, the lane of the one with the highest priority at a node, and that priority.
    #[inline(always)]
    pub(super) fn winner(&self, cost: f32, path: RandomKey) -> (usize, u32) {
        let mut priorities = [0; WIDTH];
        for j in 0..WIDTH {
            let priority = path.draw(self.features[j]).priority;
            priorities[j] = if self.costs[j] == cost { priority } else { 0 };
        }
        let highest = priorities.iter().fold(0, |highest, &priority| priority.max(highest));
        let is_winner = |&j: &usize| self.costs[j] == cost && priorities[j] == highest;
        ((0..WIDTH).find(is_winner).expect("a feature has this cost"), highest)
    }
}

/// Draws and scores one threshold for each feature; a row of the tile holds the keys of their values. `sums` has room for
/// 1 + q rows of sums.
#[inline(always)]
pub(super) fn draw_thresholds<'a, S: Simd, const ENTROPY: bool, const WIDTH: usize>(
    simd: S,
    node: &NodeView<'_>,
    samples: &NodeSamples<'_>,
    tile: &[i32],
    features: &'a [u32; WIDTH],
    sums: &mut [[i32; TILE_FEATURES]],
) -> RandomThresholds<'a, WIDTH> {
    let (low, high) = ranges::<S, WIDTH>(simd, tile, samples.places);
    let (low, high) = (low.map(from_key), high.map(from_key));
    let mut drawn =
        RandomThresholds { features, costs: [0.0; WIDTH], thresholds: [0.0; WIDTH], left_weights: [0; WIDTH] };
    for j in 0..WIDTH {
        drawn.thresholds[j] = draw_threshold(low[j], high[j], node.path.draw(features[j]).uniform);
    }
    let sums = &mut sums[..=node.label_weights.len()];
    samples.sum_left(simd, tile, &drawn.thresholds, sums);
    drawn.left_weights.copy_from_slice(&sums[0][..WIDTH]);
    score::<ENTROPY, WIDTH>(node, &sums[1..], &drawn.left_weights, &mut drawn.costs);
    for j in 0..WIDTH {
        drawn.costs[j] = if high[j] > low[j] + FEATURE_THRESHOLD { drawn.costs[j] } else { f32::INFINITY };
    }
    drawn
}

/// Computes the costs of splits from the weight of the rows on the left, and of those among them with each label.
#[inline(always)]
pub(super) fn score<const ENTROPY: bool, const WIDTH: usize>(
    node: &NodeView<'_>,
    sums: &[[i32; TILE_FEATURES]],
    weights: &[i32; WIDTH],
    costs: &mut [f32; WIDTH],
) {
    match !ENTROPY && node.is_exact_in_f32() {
        true => score_exactly(node, sums, weights, costs),
        false => score_by_label::<ENTROPY, WIDTH>(node, sums, weights, costs),
    }
}

/// Adds the impurities of both sides label by label.
#[inline(always)]
fn score_by_label<const ENTROPY: bool, const WIDTH: usize>(
    node: &NodeView<'_>,
    sums: &[[i32; TILE_FEATURES]],
    weights: &[i32; WIDTH],
    costs: &mut [f32; WIDTH],
) {
    let (mut left_inverse, mut right_inverse) = ([0.0_f32; WIDTH], [0.0_f32; WIDTH]);
    for j in 0..WIDTH {
        left_inverse[j] = 1.0 / weights[j] as f32;
        right_inverse[j] = 1.0 / (node.weight - weights[j]) as f32;
    }
    for (left, &total) in sums.iter().zip(node.label_weights) {
        for j in 0..WIDTH {
            let (left_with, right_with, weight) = (left[j], total - left[j], weights[j]);
            let left = weighted_impurity::<ENTROPY>(left_with as f32, (weight - left_with) as f32, left_inverse[j]);
            let right_without = (node.weight - weight - right_with) as f32;
            costs[j] += left + weighted_impurity::<ENTROPY>(right_with as f32, right_without, right_inverse[j]);
        }
    }
}

/// Gini of a node whose sums `f32` holds: the labels' weight, less the sum of squares over the weight on each side, brought
/// to one denominator. Every number before the division is exact, so equally good splits have equal costs.
#[inline(always)]
fn score_exactly<const WIDTH: usize>(
    node: &NodeView<'_>,
    sums: &[[i32; TILE_FEATURES]],
    weights: &[i32; WIDTH],
    costs: &mut [f32; WIDTH],
) {
    let (mut left_squares, mut right_squares) = ([0.0_f32; WIDTH], [0.0_f32; WIDTH]);
    for (left, &total) in sums.iter().zip(node.label_weights) {
        for j in 0..WIDTH {
            let left = left[j] as f32;
            let right = total as f32 - left;
            left_squares[j] += left * left;
            right_squares[j] += right * right;
        }
    }
    let (weight, labels) = (node.weight as f32, node.label_weights.iter().sum::<i32>() as f32);
    for j in 0..WIDTH {
        let left = weights[j] as f32;
        let right = weight - left;
        let both = left * right;
        costs[j] = (labels * both - (left_squares[j] * right + right_squares[j] * left)) / both;
    }
}

/// A threshold between the smallest and the largest value; the largest is always above it.
#[inline(always)]
pub(super) fn draw_threshold(low: f32, high: f32, uniform: f32) -> f32 {
    let threshold = low + uniform * (high - low);
    if threshold < high { threshold } else { low }
}

/// Keys of the smallest and largest value of each feature.
#[inline(always)]
fn ranges<S: Simd, const WIDTH: usize>(simd: S, tile: &[i32], places: &[u32]) -> ([i32; WIDTH], [i32; WIDTH]) {
    let (mut low, mut high) = ([0; WIDTH], [0; WIDTH]);
    // With 16-lane registers, the extremes of all features stay in registers; with narrower ones, those of 16 features.
    let lanes = if S::I32_LANES == VECTOR_LANES { WIDTH } else { VECTOR_LANES };
    for first in (0..WIDTH).step_by(lanes) {
        let (low, high) = (&mut low[first..][..lanes], &mut high[first..][..lanes]);
        match lanes / S::I32_LANES {
            1 => extremes::<S, 1>(simd, &tile[first..], places, low, high),
            2 => extremes::<S, 2>(simd, &tile[first..], places, low, high),
            3 => extremes::<S, 3>(simd, &tile[first..], places, low, high),
            4 => extremes::<S, 4>(simd, &tile[first..], places, low, high),
            _ => extremes::<S, VECTOR_LANES>(simd, &tile[first..], places, low, high),
        }
    }
    (low, high)
}

/// The smallest and largest key of each feature in as many vectors.
#[inline(always)]
fn extremes<S: Simd, const VECTORS: usize>(simd: S, tile: &[i32], places: &[u32], low: &mut [i32], high: &mut [i32]) {
    let (mut lowest, mut highest) = ([simd.splat_i32s(i32::MAX); VECTORS], [simd.splat_i32s(i32::MIN); VECTORS]);
    for &place in places {
        let (keys, _) = S::as_simd_i32s(&tile[place as usize..][..low.len()]);
        let keys: &[S::i32s; VECTORS] = keys.first_chunk().expect("the vectors hold the lanes");
        for v in 0..VECTORS {
            lowest[v] = simd.select_i32s(simd.less_than_i32s(keys[v], lowest[v]), keys[v], lowest[v]);
            highest[v] = simd.select_i32s(simd.greater_than_i32s(keys[v], highest[v]), keys[v], highest[v]);
        }
    }
    S::as_mut_simd_i32s(low).0.copy_from_slice(&lowest);
    S::as_mut_simd_i32s(high).0.copy_from_slice(&highest);
}

#[cfg(test)]
mod tests {
    use pulp::Scalar;

    use super::*;

    fn ranges_are_right<S: Simd, const WIDTH: usize>(simd: S) {
        let draw = |place: usize| RandomKey::root(3, WIDTH as u64).draw(place as u32).priority as i32;
        let tile: Vec<i32> = (0..20 * WIDTH).map(draw).collect();
        let places: Vec<u32> = (0..20).filter(|row| row % 3 != 1).map(|row| row * WIDTH as u32).collect();
        let (low, high) = ranges::<S, WIDTH>(simd, &tile, &places);
        for j in 0..WIDTH {
            let keys = || places.iter().map(|&place| tile[place as usize + j]);
            assert_eq!((Some(low[j]), Some(high[j])), (keys().min(), keys().max()));
        }
    }

    fn ranges_of_every_width_are_right<S: Simd>(simd: S) {
        ranges_are_right::<S, 16>(simd);
        ranges_are_right::<S, 48>(simd);
        ranges_are_right::<S, TILE_FEATURES>(simd);
    }

    #[test]
    fn ranges_are_right_with_any_vectors() {
        ranges_of_every_width_are_right(Scalar::new());
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(simd) = pulp::x86::V3::try_new() {
                ranges_of_every_width_are_right(simd);
            }
            if let Some(simd) = pulp::x86::V4::try_new() {
                ranges_of_every_width_are_right(simd);
            }
        }
    }

    #[test]
    fn gini_is_exact_up_to_its_division_where_f32_holds_its_sums() {
        // Half of all rows have each label.
        const LABELS: usize = 10;
        const MAX_EXACT_WEIGHT: i32 = 188;
        const LABEL_WEIGHT: i32 = 94;
        let label_weights = [LABEL_WEIGHT; LABELS];
        let node = |weight| NodeView { path: RandomKey::root(1, 0), weight, scale: 1.0, label_weights: &label_weights };
        let heaviest = node(MAX_EXACT_WEIGHT);
        assert!(heaviest.is_exact_in_f32() && !node(MAX_EXACT_WEIGHT + 1).is_exact_in_f32());
        let draw = |place: usize| heaviest.path.draw(place as u32).priority as i32 & 0x7fff;
        let weights: [i32; TILE_FEATURES] = std::array::from_fn(|j| 1 + draw(j) % (MAX_EXACT_WEIGHT - 1));
        let sum = |label: usize, j: usize| {
            let (min, max) = ((LABEL_WEIGHT + weights[j] - MAX_EXACT_WEIGHT).max(0), LABEL_WEIGHT.min(weights[j]));
            min + draw(TILE_FEATURES * label + j) % (max - min + 1)
        };
        let sums: Vec<[i32; TILE_FEATURES]> =
            (1..=LABELS).map(|label| std::array::from_fn(|j| sum(label, j))).collect();
        let mut costs = [0.0; TILE_FEATURES];
        score_exactly(&heaviest, &sums, &weights, &mut costs);
        for j in 0..TILE_FEATURES {
            let (left, right) = (weights[j], MAX_EXACT_WEIGHT - weights[j]);
            let left_squares: i32 = sums.iter().map(|sum| sum[j].pow(2)).sum();
            let right_squares: i32 = sums.iter().map(|sum| (LABEL_WEIGHT - sum[j]).pow(2)).sum();
            let exact = LABELS as i32 * LABEL_WEIGHT * left * right - left_squares * right - right_squares * left;
            assert_eq!(costs[j], exact as f32 / (left * right) as f32, "{left} and {right}");
        }
    }
}
