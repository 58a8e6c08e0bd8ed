//! The best thresholds of features: scikit-learn's `node_split_best`.

use pulp::NullaryFnOnce;
use rayon::prelude::*;

use super::code::Code;
use super::few;
use super::kernel::{Cuts, at_most, lowest};
use super::presorted::{Orders, Part};
use super::ranks::Ranked;
use super::room::InRoom;
use super::rows::Local;
use super::split::{Best, Node, Scratch, Search, each};
use super::values::{SAME, TILE, range};

impl Search<'_> {
    /// Tries every threshold of every feature.
    pub(super) fn best_of_all<const ENTROPY: bool, C: Code>(
        &self,
        node: &Node<'_>,
        presorted: &Orders<C>,
        scratch: &mut Scratch,
    ) {
        let Scratch { best, local, cuts, .. } = scratch;
        local.lay_out(node.rows, self.labels);
        let local = &*local;
        let scan = |part: &Part<C>, cuts: &mut Cuts, best: &mut [Best]| {
            self.arch.dispatch(ScanPart::<ENTROPY, C> { search: self, node, local, part, cuts, best });
        };
        let of_part = |part: &Part<C>| {
            let mut best = vec![Best::NONE; self.variants.len()];
            scan(part, &mut Cuts::default(), &mut best);
            best
        };
        let shared = match presorted.is_shared() {
            true => presorted.parts().par_iter().map(of_part).collect(),
            false => {
                presorted.parts().iter().for_each(|part| scan(part, cuts, best));
                Vec::new()
            }
        };
        for found in shared {
            for (best, found) in best.iter_mut().zip(found) {
                let margin = self.margin::<ENTROPY>(local, best.cost);
                let by_luck = found.gain == best.gain && found.priority > best.priority;
                let close = found.cost <= best.cost + margin && (found.gain > best.gain || by_luck);
                if found.exists() && (found.cost < best.cost - margin || close) {
                    *best = found;
                }
            }
        }
        self.place_thresholds(node, best, |best, row| self.is_left_by_value(best, row));
    }

    /// Tries every threshold of each drawn feature.
    #[inline(always)]
    pub(super) fn best_of_ranked<const ENTROPY: bool, C: InRoom>(
        &self,
        node: &Node<'_>,
        ranked: &Ranked<C>,
        scratch: &mut Scratch,
    ) {
        scratch.pool.begin(node.path);
        scratch.local.lay_out(node.rows, self.labels);
        if node.near {
            C::near(&mut scratch.near).look_up(node.rows, &mut scratch.places);
        }
        match self.weights.whole && node.near && node.rows.len() <= few::ROWS {
            true if self.drawn <= 16 => self.best_of_few::<ENTROPY, 16, C>(node, ranked, scratch),
            true => self.best_of_few::<ENTROPY, TILE, C>(node, ranked, scratch),
            false => self.best_of_drawn::<ENTROPY, C>(node, ranked, scratch, 0),
        }
        self.place_ranked(node, ranked, &mut scratch.best);
    }

    /// Places the thresholds of what was found by rank.
    #[inline(always)]
    pub(super) fn place_ranked<C: Code>(&self, node: &Node<'_>, ranked: &Ranked<C>, best: &mut [Best]) {
        self.place_thresholds(node, best, |best, row| {
            let ranks = ranked.of(best.feature);
            match ranked.is_plain(best.feature) {
                true => ranks[row as usize] <= ranks[best.edge as usize],
                false => self.is_left_by_value(best, row),
            }
        });
    }

    /// Features in random order, of which some are drawn already: so many, and on until one is found that is not constant.
    #[inline(always)]
    pub(super) fn best_of_drawn<const ENTROPY: bool, C: InRoom>(
        &self,
        node: &Node<'_>,
        ranked: &Ranked<C>,
        scratch: &mut Scratch,
        mut drawn: usize,
    ) {
        let mut all_constant = true;
        while (drawn < self.drawn || all_constant) && !self.cancel.is_cancelled() {
            let Some(feature) = scratch.pool.next() else { break };
            all_constant &= !self.best_of_one::<ENTROPY, C>(node, ranked, feature, scratch);
            drawn += 1;
        }
    }

    /// Tries every threshold of a feature; whether it is not constant.
    #[inline(always)]
    fn best_of_one<const ENTROPY: bool, C: InRoom>(
        &self,
        node: &Node<'_>,
        ranked: &Ranked<C>,
        feature: u32,
        scratch: &mut Scratch,
    ) -> bool {
        let Scratch { best, local, cuts, sorter, near, places, .. } = scratch;
        let sorter = C::sorter(sorter);
        if node.near {
            let ranks = C::near(near).feature(feature);
            sorter.take(places.iter().map(|&place| ranks[place as usize]));
        } else {
            let ranks = ranked.of(feature);
            sorter.take(node.rows.iter().map(|&row| ranks[row as usize]));
        }
        let (low, high) = sorter.range();
        let is_plain = ranked.is_plain(feature);
        if is_plain && low == high || !is_plain && !self.varies(feature, node.rows) {
            return false;
        }
        if is_plain {
            sorter.sort(ranked.above());
            let sorted = &sorter.sorted;
            let differ = |at: usize| sorted[at] != sorted[at + 1];
            self.scan::<ENTROPY, u32>(node, local, feature, &sorter.order, differ, cuts, best);
        } else {
            let column = self.columns.column(feature);
            let value = |place: u32| column[node.rows[place as usize] as usize];
            sorter.by_value(node.rows.len(), value);
            let order = &sorter.order;
            let differ = |at: usize| value(order[at + 1]) > value(order[at]) + SAME;
            self.scan::<ENTROPY, u32>(node, local, feature, order, differ, cuts, best);
        }
        true
    }

    /// Places the thresholds of what was found, in the middle between the largest value on the left and the smallest on the
    /// right. Values, which memory has to be waited for, are looked at here alone.
    #[inline(always)]
    fn place_thresholds(&self, node: &Node<'_>, best: &mut [Best], is_left: impl Fn(&Best, u32) -> bool) {
        let mut last = Best::NONE;
        for best in best.iter_mut().filter(|best| best.exists()) {
            if (best.feature, best.edge) == (last.feature, last.edge) {
                best.threshold = last.threshold;
                continue;
            }
            let column = self.columns.column(best.feature);
            let (mut below, mut above) = (f32::NEG_INFINITY, f32::INFINITY);
            for &row in node.rows {
                let value = column[row as usize];
                if is_left(best, row) { below = below.max(value) } else { above = above.min(value) }
            }
            best.threshold = f64::from(below) / 2.0 + f64::from(above) / 2.0;
            last = *best;
        }
    }

    /// Whether a row goes left if all do whose values are at most that of the edge.
    fn is_left_by_value(&self, best: &Best, row: u32) -> bool {
        let column = self.columns.column(best.feature);
        column[row as usize] <= column[best.edge as usize]
    }

    /// Whether a feature is not constant for some rows.
    pub(super) fn varies(&self, feature: u32, rows: &[u32]) -> bool {
        let column = self.columns.column(feature);
        let (low, high) = range(rows.iter().map(|&row| column[row as usize]));
        high > low + SAME
    }

    /// Tries every threshold of a feature: every cut of the order between different values.
    #[inline(always)]
    #[allow(clippy::too_many_arguments, reason = "parts of the scratch that are in use side by side")]
    fn scan<const ENTROPY: bool, C: Code>(
        &self,
        node: &Node<'_>,
        local: &Local,
        feature: u32,
        order: &[C],
        differ: impl Fn(usize) -> bool,
        cuts: &mut Cuts,
        best: &mut [Best],
    ) {
        let priority = node.path.draw(feature).priority;
        cuts.weigh::<ENTROPY, C>(local, order);
        let Cuts { costs, weights, gains, .. } = cuts;
        let margin = |cost: f64| self.margin::<ENTROPY>(local, cost);
        for variant in each(node.variants) {
            let limits = self.variants[variant];
            let least = limits.rows.max(1);
            if 2 * least > order.len() {
                continue;
            }
            let (from, to) = (least - 1, order.len() - least);
            let costs = &costs[..to];
            let best = &mut best[variant];
            let low = lowest(&costs[from..], f64::INFINITY);
            let close = margin(best.cost);
            if low > best.cost + close {
                continue;
            }
            let leaves_fit = |at: usize| local.weighs_enough(weights[at], limits.weight);
            // A cut that costs more than the lowest one's margin gains less than it does. So among costs that are all close to
            // the best so far, it changes nothing to look at some more of them.
            let mut most = best.cost + close;
            if low < best.cost - close {
                // Nearly always the lowest cost of all is that of a cut.
                let is_cut = at_most(costs, from, low).any(|at| differ(at) && leaves_fit(at));
                let cuts = || at_most(costs, from, most).filter(|&at| differ(at) && leaves_fit(at));
                let low = if is_cut { low } else { cuts().map(|at| costs[at]).fold(most, f64::min) };
                most = most.min(low + margin(low));
            }
            for at in at_most(costs, from, most) {
                let cost = costs[at];
                let margin = margin(best.cost);
                let is_lower = cost < best.cost - margin;
                if cost > best.cost + margin || !leaves_fit(at) || is_lower && !differ(at) {
                    continue;
                }
                let gain = gains.of(self, node, local, &order[..=at]);
                let by_luck = gain == best.gain && priority > best.priority && feature != best.feature;
                // Most ties are lost: values, which memory has to be waited for, are looked at last.
                if is_lower || (gain > best.gain || by_luck) && differ(at) {
                    *best = Best {
                        cost,
                        gain,
                        priority,
                        feature,
                        edge: node.rows[order[at].number() as usize],
                        threshold: f64::NAN,
                    };
                }
            }
        }
    }

    /// How far costs may be apart that scikit-learn's arithmetic has to tell from each other.
    #[inline(always)]
    pub(super) fn margin<const ENTROPY: bool>(&self, local: &Local, cost: f64) -> f64 {
        match (cost.is_finite(), ENTROPY) {
            (false, _) => 0.0,
            (true, false) => 1e-11 * cost.abs(),
            (true, true) => 8e-6 * f64::from(local.weight) * (self.labels.count() as f64 / 10.0).max(1.0),
        }
    }
}

/// Work on some of the features of a presorted node, to be done with the widest vectors that the machine has.
struct ScanPart<'a, const ENTROPY: bool, C> {
    search: &'a Search<'a>,
    node: &'a Node<'a>,
    local: &'a Local,
    part: &'a Part<C>,
    cuts: &'a mut Cuts,
    best: &'a mut [Best],
}

impl<const ENTROPY: bool, C: Code> NullaryFnOnce for ScanPart<'_, ENTROPY, C> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (feature, order) in self.part.iter(self.node.rows.len()) {
            if self.search.cancel.is_cancelled() {
                return;
            }
            let column = self.search.columns.column(feature);
            let value = |at: usize| column[self.node.rows[order[at].number() as usize] as usize];
            let differ = |at: usize| value(at + 1) > value(at) + SAME;
            self.search.scan::<ENTROPY, C>(self.node, self.local, feature, order, differ, self.cuts, self.best);
        }
    }
}
