//! The best thresholds of features: scikit-learn's `node_split_best`.

use pulp::NullaryFnOnce;
use rayon::prelude::*;

use super::columns::SAME;
use super::kernel::{Cuts, lowest};
use super::presorted::{Part, Presorted};
use super::rows::Local;
use super::split::{Best, Node, Scratch, Search, each};

impl Search<'_> {
    /// Tries every threshold of every feature.
    pub(super) fn best_of_all<const ENTROPY: bool>(
        &self,
        node: &Node<'_>,
        presorted: &Presorted,
        scratch: &mut Scratch,
    ) {
        let Scratch { best, local, cuts, .. } = scratch;
        local.lay_out(node.rows, self.labels);
        let local = &*local;
        let scan = |part: &Part, cuts: &mut Cuts, best: &mut [Best]| {
            self.arch.dispatch(ScanPart::<ENTROPY> { search: self, node, local, part, cuts, best });
        };
        if !presorted.is_shared() {
            return presorted.parts().iter().for_each(|part| scan(part, cuts, best));
        }
        let of_part = |part: &Part| {
            let mut best = vec![Best::NONE; self.variants.len()];
            scan(part, &mut Cuts::default(), &mut best);
            best
        };
        for found in presorted.parts().par_iter().map(of_part).collect::<Vec<_>>() {
            for (best, found) in best.iter_mut().zip(found) {
                let margin = self.margin::<ENTROPY>(local, best.cost);
                let by_luck = found.gain == best.gain && found.priority > best.priority;
                let close = found.cost <= best.cost + margin && (found.gain > best.gain || by_luck);
                if found.exists() && (found.cost < best.cost - margin || close) {
                    *best = found;
                }
            }
        }
    }

    /// Tries every threshold of a feature; whether it is not constant.
    #[inline(always)]
    pub(super) fn best_of_one<const ENTROPY: bool>(
        &self,
        node: &Node<'_>,
        of: (u32, u32),
        scratch: &mut Scratch,
    ) -> bool {
        let Scratch { best, local, cuts, sorter, order, near, .. } = scratch;
        let (low, high) = if node.near {
            let values = near.feature(of.0);
            let value = |row: u32| values[near.place(row) as usize];
            sorter.sort(node.rows, value, order)
        } else {
            sorter.sort_many(self.columns, of.0, node.rows, order)
        };
        let varies = high > low + SAME;
        if varies {
            self.scan::<ENTROPY>(node, local, of, order, cuts, best);
        }
        varies
    }

    /// Tries every threshold of a feature: every cut of the order between different values.
    #[inline(always)]
    fn scan<const ENTROPY: bool>(
        &self,
        node: &Node<'_>,
        local: &Local,
        (feature, priority): (u32, u32),
        order: &[u32],
        cuts: &mut Cuts,
        best: &mut [Best],
    ) {
        cuts.weigh::<ENTROPY>(local, order);
        let Cuts { costs, weights, gains, .. } = cuts;
        let column = self.columns.column(feature);
        let value = |at: usize| column[node.rows[order[at] as usize] as usize];
        let margin = |cost: f64| self.margin::<ENTROPY>(local, cost);
        for variant in each(node.variants) {
            let limits = self.variants[variant];
            let least = limits.rows.max(1);
            if 2 * least > order.len() {
                continue;
            }
            let (from, to) = (least - 1, order.len() - least);
            let best = &mut best[variant];
            if lowest(&costs[from..to], f64::INFINITY) > best.cost + margin(best.cost) {
                continue;
            }
            let differ = |at: usize| value(at + 1) > value(at) + SAME;
            let leaves_fit = |at: usize| local.weighs_enough(weights[at], limits.weight);
            let mut low = best.cost + margin(best.cost);
            for (at, &cost) in (from..).zip(&costs[from..to]) {
                if cost < low && differ(at) && leaves_fit(at) {
                    low = cost;
                }
            }
            let bar = low + margin(low);
            for (at, &cost) in (from..).zip(&costs[from..to]) {
                let margin = margin(best.cost);
                let is_lower = cost < best.cost - margin;
                if cost > bar || cost > best.cost + margin || !leaves_fit(at) || is_lower && !differ(at) {
                    continue;
                }
                let gain = gains.of(self, node, local, &order[..=at]);
                let by_luck = gain == best.gain && priority > best.priority && feature != best.feature;
                // Most ties are lost: values, which memory has to be waited for, are looked at last.
                if is_lower || (gain > best.gain || by_luck) && differ(at) {
                    let threshold = f64::from(value(at)) / 2.0 + f64::from(value(at + 1)) / 2.0;
                    *best = Best { cost, gain, priority, feature, threshold };
                }
            }
        }
    }

    /// How far costs may be apart that scikit-learn's arithmetic has to tell from each other.
    #[inline(always)]
    fn margin<const ENTROPY: bool>(&self, local: &Local, cost: f64) -> f64 {
        match (cost.is_finite(), ENTROPY) {
            (false, _) => 0.0,
            (true, false) => 1e-11 * cost.abs(),
            (true, true) => 4e-6 * f64::from(local.weight) * (self.labels.count() as f64 / 10.0).max(1.0),
        }
    }
}

/// Work on some of the features of a presorted node, to be done with the widest vectors that the machine has.
struct ScanPart<'a, const ENTROPY: bool> {
    search: &'a Search<'a>,
    node: &'a Node<'a>,
    local: &'a Local,
    part: &'a Part,
    cuts: &'a mut Cuts,
    best: &'a mut [Best],
}

impl<const ENTROPY: bool> NullaryFnOnce for ScanPart<'_, ENTROPY> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (feature, order) in self.part.iter(self.node.rows.len()) {
            let of = (feature, self.node.path.draw(feature).priority);
            self.search.scan::<ENTROPY>(self.node, self.local, of, order, self.cuts, self.best);
        }
    }
}
