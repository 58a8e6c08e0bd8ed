//! The split of one node: scikit-learn's `node_split_best` and `node_split_random`, for several limits on leaves at once.

use pulp::{Arch, Simd, WithSimd};

use super::code::Code;
use super::columns::Columns;
use super::criterion::Criterion;
use super::few::Sets;
use super::kernel::Cuts;
use super::params::Splitter;
use super::presorted::{Orders, Presorted};
use super::random_few;
use super::ranks::Ranks;
use super::room::{InRoom, Nears, Sorters};
use super::rows::{Labels, Local, Weights};
use super::values::TILE;
use crate::Cancel;
use crate::random::{IndexSampler, RandomKey};

/// Nodes of more numbers than this are worked on by several threads.
pub(super) const SHARED: usize = 200_000;

/// Variants that one growth can have: as many as a set has bits.
pub(super) const VARIANTS: usize = 64;

/// What a leaf must at least have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limits {
    pub(super) rows: usize,
    pub(super) weight: f64,
}

impl Limits {
    /// Every leaf has as much, since none is empty.
    pub(super) fn are_none(&self) -> bool {
        self.rows <= 1 && self.weight <= 0.0
    }
}

/// The best split so far, under one variant's limits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Best {
    pub(super) cost: f64,
    /// What scikit-learn would compare, where costs are too close to tell.
    pub(super) gain: f64,
    pub(super) priority: u32,
    pub(super) feature: u32,
    /// Of a best threshold, a row of the highest rank on the left.
    pub(super) edge: u32,
    /// Rows whose value is at most this go left.
    pub(super) threshold: f64,
}

impl Best {
    pub(super) const NONE: Self =
        Self { cost: f64::INFINITY, gain: f64::NEG_INFINITY, priority: 0, feature: u32::MAX, edge: 0, threshold: 0.0 };

    pub(super) fn exists(&self) -> bool {
        self.feature != u32::MAX
    }

    /// Of equally good features the one of the higher priority is taken, of equally good thresholds the first.
    #[inline(always)]
    pub(super) fn is_beaten_by(&self, cost: f64, priority: u32, feature: u32) -> bool {
        cost < self.cost || (cost == self.cost && priority > self.priority && feature != self.feature)
    }
}

/// A node that is to be split.
pub(super) struct Node<'a> {
    pub(super) path: RandomKey,
    /// Ascending.
    pub(super) rows: &'a [u32],
    pub(super) weight: f64,
    /// Bit v: a split under the limits of variant v is wanted.
    pub(super) variants: u64,
    /// Its branch was taken by [`Search::take`].
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
    /// The limits of each variant, at most [`VARIANTS`].
    pub(super) variants: &'a [Limits],
    /// Where it is asked for, what is found is not looked at any more.
    pub(super) cancel: Cancel,
}

/// Room that nodes use one after another.
pub(super) struct Scratch {
    /// What was found, one a variant.
    pub(super) best: Vec<Best>,
    pub(super) local: Local,
    pub(super) cuts: Cuts,
    pub(super) pool: IndexSampler,
    pub(super) sorter: Sorters,
    pub(super) sets: Sets,
    /// What rows weigh, and what they do with each label.
    pub(super) sums: Vec<[i32; TILE]>,
    pub(super) near: Nears,
    pub(super) tile: Vec<i32>,
    /// Where each row of the node begins in a tile.
    pub(super) places: Vec<u32>,
    /// What each counts for.
    pub(super) counts: Vec<u32>,
}

impl Scratch {
    pub(super) fn new(search: &Search<'_>) -> Self {
        Self {
            best: Vec::new(),
            local: Local::default(),
            cuts: Cuts::default(),
            pool: IndexSampler::new(search.columns.features()),
            sorter: Sorters::default(),
            sets: Sets::default(),
            sums: vec![[0; TILE]; 1 + search.labels.count()],
            near: Nears::default(),
            tile: Vec::new(),
            places: Vec::new(),
            counts: Vec::new(),
        }
    }

    /// Draws some features; lanes beyond them have none.
    pub(super) fn draw<const W: usize>(&mut self, wanted: usize) -> [u32; W] {
        let mut features = [u32::MAX; W];
        let next = || self.pool.next().expect("no more features are drawn than there are");
        features[..wanted].fill_with(next);
        features
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

    /// Copies the rows of a small branch; its nodes have to be split before another branch is taken.
    pub(super) fn take(&self, rows: &[u32], scratch: &mut Scratch) {
        let (columns, near) = (self.columns, &mut scratch.near);
        let features = columns.features();
        match self.splitter {
            Splitter::Random if self.takes_all() => near.keys.take_tiles(columns.tiles(), columns.rows(), rows),
            Splitter::Random => near.keys.take(columns.keys(), features, rows),
            Splitter::Best => match columns.ranks() {
                Ranks::Narrow(ranked) => u16::near(near).take(ranked.row_by_row(), features, rows),
                Ranks::Wide(ranked) => u32::near(near).take(ranked.row_by_row(), features, rows),
            },
        }
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
            (_, Some(Presorted::Narrow(orders))) => self.best_of_orders(node, orders, scratch),
            (_, Some(Presorted::Wide(orders))) => self.best_of_orders(node, orders, scratch),
            (Criterion::Gini, None) => self.arch.dispatch(SplitNode::<false> { search: self, node, scratch }),
            (_, None) => self.arch.dispatch(SplitNode::<true> { search: self, node, scratch }),
        }
    }

    fn best_of_orders<C: Code>(&self, node: &Node<'_>, orders: &Orders<C>, scratch: &mut Scratch) {
        match self.criterion {
            Criterion::Gini => self.best_of_all::<false, C>(node, orders, scratch),
            _ => self.best_of_all::<true, C>(node, orders, scratch),
        }
    }

    #[inline(always)]
    fn random_or_drawn<S: Simd, const ENTROPY: bool>(&self, simd: S, node: &Node<'_>, scratch: &mut Scratch) {
        match self.splitter {
            Splitter::Random if node.rows.len() <= random_few::ROWS => self.random_of_few::<ENTROPY>(node, scratch),
            Splitter::Random if self.takes_all() && node.near => self.random_of_all::<S, ENTROPY>(simd, node, scratch),
            Splitter::Random if self.drawn <= 16 => self.random_of_drawn::<S, ENTROPY, 16>(simd, node, scratch),
            Splitter::Random if self.drawn <= 48 => self.random_of_drawn::<S, ENTROPY, 48>(simd, node, scratch),
            Splitter::Random => self.random_of_drawn::<S, ENTROPY, TILE>(simd, node, scratch),
            Splitter::Best => match self.columns.ranks() {
                Ranks::Narrow(ranked) => self.best_of_ranked::<ENTROPY, u16>(node, ranked, scratch),
                Ranks::Wide(ranked) => self.best_of_ranked::<ENTROPY, u32>(node, ranked, scratch),
            },
        }
    }
}

/// Work to be done with the widest vectors that the machine has; a closure would not be compiled for them.
struct SplitNode<'a, const ENTROPY: bool> {
    search: &'a Search<'a>,
    node: &'a Node<'a>,
    scratch: &'a mut Scratch,
}

impl<const ENTROPY: bool> WithSimd for SplitNode<'_, ENTROPY> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.search.random_or_drawn::<S, ENTROPY>(simd, self.node, self.scratch);
    }
}

#[cfg(test)]
impl<'a> Search<'a> {
    /// Random thresholds of so many features at a node, by gini: what tests have in common.
    pub(super) fn random(
        columns: &'a Columns,
        labels: &'a Labels,
        weights: &'a Weights,
        drawn: usize,
        variants: &'a [Limits],
    ) -> Self {
        let (arch, criterion, splitter) = (Arch::new(), Criterion::Gini, Splitter::Random);
        Self { arch, columns, labels, weights, criterion, splitter, drawn, variants, cancel: Cancel::new() }
    }
}
