//! Best splits of a node of a few rows: what each way to part them costs is computed once, whatever the feature.

#![allow(clippy::needless_range_loop, reason = "lanes of several arrays side by side are plainer by index")]

use super::kernel::cost_of_all;
use super::ranks::Ranked;
use super::room::InRoom;
use super::rounding;
use super::rows::{Lanes, Local};
use super::split::{Best, Node, Scratch, Search, each};
use super::values::SAME;

/// Most rows of such a node.
pub(super) const ROWS: usize = 8;

/// Ways to part a node's rows: bit i of a set says that row i goes left. Kept and filled again for the next node.
#[derive(Default)]
pub(super) struct Sets {
    costs: Vec<f64>,
    weights: Vec<i32>,
    lanes: Vec<Lanes>,
    /// What scikit-learn would compare; not a number until it is asked for.
    gains: Vec<f64>,
}

impl Sets {
    /// Weighs each set of the rows of a node.
    #[inline(always)]
    fn weigh<const ENTROPY: bool>(&mut self, local: &Local, rows: usize) {
        let (all, half) = (1 << rows, 1 << (rows - 1));
        self.weights.resize(all, 0);
        self.weights[0] = 0;
        for set in 1..all {
            self.weights[set] = self.weights[set & (set - 1)] + local.weights[set.trailing_zeros() as usize];
        }
        self.gains.clear();
        self.gains.resize(all, f64::NAN);
        self.costs.clear();
        self.costs.resize(all, 0.0);
        self.lanes.resize(half, Lanes::ZERO);
        for (of_rows, total) in local.lanes.chunks_exact(rows).zip(&local.totals) {
            self.lanes[0] = Lanes::ZERO;
            for set in 1..half {
                let mut left = self.lanes[set & (set - 1)];
                left.add(&of_rows[set.trailing_zeros() as usize]);
                self.lanes[set] = left;
                self.costs[set] += cost_of_all::<ENTROPY>(&left, total, self.weights[set], local.weight);
            }
        }
        // Both sides of a split cost the same the other way around.
        for set in 1..half {
            self.costs[all - 1 - set] = self.costs[set];
        }
    }

    #[inline]
    fn gain(&mut self, set: usize, search: &Search<'_>, node: &Node<'_>, local: &Local) -> f64 {
        if self.gains[set].is_nan() {
            let places = (0..node.rows.len() as u32).filter(|place| set >> place & 1 == 1);
            self.gains[set] = rounding::gain(search, node, local, &places.collect::<Vec<u32>>());
        }
        self.gains[set]
    }
}

impl Search<'_> {
    /// Tries every threshold of each drawn feature, many features side by side. The rows' weights are whole numbers, so that
    /// gains do not depend on the order of rows.
    #[inline(always)]
    pub(super) fn best_of_few<const ENTROPY: bool, const W: usize, C: InRoom>(
        &self,
        node: &Node<'_>,
        ranked: &Ranked<C>,
        scratch: &mut Scratch,
    ) {
        let rows = node.rows.len();
        scratch.sets.weigh::<ENTROPY>(&scratch.local, rows);
        let all = (1_u16 << rows) - 1;
        let (mut count, mut all_constant) = (0, true);
        while count < self.drawn {
            let wanted = W.min(self.drawn - count);
            let features = scratch.draw::<W>(wanted);
            count += wanted;
            let mut ranks = [[C::default(); W]; ROWS];
            let near = C::near(&mut scratch.near);
            for (lane, &feature) in features[..wanted].iter().enumerate() {
                let of_branch = near.feature(feature);
                for (ranks, &place) in ranks.iter_mut().zip(&scratch.places) {
                    ranks[lane] = of_branch[place as usize];
                }
            }
            let mut sets = [[0_u16; W]; ROWS];
            let mut least = [all; W];
            for i in 0..rows {
                for j in 0..rows {
                    for lane in 0..W {
                        sets[i][lane] |= u16::from(ranks[j][lane] <= ranks[i][lane]) << j;
                    }
                }
                for lane in 0..W {
                    least[lane] &= sets[i][lane];
                }
            }
            for (lane, &feature) in features[..wanted].iter().enumerate() {
                let is_plain = ranked.is_plain(feature);
                if is_plain && least[lane] == all || !is_plain && !self.varies(feature, node.rows) {
                    continue;
                }
                all_constant = false;
                let of_rows: [u16; ROWS] = match is_plain {
                    true => std::array::from_fn(|row| sets[row][lane]),
                    false => self.sets_by_value(feature, node.rows),
                };
                self.offer_sets::<ENTROPY>(node, feature, &of_rows[..rows], scratch);
            }
        }
        if all_constant {
            self.best_of_drawn::<ENTROPY, C>(node, ranked, scratch, count);
        }
    }

    /// Keeps the best of a feature's splits: for each row, that of the rows whose values are at most its own.
    #[inline(always)]
    fn offer_sets<const ENTROPY: bool>(&self, node: &Node<'_>, feature: u32, of_rows: &[u16], scratch: &mut Scratch) {
        let Scratch { best, local, sets, .. } = scratch;
        let rows = of_rows.len();
        for variant in each(node.variants) {
            let (limits, best) = (self.variants[variant], &mut best[variant]);
            let mut margin = self.margin::<ENTROPY>(local, best.cost);
            let mut taken = 0;
            for (&set, &edge) in of_rows.iter().zip(node.rows) {
                let (left, set) = (set.count_ones() as usize, usize::from(set));
                let cost = sets.costs[set];
                if cost > best.cost + margin
                    || left == rows
                    || left < limits.rows
                    || rows - left < limits.rows
                    || !local.weighs_enough(sets.weights[set], limits.weight)
                {
                    continue;
                }
                let is_lower = cost < best.cost - margin;
                let gain = sets.gain(set, self, node, local);
                // Of one feature, each of whose sets contains the one before, the lowest threshold is taken, as if they were
                // tried one after another.
                let by_luck = || match feature == best.feature {
                    true => set < taken,
                    false => node.path.draw(feature).priority > best.priority,
                };
                if is_lower || gain > best.gain || gain == best.gain && by_luck() {
                    let priority = node.path.draw(feature).priority;
                    *best = Best { cost, gain, priority, feature, edge, threshold: f64::NAN };
                    margin = self.margin::<ENTROPY>(local, cost);
                    taken = set;
                }
            }
        }
    }

    /// The sets of a feature whose ranks do not tell all. Rows that are too close to the next are in the set of all.
    fn sets_by_value(&self, feature: u32, rows: &[u32]) -> [u16; ROWS] {
        let column = self.columns.column(feature);
        let all = (1 << rows.len()) - 1;
        std::array::from_fn(|at| {
            let Some(&row) = rows.get(at) else { return all };
            let value = column[row as usize];
            let up_to = |most: f32| {
                let are_left = rows.iter().map(|&row| column[row as usize] <= most);
                are_left.enumerate().fold(0, |set, (place, is_left)| set | u16::from(is_left) << place)
            };
            let set = up_to(value);
            if set == up_to(value + SAME) { set } else { all }
        })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use pulp::Arch;

    use super::super::code::Code;
    use super::super::columns::{Columns, Layouts};
    use super::super::criterion::Criterion;
    use super::super::params::Splitter;
    use super::super::presorted::{Orders, Presorted};
    use super::super::rows::{Labels, Weights};
    use super::super::split::Limits;
    use super::*;
    use crate::Cancel;
    use crate::random::RandomKey;

    const FEATURES: usize = 20;
    const LABELS: usize = 18;

    /// Far, equal and nearly equal values; chains of nearly equal ones in every fifth column.
    fn value(draw: u32, feature: usize) -> f64 {
        match feature % 5 {
            0 => f64::from(draw % 1_000) / 100.0,
            1 => f64::from(draw % 3),
            2 => 0.5 + f64::from(draw % 2) * 5e-8 + f64::from(draw / 2 % 2),
            3 => f64::from(draw % 9) * 6e-8,
            _ => 4.0,
        }
    }

    fn ranks_of<C: Code>(columns: &Columns) -> Ranked<C> {
        Ranked::new(columns.values(), (columns.rows(), columns.features()), &Cancel::new())
    }

    fn ranked<C: InRoom, const ENTROPY: bool, const IS_FEW: bool>(search: &Search<'_>, node: &Node<'_>) -> Vec<Best> {
        let (mut scratch, ranked) = (Scratch::new(search), ranks_of::<C>(search.columns));
        scratch.best.resize(search.variants.len(), Best::NONE);
        scratch.local.fill(node.rows, node.weight, search.weights, search.labels);
        scratch.local.lay_out(node.rows, search.labels);
        let near = C::near(&mut scratch.near);
        near.take(ranked.row_by_row(), search.columns.features(), node.rows);
        near.look_up(node.rows, &mut scratch.places);
        scratch.pool.begin(node.path);
        match IS_FEW {
            true => search.best_of_few::<ENTROPY, 16, C>(node, &ranked, &mut scratch),
            false => search.best_of_drawn::<ENTROPY, C>(node, &ranked, &mut scratch, 0),
        }
        search.place_ranked(node, &ranked, &mut scratch.best);
        scratch.best
    }

    fn presorted<C: Code>(search: &Search<'_>, node: &Node<'_>, of: fn(Orders<C>) -> Presorted) -> Vec<Best> {
        let mut scratch = Scratch::new(search);
        search.split(node, Some(&of(Orders::root(search.columns, node.rows, &search.cancel))), &mut scratch);
        scratch.best
    }

    fn every_way_agrees<const ENTROPY: bool>(criterion: Criterion) {
        let mut splits = 0;
        for seed in 0..300 {
            let draw = |place: u32| RandomKey::root(seed, 0).draw(place).priority;
            let rows = 2 + seed as usize % (ROWS - 1);
            let records = Array2::from_shape_fn((40, FEATURES), |(row, feature)| {
                value(draw((row * FEATURES + feature) as u32), feature)
            });
            let targets =
                Array2::from_shape_fn((40, LABELS), |(row, label)| draw((row * 31 + label) as u32).is_multiple_of(4));
            let (columns, labels) = (
                Columns::new(records.view(), Layouts { values: true, ..Layouts::default() }, &Cancel::new()),
                Labels::new(targets.view()),
            );
            let weights = Weights::new((0..40).map(|row| f64::from(1 + draw(row) % 3)).collect(), LABELS);
            let of_node: Vec<u32> = (0..rows as u32).map(|row| row * 4 + 1).collect();
            let weight = of_node.iter().map(|&row| weights.of_rows[row as usize]).sum();
            let variants = [(1, 0.0), (2, 0.0), (1, 3.0)].map(|(rows, weight)| Limits { rows, weight });
            let search = Search {
                arch: Arch::new(),
                columns: &columns,
                labels: &labels,
                weights: &weights,
                criterion,
                splitter: Splitter::Best,
                drawn: FEATURES,
                variants: &variants,
                cancel: Cancel::new(),
            };
            let node = Node { path: RandomKey::root(seed, 1), rows: &of_node, weight, variants: 0b111, near: true };
            let found = |best: Vec<Best>| best.iter().map(|best| (best.feature, best.threshold)).collect::<Vec<_>>();
            let expected = found(presorted(&search, &node, Presorted::Narrow));
            assert_eq!(found(presorted(&search, &node, Presorted::Wide)), expected, "{seed}");
            assert_eq!(found(ranked::<u16, ENTROPY, true>(&search, &node)), expected, "{seed}");
            assert_eq!(found(ranked::<u32, ENTROPY, true>(&search, &node)), expected, "{seed}");
            assert_eq!(found(ranked::<u16, ENTROPY, false>(&search, &node)), expected, "{seed}");
            assert_eq!(found(ranked::<u32, ENTROPY, false>(&search, &node)), expected, "{seed}");
            splits += expected.iter().filter(|(feature, _)| *feature != u32::MAX).count();
        }
        assert!(splits > 500, "{splits}");
    }

    #[test]
    fn every_way_to_look_for_the_best_split_finds_the_same() {
        every_way_agrees::<false>(Criterion::Gini);
        every_way_agrees::<true>(Criterion::Entropy);
    }
}
