//! Random thresholds of a node of a few rows: what each way to part them costs is computed once, and features are looked at
//! in random order until no other could be better.

#![allow(clippy::needless_range_loop, reason = "lanes of several arrays side by side are plainer by index")]

use super::columns::{SAME, TILE, of_key};
use super::split::{Best, Limits, Node, Scratch, Search, VARIANTS, each};
use super::thresholds::{Seen, threshold, weigh};

/// Most rows of such a node: all ways to part them, whichever side is which, fit the lanes of a tile.
pub(super) const ROWS: usize = 1 + TILE.ilog2() as usize;

/// Ways to part a node's rows. Bit i of a set says that row i goes left; the last row goes right, since both sides of a
/// split cost the same the other way around.
pub(super) struct Sets {
    rows: usize,
    costs: [f32; TILE],
    weights: [i32; TILE],
}

impl Sets {
    /// Weighs each set of the rows; `room` holds q rows of sums.
    #[inline(always)]
    pub(super) fn of<const ENTROPY: bool>(node: &Seen<'_>, room: &mut [[i32; TILE]]) -> Self {
        let mut sets = Self { rows: node.weights.len(), costs: [0.0; TILE], weights: [0; TILE] };
        let room = &mut room[..node.with.len()];
        room.iter_mut().for_each(|sums| sums[0] = 0);
        for ((row, &weight), labels) in node.weights[..sets.rows - 1].iter().enumerate().zip(node.labels_of_rows()) {
            // The sets with this row are those of the rows before it, and it.
            let half = 1 << row;
            for set in 0..half {
                sets.weights[half + set] = sets.weights[set] + weight;
            }
            room.iter_mut().for_each(|sums| sums.copy_within(..half, half));
            for &label in labels {
                room[label as usize][half..2 * half].iter_mut().for_each(|sum| *sum += weight);
            }
        }
        match sets.rows {
            // Whatever parts two rows costs nothing.
            2 => {}
            3..=5 => sets.weigh::<ENTROPY, 16>(node, room),
            _ => sets.weigh::<ENTROPY, TILE>(node, room),
        }
        sets
    }

    #[inline(always)]
    fn weigh<const ENTROPY: bool, const W: usize>(&mut self, node: &Seen<'_>, sums: &[[i32; TILE]]) {
        let (weights, costs) = (self.weights.first_chunk().expect("W is at most"), self.costs.first_chunk_mut());
        weigh::<ENTROPY, W>(node, sums, weights, costs.expect("the width of a tile"));
    }

    /// The set of the rows that are at most the threshold, or of the others.
    #[inline(always)]
    fn at(&self, values: &[f32; ROWS], threshold: f32) -> usize {
        let set = (0..self.rows).fold(0, |set, row| set | usize::from(values[row] <= threshold) << row);
        let last = 1 << (self.rows - 1);
        if set & last == 0 { set } else { 2 * last - 1 - set }
    }

    /// Whether both sides are what a leaf has to be.
    #[inline(always)]
    fn fit(&self, set: usize, limits: &Limits, node: &Seen<'_>) -> bool {
        let rows = set.count_ones() as usize;
        limits.are_none()
            || rows >= limits.rows
                && self.rows - rows >= limits.rows
                && node.weighs_enough(self.weights[set], limits.weight)
    }

    /// The lowest cost of those that fit.
    #[inline(always)]
    fn lowest(&self, limits: &Limits, node: &Seen<'_>) -> f32 {
        let sets = 1..1 << (self.rows - 1);
        sets.filter(|&set| self.fit(set, limits, node)).fold(f32::INFINITY, |low, set| low.min(self.costs[set]))
    }
}

impl Search<'_> {
    /// One random threshold of each feature that is drawn, until each variant has a split that costs no more than any.
    #[inline(always)]
    pub(super) fn random_of_few<const ENTROPY: bool>(&self, node: &Node<'_>, scratch: &mut Scratch) {
        let Scratch { best, local, sums, near, pool, .. } = scratch;
        local.tell_apart(node.rows, self.labels);
        let seen = local.seen(node.path, &[]);
        let sets = Sets::of::<ENTROPY>(&seen, sums);
        let mut lowest = [f32::INFINITY; VARIANTS];
        let mut wanted = node.variants;
        for variant in each(node.variants) {
            lowest[variant] = sets.lowest(&self.variants[variant], &seen);
            if lowest[variant] == f32::INFINITY {
                wanted &= !(1 << variant);
            }
        }
        pool.begin(node.path);
        let (mut drawn, mut all_constant) = (0, true);
        while wanted != 0 && (drawn < self.drawn || all_constant) {
            let Some(feature) = pool.next() else { break };
            drawn += 1;
            let mut values = [0.0; ROWS];
            if node.near {
                let of_branch = near.keys.feature(feature);
                let of_row = |row: u32| of_key(of_branch[near.keys.place(row) as usize]);
                values.iter_mut().zip(node.rows).for_each(|(value, &row)| *value = of_row(row));
            } else {
                let column = self.columns.column(feature);
                values.iter_mut().zip(node.rows).for_each(|(value, &row)| *value = column[row as usize]);
            }
            let of_rows = &values[..node.rows.len()];
            let range = |(low, high): (f32, f32), &value: &f32| (low.min(value), high.max(value));
            let (low, high) = of_rows.iter().fold((f32::INFINITY, f32::NEG_INFINITY), range);
            if high <= low + SAME {
                continue;
            }
            all_constant = false;
            let threshold = threshold(low, high, node.path.draw(feature).uniform);
            let set = sets.at(&values, threshold);
            let cost = sets.costs[set];
            for variant in each(wanted) {
                let best = &mut best[variant];
                if f64::from(cost) < best.cost && sets.fit(set, &self.variants[variant], &seen) {
                    let (cost, threshold) = (f64::from(cost), f64::from(threshold));
                    *best = Best { cost, gain: -cost, priority: 0, feature, edge: 0, threshold };
                    if sets.costs[set] <= lowest[variant] {
                        wanted &= !(1 << variant);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::columns::key;
    use super::super::thresholds::thresholds;
    use super::*;
    use crate::random::Path;

    fn sets_cost_what_thresholds_do<const ENTROPY: bool>() {
        let draw = |place: u32| Path::root(5, 0).draw(place).priority;
        for rows in 2..=ROWS {
            let values: Vec<[f32; ROWS]> =
                (0..TILE as u32).map(|j| std::array::from_fn(|row| draw(j * 8 + row as u32) as f32)).collect();
            let tile: Vec<i32> = (0..rows).flat_map(|row| values.iter().map(move |of| key(of[row]))).collect();
            let places: Vec<u32> = (0..rows).map(|row| (row * TILE) as u32).collect();
            let weights: Vec<i32> = (0..rows as u32).map(|row| 1 + (draw(9_000 + row) % 1_000) as i32).collect();
            // Label q is had by the rows whose number has bit q.
            let has = |row: usize, label: u32| row >> label & 1 == 1;
            let of_row = |row: usize| (0..3).filter(move |&label| has(row, label));
            let labels: Vec<u32> = (0..rows).flat_map(of_row).collect();
            let ends: Vec<u32> = (1..=rows).map(|end| (0..end).flat_map(of_row).count() as u32).collect();
            let weight_with = |label| (0..rows).filter(|&row| has(row, label)).map(|row| weights[row]).sum();
            let with: Vec<i32> = (0..3).map(weight_with).collect();
            let (path, weight) = (Path::root(rows as u64, 2), weights.iter().sum());
            let (places, weights, with, labels, ends) = (&places, &weights, &with, &labels, &ends);
            let node = Seen { path, places, weights, weight, scale: 1.0, with, labels, ends };
            let (features, mut room) = (std::array::from_fn(|j| j as u32), vec![[0; TILE]; 3]);
            let drawn = thresholds::<ENTROPY, TILE>(&node, &tile, &features, &mut room);
            let sets = Sets::of::<ENTROPY>(&node, &mut room);
            for j in 0..TILE {
                // Whatever parts two rows costs nothing, up to rounding.
                let cost = sets.costs[sets.at(&values[j], drawn.thresholds[j])];
                let most = if rows == 2 { 1e-3 } else { 0.0 };
                assert!((cost - drawn.costs[j]).abs() <= most, "{rows} rows: {cost} and {}", drawn.costs[j]);
            }
        }
    }

    #[test]
    fn sets_of_rows_cost_what_the_thresholds_do_that_part_them_so() {
        sets_cost_what_thresholds_do::<false>();
        sets_cost_what_thresholds_do::<true>();
    }
}
