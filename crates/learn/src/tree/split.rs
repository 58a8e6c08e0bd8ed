//! The split of one node: scikit-learn's `node_split_best` and `node_split_random`, for several limits on leaves at once.

use pulp::{Arch, NullaryFnOnce};
use rayon::prelude::*;

use super::columns::{Columns, SAME, TILE};
use super::criterion::Criterion;
use super::kernel::{self, Cuts, Left, Thresholds, lowest};
use super::near::Near;
use super::params::Splitter;
use super::presorted::{Part, Presorted};
use super::rows::{Labels, Local, Weights};
use super::sort::Sorter;
use crate::random::{Path, Pool};

/// Nodes of more numbers than this are worked on by several threads.
pub(super) const SHARED: usize = 200_000;

/// What a leaf must at least have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limits {
    pub(super) rows: usize,
    pub(super) weight: f64,
}

/// The best split so far, under one variant's limits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Best {
    cost: f64,
    /// What scikit-learn would compare, where costs are too close to tell.
    gain: f64,
    priority: u32,
    pub(super) feature: u32,
    /// Rows whose value is at most this go left.
    pub(super) threshold: f64,
}

impl Best {
    const NONE: Self =
        Self { cost: f64::INFINITY, gain: f64::NEG_INFINITY, priority: 0, feature: u32::MAX, threshold: 0.0 };

    pub(super) fn exists(&self) -> bool {
        self.feature != u32::MAX
    }

    /// Of equally good features the one of the higher priority is taken, of equally good thresholds the first.
    #[inline(always)]
    fn is_beaten_by(&self, cost: f64, priority: u32, feature: u32) -> bool {
        cost < self.cost || (cost == self.cost && priority > self.priority && feature != self.feature)
    }
}

/// A node that is to be split.
pub(super) struct Node<'a> {
    pub(super) path: Path,
    /// Ascending.
    pub(super) rows: &'a [u32],
    pub(super) weight: f64,
    /// Bit v: a split under the limits of variant v is wanted.
    pub(super) variants: u64,
    /// Its branch was taken by [`Scratch::take`].
    pub(super) near: bool,
}

/// What all nodes of a growth have in common.
pub(super) struct Search<'a> {
    pub(super) arch: Arch,
    pub(super) columns: &'a Columns,
    pub(super) labels: &'a Labels,
    pub(super) weights: &'a Weights,
    pub(super) criterion: Criterion,
    pub(super) splitter: Splitter,
    /// Features drawn at a node.
    pub(super) drawn: usize,
    /// The limits of each variant, at most 64.
    pub(super) variants: &'a [Limits],
}

/// Room that nodes use one after another.
pub(super) struct Scratch {
    /// What was found, one a variant.
    pub(super) best: Vec<Best>,
    local: Local,
    cuts: Cuts,
    pool: Pool,
    sorter: Sorter,
    order: Vec<u32>,
    values: Vec<f32>,
    sums: Vec<[i32; TILE]>,
    left: Left,
    near: Near,
    tile: Vec<f32>,
    /// Where each row of the node begins in a tile.
    places: Vec<u32>,
}

impl Scratch {
    pub(super) fn new(search: &Search<'_>) -> Self {
        Self {
            best: Vec::new(),
            local: Local::default(),
            cuts: Cuts::default(),
            pool: Pool::new(search.columns.features()),
            sorter: Sorter::new(search.columns.rows()),
            order: Vec::new(),
            values: Vec::new(),
            sums: vec![[0; TILE]; search.labels.count()],
            left: Left::default(),
            near: Near::new(search.columns),
            tile: Vec::new(),
            places: Vec::new(),
        }
    }

    /// Copies the rows of a small branch; its nodes have to be split before another branch is taken.
    pub(super) fn take(&mut self, columns: &Columns, rows: &[u32]) {
        self.near.take(columns, rows);
    }
}

/// The variants in a set of bits.
pub(super) fn each(mut variants: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let variant = (variants != 0).then(|| variants.trailing_zeros() as usize)?;
        variants &= variants - 1;
        Some(variant)
    })
}

impl Search<'_> {
    /// Whether every feature is looked at at every node.
    pub(super) fn takes_all(&self) -> bool {
        self.drawn >= self.columns.features()
    }

    /// Writes the best split for each variant into `scratch.best`. `presorted` holds the orders of the node's rows, where
    /// the best thresholds of all features are wanted. Of equally good splits a random one is taken, so that none is
    /// preferred over many seeds.
    pub(super) fn split(&self, node: &Node<'_>, presorted: Option<&Presorted>, scratch: &mut Scratch) {
        scratch.best.clear();
        scratch.best.resize(self.variants.len(), Best::NONE);
        scratch.local.fill(node.rows, node.weight, self.weights, self.labels);
        scratch.cuts.gains.begin();
        match (self.criterion, presorted) {
            (Criterion::Gini, Some(presorted)) => self.best_of_all::<false>(node, presorted, scratch),
            (_, Some(presorted)) => self.best_of_all::<true>(node, presorted, scratch),
            (Criterion::Gini, None) => self.arch.dispatch(SplitNode::<false> { search: self, node, scratch }),
            (_, None) => self.arch.dispatch(SplitNode::<true> { search: self, node, scratch }),
        }
    }

    #[inline(always)]
    fn random_or_drawn<const ENTROPY: bool>(&self, node: &Node<'_>, scratch: &mut Scratch) {
        match (self.splitter, self.takes_all()) {
            (Splitter::Random, true) => self.random_of_all::<ENTROPY>(node, scratch),
            (Splitter::Random, false) if node.near && self.drawn <= 16 => self.random_near::<ENTROPY, 16>(node, scratch),
            (Splitter::Random, false) if node.near && self.drawn <= 48 => self.random_near::<ENTROPY, 48>(node, scratch),
            (Splitter::Random, false) if node.near => self.random_near::<ENTROPY, TILE>(node, scratch),
            _ => {
                scratch.pool.begin(node.path);
                self.of_drawn::<ENTROPY>(node, scratch, 0);
            }
        }
    }

    fn best_of_all<const ENTROPY: bool>(&self, node: &Node<'_>, presorted: &Presorted, scratch: &mut Scratch) {
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
            if lowest(&cuts.costs[from..to]) > best.cost + margin(best.cost) {
                continue;
            }
            for at in from..to {
                let (cost, margin) = (cuts.costs[at], margin(best.cost));
                if cost > best.cost + margin || !local.weighs_enough(cuts.weights[at], limits.weight) {
                    continue;
                }
                let differ = || value(at + 1) > value(at) + SAME;
                let is_lower = cost < best.cost - margin;
                if is_lower && !differ() {
                    continue;
                }
                let gain = cuts.gains.of(self, node, local, &order[..=at]);
                let by_luck = gain == best.gain && priority > best.priority && feature != best.feature;
                // Most ties are lost: values, which memory has to be waited for, are looked at last.
                if is_lower || (gain > best.gain || by_luck) && differ() {
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
            (true, true) => 4e-6 * f64::from(local.weight),
        }
    }

    /// One random threshold of each feature, tile by tile.
    #[inline(always)]
    fn random_of_all<const ENTROPY: bool>(&self, node: &Node<'_>, scratch: &mut Scratch) {
        let Scratch { best, local, sums, near, places, .. } = scratch;
        places.clear();
        if node.near {
            places.extend(node.rows.iter().map(|&row| near.place(row)));
            self.random_of_tiles::<ENTROPY>(node, near.tiles(), places, local, sums, best);
        } else {
            places.extend(node.rows.iter().map(|&row| row * TILE as u32));
            self.random_of_tiles::<ENTROPY>(node, self.columns.tiles(), places, local, sums, best);
        }
    }

    #[inline(always)]
    fn random_of_tiles<'t, const ENTROPY: bool>(
        &self,
        node: &Node<'_>,
        tiles: impl Iterator<Item = &'t [f32]>,
        places: &[u32],
        local: &Local,
        sums: &mut [[i32; TILE]],
        best: &mut [Best],
    ) {
        let seen = local.seen(node.path, node.rows, places, self.labels);
        for (tile, first) in tiles.zip((0..).step_by(TILE)) {
            let features = std::array::from_fn(|j| first + j as u32);
            let drawn = kernel::thresholds::<ENTROPY, TILE>(&seen, tile, &features, sums);
            self.offer(node, local, &features, &drawn, best);
        }
    }

    /// One random threshold of each drawn feature of a small node, side by side.
    #[inline(always)]
    fn random_near<const ENTROPY: bool, const W: usize>(&self, node: &Node<'_>, scratch: &mut Scratch) {
        scratch.pool.begin(node.path);
        let (mut count, mut all_constant) = (0, true);
        while count < self.drawn {
            let mut features = [u32::MAX; W];
            let wanted = W.min(self.drawn - count);
            features[..wanted].iter_mut().for_each(|feature| *feature = scratch.pool.next().unwrap_or(u32::MAX));
            count += wanted;
            let Scratch { best, local, sums, near, tile, places, .. } = &mut *scratch;
            // Lanes without a feature stay 0, so they are constant.
            tile.clear();
            tile.resize(node.rows.len() * W, 0.0);
            for (lane, &feature) in features[..wanted].iter().enumerate() {
                let values = near.feature(feature);
                for (value, &row) in tile[lane..].iter_mut().step_by(W).zip(node.rows) {
                    *value = values[near.place(row) as usize];
                }
            }
            places.clear();
            places.extend((0..node.rows.len() as u32).map(|at| at * W as u32));
            let seen = local.seen(node.path, node.rows, places, self.labels);
            let drawn = kernel::thresholds::<ENTROPY, W>(&seen, tile, &features, sums);
            all_constant &= drawn.lowest() == f32::INFINITY;
            self.offer(node, local, &features, &drawn, best);
        }
        if all_constant {
            self.of_drawn::<ENTROPY>(node, scratch, count);
        }
    }

    /// Keeps the best of some random thresholds.
    #[inline(always)]
    fn offer<const W: usize>(
        &self,
        node: &Node<'_>,
        local: &Local,
        features: &[u32; W],
        drawn: &Thresholds<W>,
        best: &mut [Best],
    ) {
        let lowest = f64::from(drawn.lowest());
        for variant in each(node.variants) {
            let (limits, best) = (self.variants[variant], &mut best[variant]);
            if lowest > best.cost || lowest == f64::INFINITY {
                continue;
            }
            for j in 0..W {
                let (cost, priority, feature) = (f64::from(drawn.costs[j]), drawn.priorities[j], features[j]);
                let left = drawn.counts[j] as usize;
                if best.is_beaten_by(cost, priority, feature)
                    && cost < f64::INFINITY
                    && left >= limits.rows
                    && node.rows.len() - left >= limits.rows
                    && local.weighs_enough(drawn.weights[j], limits.weight)
                {
                    let threshold = f64::from(drawn.thresholds[j]);
                    *best = Best { cost, gain: -cost, priority, feature, threshold };
                }
            }
        }
    }

    /// Features in random order, of which some are drawn already: so many, and on until one is found that is not constant.
    #[inline(always)]
    fn of_drawn<const ENTROPY: bool>(&self, node: &Node<'_>, scratch: &mut Scratch, mut drawn: usize) {
        scratch.local.lay_out(node.rows, self.labels);
        if self.splitter == Splitter::Best {
            scratch.sorter.begin(node.rows);
        }
        let mut all_constant = true;
        while drawn < self.drawn || all_constant {
            let Some(feature) = scratch.pool.next() else { break };
            let of = (feature, node.path.draw(feature).priority);
            let varies = match self.splitter {
                Splitter::Best => self.best_of_one::<ENTROPY>(node, of, scratch),
                Splitter::Random => self.random_of_one::<ENTROPY>(node, of, scratch),
            };
            all_constant &= !varies;
            drawn += 1;
        }
        scratch.sorter.end(node.rows);
    }

    /// Tries every threshold of a feature; whether it is not constant.
    #[inline(always)]
    fn best_of_one<const ENTROPY: bool>(&self, node: &Node<'_>, of: (u32, u32), scratch: &mut Scratch) -> bool {
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

    /// Tries one random threshold of a feature; whether it is not constant.
    #[inline(always)]
    fn random_of_one<const ENTROPY: bool>(
        &self,
        node: &Node<'_>,
        (feature, priority): (u32, u32),
        scratch: &mut Scratch,
    ) -> bool {
        let Scratch { best, local, values, left, .. } = scratch;
        let column = self.columns.column(feature);
        values.clear();
        values.extend(node.rows.iter().map(|&row| column[row as usize]));
        let (low, high) = kernel::range(values);
        if high <= low + SAME {
            return false;
        }
        let threshold = kernel::threshold(low, high, node.path.draw(feature).uniform);
        left.sum(threshold, values, local);
        let groups = left.with.iter().zip(&local.totals);
        let cost_of = |(of, total)| kernel::cost_of::<ENTROPY>(of, total, left.weight, local.weight);
        let cost = f64::from(groups.map(cost_of).sum::<f32>());
        for variant in each(node.variants) {
            let (limits, best) = (self.variants[variant], &mut best[variant]);
            if best.is_beaten_by(cost, priority, feature)
                && left.count >= limits.rows
                && node.rows.len() - left.count >= limits.rows
                && local.weighs_enough(left.weight, limits.weight)
            {
                *best = Best { cost, gain: -cost, priority, feature, threshold: f64::from(threshold) };
            }
        }
        true
    }
}

/// Work to be done with the widest vectors that the machine has; a closure would not be compiled for them.
struct SplitNode<'a, const ENTROPY: bool> {
    search: &'a Search<'a>,
    node: &'a Node<'a>,
    scratch: &'a mut Scratch,
}

impl<const ENTROPY: bool> NullaryFnOnce for SplitNode<'_, ENTROPY> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.search.random_or_drawn::<ENTROPY>(self.node, self.scratch);
    }
}

/// The same for some of the features of a presorted node.
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
