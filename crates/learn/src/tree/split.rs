//! The split of one node: scikit-learn's `node_split_best` and `node_split_random`, for several limits on leaves at once.

use pulp::{Arch, NullaryFnOnce};

use super::columns::{Columns, TILE};
use super::criterion::Criterion;
use super::kernel::{Cuts, Left};
use super::near::Near;
use super::params::Splitter;
use super::presorted::Presorted;
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
    pub(super) cost: f64,
    /// What scikit-learn would compare, where costs are too close to tell.
    pub(super) gain: f64,
    pub(super) priority: u32,
    pub(super) feature: u32,
    /// Rows whose value is at most this go left.
    pub(super) threshold: f64,
}

impl Best {
    pub(super) const NONE: Self =
        Self { cost: f64::INFINITY, gain: f64::NEG_INFINITY, priority: 0, feature: u32::MAX, threshold: 0.0 };

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
    pub(super) local: Local,
    pub(super) cuts: Cuts,
    pub(super) pool: Pool,
    pub(super) sorter: Sorter,
    pub(super) order: Vec<u32>,
    pub(super) values: Vec<f32>,
    pub(super) sums: Vec<[i32; TILE]>,
    pub(super) left: Left,
    pub(super) near: Near,
    pub(super) tile: Vec<f32>,
    /// Where each row of the node begins in a tile.
    pub(super) places: Vec<u32>,
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
            (Splitter::Random, false) if node.near && self.drawn <= 16 => {
                self.random_near::<ENTROPY, 16>(node, scratch)
            }
            (Splitter::Random, false) if node.near && self.drawn <= 48 => {
                self.random_near::<ENTROPY, 48>(node, scratch)
            }
            (Splitter::Random, false) if node.near => self.random_near::<ENTROPY, TILE>(node, scratch),
            _ => {
                scratch.pool.begin(node.path);
                self.of_drawn::<ENTROPY>(node, scratch, 0);
            }
        }
    }

    /// Features in random order, of which some are drawn already: so many, and on until one is found that is not constant.
    #[inline(always)]
    pub(super) fn of_drawn<const ENTROPY: bool>(&self, node: &Node<'_>, scratch: &mut Scratch, mut drawn: usize) {
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
