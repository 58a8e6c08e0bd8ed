//! Growing several trees level by level, for random thresholds of all features: a stretch of features comes into the cache
//! once for all nodes of a level, where a tree grown branch by branch would bring in all features for each node.

use std::ops::Range;

use pulp::NullaryFnOnce;

use super::columns::TILE;
use super::criterion::Criterion;
use super::grow::{Grower, Grown, Growth, Open};
use super::random_few;
use super::rows::Local;
use super::split::{Best, Scratch};
use super::thresholds::{Seen, thresholds};
use crate::random::Path;

/// Nodes of several trees, and what has to be known of their rows, one after another.
#[derive(Default)]
struct Level {
    nodes: Vec<Wide>,
    /// One a row: where it begins in a tile, its weight, and where its labels end.
    places: Vec<u32>,
    weights: Vec<i32>,
    ends: Vec<u32>,
    labels: Vec<u32>,
    with: Vec<i32>,
    /// Nodes × variants.
    best: Vec<Best>,
}

/// A node of more than a few rows: its tree, and its stretches of what the level knows.
struct Wide {
    tree: usize,
    open: Open,
    rows: Range<usize>,
    labels: Range<usize>,
    with: Range<usize>,
    weight: i32,
    scale: f64,
}

/// Grows one tree from each root, of which there are some.
pub(super) fn grow(growers: &[Grower<'_>], roots: &[Path]) -> Result<Vec<Grown>, String> {
    let growths = growers.iter().zip(roots).map(|(grower, &root)| Growth::new(grower, root));
    let mut growths: Vec<Growth<'_>> = growths.collect::<Result<_, _>>()?;
    let search = &growers[0].search;
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
        level.split(&mut growths);
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
            go_on(growth, &open, &scratch.best);
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
        self.nodes.push(Wide { tree, open, rows, labels, with, weight: of.weight, scale: of.scale });
    }

    /// Splits its nodes, and forgets them.
    fn split(&mut self, growths: &mut [Growth<'_>]) {
        let variants = self.best.len() / self.nodes.len();
        for (node, best) in self.nodes.drain(..).zip(self.best.chunks_exact(variants)) {
            go_on(&mut growths[node.tree], &node.open, best);
        }
        self.best.clear();
        self.places.clear();
        self.weights.clear();
        self.ends.clear();
        self.labels.clear();
        self.with.clear();
    }
}

/// Goes all the ways that the variants of a node want.
fn go_on(growth: &mut Growth<'_>, open: &Open, best: &[Best]) {
    for way in growth.ways(open, best) {
        for child in growth.go(open, &way, None).into_iter().flatten() {
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

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use pulp::Arch;

    use super::super::columns::{Columns, Layouts};
    use super::super::cut::Cut;
    use super::super::grow::Ends;
    use super::super::params::Splitter;
    use super::super::rows::{Labels, Weights};
    use super::super::split::{Limits, Search};
    use super::*;

    const ROWS: usize = 1_500;
    const FEATURES: usize = 150;
    const LABELS: usize = 4;

    #[test]
    fn trees_grown_level_by_level_are_those_grown_branch_by_branch() {
        let draw = |place: usize| Path::root(3, 0).draw(place as u32).priority;
        let records = Array2::from_shape_fn((ROWS, FEATURES), |(row, feature)| {
            f64::from(draw(row * FEATURES + feature) % if feature % 5 == 0 { 4 } else { 1_000 })
        });
        let targets = Array2::from_shape_fn((ROWS, LABELS), |(row, label)| {
            draw(1_000_000 + row * LABELS + label).is_multiple_of(4)
        });
        let columns = Columns::new(records.view(), Layouts { tiles: true, keys: true, ranks: false });
        let labels = Labels::new(targets.view());
        let weights = Weights::new((0..ROWS).map(|row| f64::from(1 + draw(row) % 3)).collect(), LABELS);
        let variants = [(1, 0.0), (3, 0.0), (1, 9.0)].map(|(rows, weight)| Limits { rows, weight });
        for criterion in [Criterion::Gini, Criterion::Entropy] {
            let search = || Search {
                arch: Arch::new(),
                columns: &columns,
                labels: &labels,
                weights: &weights,
                criterion,
                splitter: Splitter::Random,
                drawn: FEATURES,
                variants: &variants,
            };
            let ends = Ends { max_depth: None, min_samples_split: 2, min_impurity_decrease: 0.0 };
            let growers: Vec<Grower<'_>> = (0..3).map(|_| Grower { search: search(), ends }).collect();
            let roots: Vec<Path> = (0..3).map(|tree| Path::root(9, tree)).collect();
            let by_levels = grow(&growers, &roots).unwrap();
            for ((grower, &root), by_levels) in growers.iter().zip(&roots).zip(&by_levels) {
                let by_branches = grower.grow(root).unwrap();
                for variant in 0..variants.len() {
                    let cut = Cut {
                        variant,
                        max_depth: None,
                        min_samples_split: 2,
                        max_leaf_nodes: None,
                        min_impurity_decrease: 0.0,
                        ccp_alpha: 0.0,
                    };
                    let [ours, other] = [by_levels, &by_branches].map(|grown| cut.of(grown));
                    assert!(ours.leaves() > 100 && ours == other, "{criterion:?}, variant {variant}");
                }
            }
        }
    }
}
