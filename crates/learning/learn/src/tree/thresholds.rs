//! Random thresholds of many features side by side: where they lie, and what parting a node's rows there costs. Weights are
//! whole numbers, as in [`super::kernel`].

#![allow(clippy::needless_range_loop, reason = "lanes of several arrays side by side are plainer by index")]

use pulp::Simd;

use super::criterion::mass;
use super::kernel::lowest;
use super::members::Members;
use super::rows::{LANES, weigh_enough};
use super::values::{SAME, TILE, of_key};
use crate::random::RandomKey;

/// One random threshold for each feature of a tile, what the rows at or below it weigh, and what it costs.
pub(super) struct Thresholds<'a, const W: usize> {
    pub(super) features: &'a [u32; W],
    /// Infinite where the feature is constant.
    pub(super) costs: [f32; W],
    pub(super) thresholds: [f32; W],
    pub(super) weights: [i32; W],
}

impl<const W: usize> Thresholds<'_, W> {
    /// The lowest cost; infinite if all features are constant.
    #[inline(always)]
    pub(super) fn lowest(&self) -> f32 {
        lowest(&self.costs, f32::INFINITY)
    }

    /// Which of the features of this cost has the highest priority at a node, and that.
    #[inline(always)]
    pub(super) fn first_of(&self, cost: f32, path: RandomKey) -> (usize, u32) {
        let mut priorities = [0; W];
        for j in 0..W {
            let priority = path.draw(self.features[j]).priority;
            priorities[j] = if self.costs[j] == cost { priority } else { 0 };
        }
        let highest = priorities.iter().fold(0, |highest, &priority| priority.max(highest));
        let is_first = |&j: &usize| self.costs[j] == cost && priorities[j] == highest;
        ((0..W).find(is_first).expect("some feature has this cost"), highest)
    }
}

/// A node as [`thresholds`] looks at it.
pub(super) struct Seen<'a> {
    pub(super) path: RandomKey,
    pub(super) weight: i32,
    /// What a weight of 1 is in whole numbers.
    pub(super) scale: f64,
    /// What the rows with each label weigh, for labels that some rows have and some do not: others cost nothing on either
    /// side of any split.
    pub(super) with: &'a [i32],
}

impl Seen<'_> {
    /// Whether f32 holds what [`weigh_by_squares`] adds up exactly: with weights L and R on the two sides, of q labels at
    /// most q L R (L + R), which is at most a quarter of q (L + R)³.
    fn is_exact_in_f32(&self) -> bool {
        self.with.len() as u128 * (self.weight as u128).pow(3) < 1 << 26
    }

    /// Whether both sides of a split, the left one of this weight, weigh at least `least` of the rows' own weights.
    #[inline(always)]
    pub(super) fn weighs_enough(&self, left: i32, least: f64) -> bool {
        weigh_enough([left, self.weight - left], self.scale, least)
    }
}

/// Draws and weighs the thresholds of some features, the keys of whose values for each place lie side by side in the tile.
/// `room` holds 1 + q rows of sums.
#[inline(always)]
pub(super) fn thresholds<'a, S: Simd, const ENTROPY: bool, const W: usize>(
    simd: S,
    node: &Seen<'_>,
    members: &Members<'_>,
    tile: &[i32],
    features: &'a [u32; W],
    room: &mut [[i32; TILE]],
) -> Thresholds<'a, W> {
    let (low, high) = ranges::<S, W>(simd, tile, members.places);
    let (low, high) = (low.map(of_key), high.map(of_key));
    let mut drawn = Thresholds { features, costs: [0.0; W], thresholds: [0.0; W], weights: [0; W] };
    for j in 0..W {
        drawn.thresholds[j] = threshold(low[j], high[j], node.path.draw(features[j]).uniform);
    }
    let room = &mut room[..=node.with.len()];
    members.sum_left(simd, tile, &drawn.thresholds, room);
    drawn.weights.copy_from_slice(&room[0][..W]);
    weigh::<ENTROPY, W>(node, &room[1..], &drawn.weights, &mut drawn.costs);
    for j in 0..W {
        drawn.costs[j] = if high[j] > low[j] + SAME { drawn.costs[j] } else { f32::INFINITY };
    }
    drawn
}

/// What splits cost, of which the rows on the left have these weights, and these sums of them with each label.
#[inline(always)]
pub(super) fn weigh<const ENTROPY: bool, const W: usize>(
    node: &Seen<'_>,
    sums: &[[i32; TILE]],
    weights: &[i32; W],
    costs: &mut [f32; W],
) {
    match !ENTROPY && node.is_exact_in_f32() {
        true => weigh_by_squares(node, sums, weights, costs),
        false => weigh_by_masses::<ENTROPY, W>(node, sums, weights, costs),
    }
}

/// Label by label.
#[inline(always)]
fn weigh_by_masses<const ENTROPY: bool, const W: usize>(
    node: &Seen<'_>,
    sums: &[[i32; TILE]],
    weights: &[i32; W],
    costs: &mut [f32; W],
) {
    let (mut left_inverse, mut right_inverse) = ([0.0_f32; W], [0.0_f32; W]);
    for j in 0..W {
        left_inverse[j] = 1.0 / weights[j] as f32;
        right_inverse[j] = 1.0 / (node.weight - weights[j]) as f32;
    }
    for (left, &total) in sums.iter().zip(node.with) {
        for j in 0..W {
            let (with, of_right, weight) = (left[j], total - left[j], weights[j]);
            let of_left = mass::<ENTROPY>(with as f32, (weight - with) as f32, left_inverse[j]);
            let without = (node.weight - weight - of_right) as f32;
            costs[j] += of_left + mass::<ENTROPY>(of_right as f32, without, right_inverse[j]);
        }
    }
}

/// Gini of a node whose sums f32 holds: what the labels weigh, less the sum of squares over the weight on each side, all
/// over one denominator. Every number up to the division is exact, so that equally good splits cost the same.
#[inline(always)]
fn weigh_by_squares<const W: usize>(node: &Seen<'_>, sums: &[[i32; TILE]], weights: &[i32; W], costs: &mut [f32; W]) {
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
        let left = weights[j] as f32;
        let right = weight - left;
        let both = left * right;
        costs[j] = (labels * both - (of_left[j] * right + of_right[j] * left)) / both;
    }
}

/// A threshold between the smallest and the largest value, such that the largest is above it.
#[inline(always)]
pub(super) fn threshold(low: f32, high: f32, uniform: f32) -> f32 {
    let threshold = low + uniform * (high - low);
    if threshold < high { threshold } else { low }
}

/// Keys of the smallest and largest value of each feature.
#[inline(always)]
fn ranges<S: Simd, const W: usize>(simd: S, tile: &[i32], places: &[u32]) -> ([i32; W], [i32; W]) {
    let (mut low, mut high) = ([0; W], [0; W]);
    // Whole rows, where registers hold as many lanes.
    let lanes = if S::I32_LANES == LANES { W } else { LANES };
    for first in (0..W).step_by(lanes) {
        let (low, high) = (&mut low[first..][..lanes], &mut high[first..][..lanes]);
        match lanes / S::I32_LANES {
            1 => extremes::<S, 1>(simd, &tile[first..], places, low, high),
            2 => extremes::<S, 2>(simd, &tile[first..], places, low, high),
            3 => extremes::<S, 3>(simd, &tile[first..], places, low, high),
            4 => extremes::<S, 4>(simd, &tile[first..], places, low, high),
            _ => extremes::<S, LANES>(simd, &tile[first..], places, low, high),
        }
    }
    (low, high)
}

/// Smallest and largest of each lane of V vectors.
#[inline(always)]
fn extremes<S: Simd, const V: usize>(simd: S, tile: &[i32], places: &[u32], low: &mut [i32], high: &mut [i32]) {
    let (mut lowest, mut highest) = ([simd.splat_i32s(i32::MAX); V], [simd.splat_i32s(i32::MIN); V]);
    for &place in places {
        let (keys, _) = S::as_simd_i32s(&tile[place as usize..][..low.len()]);
        let keys: &[S::i32s; V] = keys.first_chunk().expect("V vectors hold the lanes");
        for v in 0..V {
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

    fn ranges_are_right<S: Simd, const W: usize>(simd: S) {
        let draw = |place: usize| RandomKey::root(3, W as u64).draw(place as u32).priority as i32;
        let tile: Vec<i32> = (0..20 * W).map(draw).collect();
        let places: Vec<u32> = (0..20).filter(|row| row % 3 != 1).map(|row| row * W as u32).collect();
        let (low, high) = ranges::<S, W>(simd, &tile, &places);
        for j in 0..W {
            let keys = || places.iter().map(|&place| tile[place as usize + j]);
            assert_eq!((Some(low[j]), Some(high[j])), (keys().min(), keys().max()));
        }
    }

    fn ranges_of_every_width_are_right<S: Simd>(simd: S) {
        ranges_are_right::<S, 16>(simd);
        ranges_are_right::<S, 48>(simd);
        ranges_are_right::<S, TILE>(simd);
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
    fn gini_is_exact_up_to_its_division_where_f32_holds_it() {
        // Half of all rows have each label.
        const LABELS: usize = 10;
        const WEIGHT: i32 = 188;
        const WITH: i32 = 94;
        let with = [WITH; LABELS];
        let node = |weight| Seen { path: RandomKey::root(1, 0), weight, scale: 1.0, with: &with };
        let most = node(WEIGHT);
        assert!(most.is_exact_in_f32() && !node(WEIGHT + 1).is_exact_in_f32());
        let draw = |place: usize| most.path.draw(place as u32).priority as i32 & 0x7fff;
        let weights: [i32; TILE] = std::array::from_fn(|j| 1 + draw(j) % (WEIGHT - 1));
        let sum = |label: usize, j: usize| {
            let (least, most) = ((WITH + weights[j] - WEIGHT).max(0), WITH.min(weights[j]));
            least + draw(TILE * label + j) % (most - least + 1)
        };
        let sums: Vec<[i32; TILE]> = (1..=LABELS).map(|label| std::array::from_fn(|j| sum(label, j))).collect();
        let mut costs = [0.0; TILE];
        weigh_by_squares(&most, &sums, &weights, &mut costs);
        for j in 0..TILE {
            let (left, right) = (weights[j], WEIGHT - weights[j]);
            let of_left: i32 = sums.iter().map(|of| of[j].pow(2)).sum();
            let of_right: i32 = sums.iter().map(|of| (WITH - of[j]).pow(2)).sum();
            let exact = LABELS as i32 * WITH * left * right - of_left * right - of_right * left;
            assert_eq!(costs[j], exact as f32 / (left * right) as f32, "{left} and {right}");
        }
    }
}
