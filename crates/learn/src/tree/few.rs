//! Best splits of a node of a few rows: what each way to part them costs is computed once, whatever the feature.

#![allow(clippy::needless_range_loop, reason = "lanes of several arrays side by side are plainer by index")]

use super::columns::SAME;
use super::kernel::cost_of_all;
use super::ranks::{Code, Ranked};
use super::rounding;
use super::rows::{Lanes, Local};
use super::split::{Best, Node, Scratch, Search, each};

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
    /// What is the best for each variant so far.
    taken: Vec<usize>,
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
    pub(super) fn best_of_few<const ENTROPY: bool, const W: usize, C: Code>(
        &self,
        node: &Node<'_>,
        ranked: &Ranked<C>,
        scratch: &mut Scratch,
    ) {
        let rows = node.rows.len();
        scratch.sets.weigh::<ENTROPY>(&scratch.local, rows);
        let all = (1_u16 << rows) - 1;
        scratch.sets.taken.resize(self.variants.len(), 0);
        let (mut count, mut all_constant) = (0, true);
        while count < self.drawn {
            let wanted = W.min(self.drawn - count);
            let features = scratch.draw::<W>(wanted);
            count += wanted;
            let mut ranks = [[C::ZERO; W]; ROWS];
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
        // Values, which memory has to be waited for, are looked at for the best alone.
        let Scratch { best, sets, .. } = scratch;
        for variant in each(node.variants) {
            let best = &mut best[variant];
            if best.exists() {
                best.threshold = self.threshold(node, best.feature, sets.taken[variant]);
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
            for &set in of_rows {
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
                // Of one feature the lowest threshold is taken, as if they were tried one after another.
                let by_luck = || match feature == best.feature {
                    true => set < taken,
                    false => node.path.draw(feature).priority > best.priority,
                };
                if is_lower || gain > best.gain || gain == best.gain && by_luck() {
                    let priority = node.path.draw(feature).priority;
                    *best = Best { cost, gain, priority, feature, threshold: f64::NAN };
                    margin = self.margin::<ENTROPY>(local, cost);
                    (taken, sets.taken[variant]) = (set, set);
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

    /// The threshold that sends a set of rows left.
    fn threshold(&self, node: &Node<'_>, feature: u32, set: usize) -> f64 {
        let column = self.columns.column(feature);
        let (mut below, mut above) = (f32::NEG_INFINITY, f32::INFINITY);
        for (place, &row) in node.rows.iter().enumerate() {
            let value = column[row as usize];
            if set >> place & 1 == 1 { below = below.max(value) } else { above = above.min(value) }
        }
        f64::from(below) / 2.0 + f64::from(above) / 2.0
    }
}
