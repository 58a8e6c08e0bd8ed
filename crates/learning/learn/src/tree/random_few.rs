//! Random thresholds of a node of a few rows: what each way to part them costs is computed once, and features are looked at
//! in random order until no other could be better.

#![allow(clippy::needless_range_loop, reason = "lanes of several arrays side by side are plainer by index")]

use super::near::Near;
use super::split::{Best, Limits, Node, Scratch, Search, VARIANTS, each};
use super::thresholds::{Seen, threshold, weigh};
use super::values::{SAME, TILE, of_key, range};

/// Most rows of such a node: all ways to part them, whichever side is which, fit the lanes of a tile.
pub(super) const ROWS: usize = 1 + TILE.ilog2() as usize;

/// Ways to part a node's rows. Bit i of a set says that row i goes left; the last row goes right, since both sides of a
/// split cost the same the other way around.
struct Parts {
    rows: usize,
    costs: [f32; TILE],
    weights: [i32; TILE],
}

impl Parts {
    /// Weighs each set of the rows; `room` holds q rows of sums.
    #[inline(always)]
    fn of<const ENTROPY: bool>(
        rows: impl Iterator<Item = (i32, impl Iterator<Item = u32>)>,
        count: usize,
        node: &Seen<'_>,
        room: &mut [[i32; TILE]],
    ) -> Self {
        let mut parts = Self { rows: count, costs: [0.0; TILE], weights: [0; TILE] };
        let room = &mut room[..node.with.len()];
        room.iter_mut().for_each(|sums| sums[0] = 0);
        for (row, (weight, labels)) in rows.take(count - 1).enumerate() {
            // The sets with this row are those of the rows before it, and it.
            let half = 1 << row;
            for set in 0..half {
                parts.weights[half + set] = parts.weights[set] + weight;
            }
            room.iter_mut().for_each(|sums| sums.copy_within(..half, half));
            for label in labels {
                room[label as usize][half..2 * half].iter_mut().for_each(|sum| *sum += weight);
            }
        }
        match parts.rows {
            // Whatever parts two rows costs nothing.
            2 => {}
            3..=5 => parts.weigh::<ENTROPY, 16>(node, room),
            _ => parts.weigh::<ENTROPY, TILE>(node, room),
        }
        parts
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
        local.tell_apart();
        let seen = local.seen(node.path);
        let parts = Parts::of::<ENTROPY>(local.told_apart(node.rows, self.labels), node.rows.len(), &seen, sums);
        let mut lowest = [f32::INFINITY; VARIANTS];
        each(node.variants).for_each(|variant| lowest[variant] = parts.lowest(&self.variants[variant], &seen));
        let may_find = |variant: &usize| lowest[*variant] < f32::INFINITY;
        let mut wanted = each(node.variants).filter(may_find).fold(0, |set, variant| set | 1 << variant);
        pool.begin(node.path);
        let (mut drawn, mut all_constant) = (0, true);
        while wanted != 0 && (drawn < self.drawn || all_constant) {
            let Some(feature) = pool.next() else { break };
            drawn += 1;
            let values = self.of_few(node, feature, &near.keys);
            let (low, high) = range(values[..parts.rows].iter().copied());
            if high <= low + SAME {
                continue;
            }
            all_constant = false;
            let threshold = threshold(low, high, node.path.draw(feature).uniform);
            let set = parts.at(&values, threshold);
            let cost = parts.costs[set];
            for variant in each(wanted) {
                let best = &mut best[variant];
                if f64::from(cost) >= best.cost || !parts.fit(set, &self.variants[variant], &seen) {
                    continue;
                }
                let (gain, threshold) = (-f64::from(cost), f64::from(threshold));
                // Features come in random order, so that of equally good ones the first is taken.
                *best = Best { cost: -gain, gain, priority: 0, feature, edge: 0, threshold };
                if cost <= lowest[variant] {
                    wanted &= !(1 << variant);
                }
            }
        }
    }

    /// The values of a feature.
    #[inline(always)]
    fn of_few(&self, node: &Node<'_>, feature: u32, near: &Near<i32>) -> [f32; ROWS] {
        let mut values = [0.0; ROWS];
        let of_rows = values.iter_mut().zip(node.rows);
        if node.near {
            let keys = near.feature(feature);
            of_rows.for_each(|(value, &row)| *value = of_key(keys[near.place(row) as usize]));
        } else {
            let along = self.columns.along(feature);
            of_rows.for_each(|(value, &row)| *value = along.of(row));
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use pulp::Scalar;

    use super::super::columns::{Columns, Layouts};
    use super::super::members::Members;
    use super::super::rows::{Labels, Local, Weights};
    use super::super::thresholds::thresholds;
    use super::super::values::key;
    use super::*;
    use crate::Cancel;
    use crate::random::RandomKey;

    fn sets_cost_what_thresholds_do<const ENTROPY: bool>() {
        let draw = |place: u32| RandomKey::root(5, 0).draw(place).priority;
        for rows in 2..=ROWS {
            let values: Vec<[f32; ROWS]> =
                (0..TILE as u32).map(|j| std::array::from_fn(|row| draw(j * 8 + row as u32) as f32)).collect();
            let tile: Vec<i32> = (0..rows).flat_map(|row| values.iter().map(move |of| key(of[row]))).collect();
            let places: Vec<u32> = (0..rows).map(|row| (row * TILE) as u32).collect();
            let weights = (0..rows as u32).map(|row| f64::from(1 + draw(9_000 + row) % 1_000)).collect();
            // Label q is had by the rows whose number has bit q.
            let has = Array2::from_shape_fn((rows, 3), |(row, label)| row >> label & 1 == 1);
            let (weights, labels) = (Weights::new(weights, 3), Labels::new(has.view()));
            let (of_rows, mut local): (Vec<u32>, _) = ((0..rows as u32).collect(), Local::default());
            local.fill(&of_rows, weights.total, &weights, &labels);
            let mut counts = Vec::new();
            let form = local.write(&of_rows, &labels, &mut counts);
            let members = Members { places: &places, form, counts: &counts };
            let node = local.seen(RandomKey::root(rows as u64, 2));
            let (features, mut room) = (std::array::from_fn(|j| j as u32), vec![[0; TILE]; 4]);
            let drawn = thresholds::<_, ENTROPY, TILE>(Scalar::new(), &node, &members, &tile, &features, &mut room);
            let parts = Parts::of::<ENTROPY>(local.told_apart(&of_rows, &labels), rows, &node, &mut room);
            for j in 0..TILE {
                // Whatever parts two rows costs nothing, up to rounding.
                let cost = parts.costs[parts.at(&values[j], drawn.thresholds[j])];
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

    #[test]
    fn a_few_rows_are_split_as_cheaply_as_a_look_at_all_features_would() {
        const FEATURES: usize = 40;
        let draw = |place: usize| RandomKey::root(11, 0).draw(place as u32).priority;
        let records = Array2::from_shape_fn((60, FEATURES), |(row, feature)| f64::from(draw(row << 8 | feature) % 9));
        let targets = Array2::from_shape_fn((60, 5), |(row, label)| draw(1 << 20 | row << 4 | label).is_multiple_of(3));
        let layouts = Layouts { values: true, tiles: true, ..Layouts::default() };
        let columns = Columns::new(records.view(), layouts, &Cancel::new());
        let labels = Labels::new(targets.view());
        let weights = Weights::new((0..60).map(|row| f64::from(1 + draw(row) % 3)).collect(), 5);
        let variants = [(1, 0.0), (2, 0.0), (1, 3.0)].map(|(rows, weight)| Limits { rows, weight });
        for seed in 0..300 {
            let first = seed as usize % 50;
            let rows: Vec<u32> = (first as u32..).take(2 + seed as usize % (ROWS - 1)).collect();
            let search = Search::random(&columns, &labels, &weights, FEATURES, &variants);
            let weight = rows.iter().map(|&row| weights.of_rows[row as usize]).sum();
            let best = |variants: u64, near: bool, is_few: bool| {
                let node = Node { path: RandomKey::root(seed, 1), rows: &rows, weight, variants, near };
                let mut scratch = Scratch::new(&search);
                scratch.best.resize(3, Best::NONE);
                scratch.local.fill(&rows, weight, &weights, &labels);
                search.take(&rows, &mut scratch);
                match is_few {
                    true => search.random_of_few::<false>(&node, &mut scratch),
                    false => search.random_of_drawn::<_, false, TILE>(Scalar::new(), &node, &mut scratch),
                }
                scratch.best.into_iter().map(|best| (best.cost, best.feature, best.threshold)).collect::<Vec<_>>()
            };
            let (few, all) = (best(0b111, false, true), best(0b111, false, false));
            assert_eq!(few, best(0b111, true, true), "near and far");
            for variant in 0..3 {
                assert_eq!(few[variant], best(1 << variant, true, true)[variant], "alone");
                let apart = few[variant].0 - all[variant].0;
                // What parts two rows costs nothing, up to rounding.
                assert!(few[variant].0 == all[variant].0 || rows.len() == 2 && apart.abs() < 1e-3, "{few:?} {all:?}");
            }
        }
    }
}
