//! Growing several trees level by level, for random thresholds of all features: a stretch of features comes into the cache
//! once for all nodes of a level, where a tree grown branch by branch would bring in all features for each node.

use std::ops::Range;

use pulp::NullaryFnOnce;

use super::columns::TILE;
use super::criterion::Criterion;
use super::grow::{Grower, Grown, Growth, Open};
use super::near::Near;
use super::random_few;
use super::rows::Local;
use super::split::{Best, Scratch};
use super::thresholds::{Seen, thresholds};
use crate::random::Path;

/// Nodes of several trees, and what has to be known of their rows, one after another.
#[derive(Default)]
struct Level {
    nodes: Vec<Node>,
    /// One a row: where it begins in a tile, its weight, and where its labels end.
    places: Vec<u32>,
    weights: Vec<i32>,
    ends: Vec<u32>,
    labels: Vec<u32>,
    with: Vec<i32>,
    /// Nodes × variants.
    best: Vec<Best>,
}

/// A node: its tree, and its stretches of what the level knows.
struct Node {
    tree: usize,
    open: Open,
    rows: Range<usize>,
    labels: Range<usize>,
    with: Range<usize>,
    weight: i32,
    scale: f64,
}

/// Grows one tree from each root.
pub(super) fn grow(growers: &[Grower<'_>], roots: &[Path]) -> Result<Vec<Grown>, String> {
    let growths = growers.iter().zip(roots).map(|(grower, &root)| Growth::new(grower, root));
    let mut growths: Vec<Growth<'_>> = growths.collect::<Result<_, _>>()?;
    let Some(first) = growers.first() else { return Ok(Vec::new()) };
    let search = &first.search;
    let (mut scratch, mut level) = (Scratch::new(search), Level::default());
    loop {
        growths.iter_mut().enumerate().for_each(|(tree, growth)| level.take(tree, growth, &mut scratch));
        if level.nodes.is_empty() {
            return Ok(growths.into_iter().map(|growth| growth.grown).collect());
        }
        let work = (growers, &mut level, &mut scratch);
        match search.criterion {
            Criterion::Gini => search.arch.dispatch(Look::<false>(work)),
            _ => search.arch.dispatch(Look::<true>(work)),
        }
        level.part(&mut growths, &scratch.near.keys);
    }
}

impl Level {
    /// Takes a tree's open nodes; those of a few rows are split at once, and what is below them too.
    fn take(&mut self, tree: usize, growth: &mut Growth<'_>, scratch: &mut Scratch) {
        let search = &growth.grower.search;
        while let Some(open) = growth.open.pop() {
            let seen = growth.seen(&open);
            if seen.rows.len() > random_few::ROWS {
                scratch.local.fill(seen.rows, seen.weight, search.weights, search.labels);
                scratch.local.tell_apart(seen.rows, search.labels);
                self.places.extend(seen.rows.iter().map(|&row| row * TILE as u32));
                self.best.resize(self.best.len() + search.variants.len(), Best::NONE);
                self.push(tree, open, &scratch.local);
                continue;
            }
            search.split(&seen, None, scratch);
            split(growth, &open, &scratch.best, &scratch.near.keys);
        }
    }

    fn push(&mut self, tree: usize, open: Open, local: &Local) {
        let of = local.seen(open.path, &[]);
        let (rows, labels, with) = (self.weights.len(), self.labels.len(), self.with.len());
        self.weights.extend_from_slice(of.weights);
        self.ends.extend_from_slice(of.ends);
        self.labels.extend_from_slice(of.labels);
        self.with.extend_from_slice(of.with);
        let (rows, labels) = (rows..self.weights.len(), labels..self.labels.len());
        let with = with..self.with.len();
        self.nodes.push(Node { tree, open, rows, labels, with, weight: of.weight, scale: of.scale });
    }

    /// Goes on from its nodes, and forgets them.
    fn part(&mut self, growths: &mut [Growth<'_>], near: &Near<i32>) {
        let variants = self.best.len() / self.nodes.len();
        for (node, best) in self.nodes.drain(..).zip(self.best.chunks_exact(variants)) {
            split(&mut growths[node.tree], &node.open, best, near);
        }
        self.best.clear();
        self.places.clear();
        self.weights.clear();
        self.ends.clear();
        self.labels.clear();
        self.with.clear();
    }
}

/// Splits a node in all the ways that its variants want.
fn split(growth: &mut Growth<'_>, open: &Open, best: &[Best], near: &Near<i32>) {
    for way in growth.ways(open, best) {
        for child in growth.go(open, &way, near).into_iter().flatten() {
            growth.wait(child);
        }
    }
}

/// Random thresholds of a level's nodes, with the widest vectors that the machine has; a closure would not be compiled for
/// them.
struct Look<'a, 'g, const ENTROPY: bool>((&'a [Grower<'g>], &'a mut Level, &'a mut Scratch));

impl<const ENTROPY: bool> NullaryFnOnce for Look<'_, '_, ENTROPY> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let (growers, Level { nodes, places, weights, ends, labels, with, best }, scratch) = self.0;
        let variants = best.len() / nodes.len();
        for (tile, first) in growers[0].search.columns.tiles().zip((0..).step_by(TILE)) {
            let features = std::array::from_fn(|j| first + j as u32);
            for (node, best) in nodes.iter().zip(best.chunks_exact_mut(variants)) {
                let seen = Seen {
                    path: node.open.path,
                    places: &places[node.rows.clone()],
                    weights: &weights[node.rows.clone()],
                    weight: node.weight,
                    scale: node.scale,
                    with: &with[node.with.clone()],
                    labels: &labels[node.labels.clone()],
                    ends: &ends[node.rows.clone()],
                };
                let drawn = thresholds::<ENTROPY, TILE>(&seen, tile, &features, &mut scratch.sums);
                growers[node.tree].search.offer(node.open.variants, &seen, &features, &drawn, tile, best);
            }
        }
    }
}
