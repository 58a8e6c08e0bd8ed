//! Random thresholds of many features side by side: where they lie, and what parting a node's rows there costs. Weights are
//! whole numbers, as in [`super::kernel`].

#![allow(clippy::needless_range_loop, reason = "lanes of several arrays side by side are plainer by index")]

use super::columns::{SAME, TILE};
use super::criterion::mass;
use super::kernel::lowest;
use crate::random::Path;

/// Most rows of a node for which all ways to part them, whichever side is which, fit the lanes of a tile.
const FEW: usize = 1 + TILE.ilog2() as usize;

/// One random threshold for each feature of a tile, and what it costs.
pub(super) struct Thresholds<const W: usize> {
    /// Infinite where the feature is constant.
    pub(super) costs: [f32; W],
    pub(super) thresholds: [f32; W],
    pub(super) priorities: [u32; W],
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
pub(super) struct Seen<'a> {
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

impl Seen<'_> {
    /// Whether f32 holds what [`weigh_by_squares`] adds up exactly: with weights L and R on the two sides, of q labels at
    /// most q L R (L + R), which is at most a quarter of q (L + R)³.
    fn is_exact_in_f32(&self) -> bool {
        self.with.len() as u128 * (self.weight as u128).pow(3) < 1 << 26
    }

    /// The labels of each row.
    fn labels_of_rows(&self) -> impl Iterator<Item = &[u32]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(self.ends).map(|(start, &end)| &self.labels[start as usize..end as usize])
    }
}

/// What it costs to part the rows of a node of a few, whatever the feature. Bit i of a set says that row i is left; the last
/// row is right, since both sides of a split cost the same the other way around.
pub(super) struct SetCosts([f32; TILE]);

impl SetCosts {
    /// Weighs each set of the rows, where that pays: if they are few, but not so few that nothing has to be weighed, and
    /// logarithms are asked for. `room` holds q rows of sums.
    #[inline(always)]
    pub(super) fn of<const ENTROPY: bool>(node: &Seen<'_>, room: &mut [[i32; TILE]]) -> Option<Self> {
        if !ENTROPY || !(3..=FEW).contains(&node.places.len()) {
            return None;
        }
        let (mut weights, mut costs) = ([0; TILE], [0.0; TILE]);
        let room = &mut room[..node.with.len()];
        room.iter_mut().for_each(|sums| sums[0] = 0);
        let others = node.places.len() - 1;
        for ((row, &weight), labels) in node.weights[..others].iter().enumerate().zip(node.labels_of_rows()) {
            // The sets with this row are those of the rows before it, and it.
            let half = 1 << row;
            for set in 0..half {
                weights[half + set] = weights[set] + weight;
            }
            room.iter_mut().for_each(|sums| sums.copy_within(..half, half));
            for &label in labels {
                room[label as usize][half..2 * half].iter_mut().for_each(|sum| *sum += weight);
            }
        }
        weigh::<ENTROPY, TILE>(node, room, &weights, &mut costs);
        Some(Self(costs))
    }

    /// What the thresholds cost.
    #[inline(always)]
    fn look_up<const W: usize>(&self, node: &Seen<'_>, tile: &[f32], drawn: &mut Thresholds<W>) {
        let (&last, others) = node.places.split_last().expect("a node has rows");
        let thresholds = drawn.thresholds;
        let mut sets = [0_u32; W];
        for (row, &place) in others.iter().enumerate() {
            let values = at::<W>(tile, place);
            for j in 0..W {
                sets[j] |= u32::from(values[j] <= thresholds[j]) << row;
            }
        }
        let (all, values) = ((1 << others.len()) - 1, at::<W>(tile, last));
        for j in 0..W {
            let set = if values[j] <= thresholds[j] { all ^ sets[j] } else { sets[j] };
            drawn.costs[j] = self.0[set as usize % TILE];
        }
    }
}

/// Draws and weighs the thresholds of some features, whose values for each place lie side by side in the tile; by the sets
/// of the node's rows, where they were weighed. `room` holds q rows of sums.
#[inline(always)]
pub(super) fn thresholds<const ENTROPY: bool, const W: usize>(
    node: &Seen<'_>,
    tile: &[f32],
    features: &[u32; W],
    sets: Option<&SetCosts>,
    room: &mut [[i32; TILE]],
) -> Thresholds<W> {
    let (low, high) = ranges::<W>(tile, node.places);
    let mut drawn = Thresholds { costs: [0.0; W], thresholds: [0.0; W], priorities: [0; W] };
    for j in 0..W {
        let draw = node.path.draw(features[j]);
        drawn.thresholds[j] = threshold(low[j], high[j], draw.uniform);
        drawn.priorities[j] = draw.priority;
    }
    match sets {
        // Whatever parts two rows costs nothing.
        _ if node.places.len() == 2 => {}
        Some(sets) => sets.look_up(node, tile, &mut drawn),
        None => {
            let weights = sum_left(node, tile, &drawn.thresholds, room);
            weigh::<ENTROPY, W>(node, room, &weights, &mut drawn.costs);
        }
    }
    for j in 0..W {
        drawn.costs[j] = if high[j] > low[j] + SAME { drawn.costs[j] } else { f32::INFINITY };
    }
    drawn
}

/// What splits cost, of which the rows on the left have these weights, and these sums of them with each label.
#[inline(always)]
fn weigh<const ENTROPY: bool, const W: usize>(
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

/// Adds up the rows at or below each threshold: their weight, and into `room` the weight with each label.
#[inline(always)]
fn sum_left<const W: usize>(
    node: &Seen<'_>,
    tile: &[f32],
    thresholds: &[f32; W],
    room: &mut [[i32; TILE]],
) -> [i32; W] {
    room[..node.with.len()].iter_mut().for_each(|sums| sums[..W].fill(0));
    let (thresholds, mut weights, mut first) = (*thresholds, [0; W], 0);
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
    weights
}

#[inline(always)]
fn at<const W: usize>(tile: &[f32], place: u32) -> &[f32; W] {
    let at = place as usize;
    tile[at..at + W].try_into().expect("a tile has its width at every place")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_rows_cost_what_their_features_do() {
        let draw = |place: u32| Path::root(5, 0).draw(place).priority;
        for rows in 3..=FEW as u32 {
            let values: Vec<f32> = (0..rows * TILE as u32).map(|place| draw(place) as f32).collect();
            let places: Vec<u32> = (0..rows).map(|row| row * TILE as u32).collect();
            let weights: Vec<i32> = (0..rows).map(|row| 1 + (draw(9_000 + row) % 1_000) as i32).collect();
            // Label q is had by the rows whose number has bit q.
            let has = |row: u32, label: u32| row >> label & 1 == 1;
            let of_row = |row: u32| (0..3).filter(move |&label| has(row, label));
            let labels: Vec<u32> = (0..rows).flat_map(of_row).collect();
            let ends: Vec<u32> = (1..=rows).map(|end| (0..end).flat_map(of_row).count() as u32).collect();
            let with: Vec<i32> = (0..3)
                .map(|label| {
                    (0..rows).zip(&weights).filter(|(row, _)| has(*row, label)).map(|(_, weight)| weight).sum()
                })
                .collect();
            let node = Seen {
                path: Path::root(rows.into(), 2),
                places: &places,
                weights: &weights,
                weight: weights.iter().sum(),
                with: &with,
                labels: &labels,
                ends: &ends,
            };
            let (features, mut room) = (std::array::from_fn(|j| j as u32), vec![[0; TILE]; 3]);
            let sets = SetCosts::of::<true>(&node, &mut room);
            assert!(sets.is_some());
            let [by_sets, by_features] = [sets.as_ref(), None]
                .map(|sets| thresholds::<true, TILE>(&node, &values, &features, sets, &mut room).costs);
            assert_eq!(by_sets, by_features, "{rows} rows");
        }
    }

    #[test]
    fn gini_is_exact_up_to_its_division_where_f32_holds_it() {
        // Half of all rows have each label.
        const LABELS: usize = 10;
        const WEIGHT: i32 = 188;
        const WITH: i32 = 94;
        let with = [WITH; LABELS];
        let node = |weight| {
            let (path, places, weights, labels, ends) = (Path::root(1, 0), &[][..], &[][..], &[][..], &[][..]);
            Seen { path, places, weights, weight, with: &with, labels, ends }
        };
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
