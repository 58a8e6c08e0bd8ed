//! Growing several trees level by level, for random thresholds of all features: a stretch of features comes into a thread's
//! caches once for all its nodes of a level, where a tree grown branch by branch would bring in all features for each node.
//! Small branches are set aside, and grown one by one at the end, each from a copy of its rows.

use std::cmp::Reverse;
use std::hint::black_box;
use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::criterion::Criterion;
use super::grow::{Grower, Grown, Growth, Open};
use super::members::{Form, Members};
use super::near;
use super::random_few;
use super::split::{Best, Scratch, Search};
use super::thresholds::{Seen, thresholds};
use super::values::TILE;
use crate::random::RandomKey;

/// A tree while it is grown, with those of its open nodes that are not in a small branch.
struct Growing<'a> {
    growth: Growth<'a>,
    scratch: Scratch,
    /// Small branches, which are grown at the end.
    branches: Vec<Open>,
    nodes: Vec<Wide>,
    known: Known,
    /// Nodes × variants.
    best: Vec<Best>,
}

/// Such a node, and its stretches of what is known of the rows.
struct Wide {
    open: Open,
    places: Range<usize>,
    counts: Range<usize>,
    with: Range<usize>,
    form: Form,
    weight: i32,
    scale: f64,
}

/// A node of one of the trees, with room for what is found, one a variant.
struct Task<'a> {
    search: &'a Search<'a>,
    wide: &'a Wide,
    known: &'a Known,
    best: &'a mut [Best],
}

/// What is known of the rows of some nodes, one node after another.
#[derive(Default)]
struct Known {
    /// Where each begins in a tile.
    places: Vec<u32>,
    /// What each counts for.
    counts: Vec<u32>,
    /// What those with each label weigh.
    with: Vec<i32>,
}

/// Grows one tree from each root, of which there are some.
pub(super) fn grow(growers: &[Grower<'_>], roots: &[RandomKey]) -> Result<Vec<Grown>, String> {
    let trees = growers.par_iter().zip(roots).map(|(grower, &root)| Growing::new(grower, root));
    let mut trees: Vec<Growing<'_>> = trees.collect::<Result<_, _>>()?;
    let cancel = &growers[0].search.cancel;
    loop {
        cancel.check()?;
        trees.par_iter_mut().for_each(Growing::go_on);
        let tasks: Vec<Task<'_>> = trees.iter_mut().flat_map(Growing::tasks).collect();
        if tasks.is_empty() {
            let (growths, branches) = trees.into_iter().map(|tree| (tree.growth, tree.branches)).unzip();
            let grown = grow_branches(growths, branches);
            cancel.check()?;
            return Ok(grown);
        }
        // Each thread goes over all tiles with nodes of its own, at about the same time, so that what one of them has brought
        // in the others find near.
        shares(tasks).into_par_iter().for_each(look);
    }
}

impl<'a> Growing<'a> {
    fn new(grower: &'a Grower<'a>, root: RandomKey) -> Result<Self, String> {
        let growth = Growth::new(grower, root)?;
        let scratch = Scratch::new(&grower.search);
        Ok(Self { growth, scratch, branches: Vec::new(), nodes: Vec::new(), known: Known::default(), best: Vec::new() })
    }

    /// Splits its nodes by what was found, and takes those that are open then: those of a few rows are split at once,
    /// small branches wait for the end.
    fn go_on(&mut self) {
        let Self { growth, scratch, branches, nodes, known, best } = self;
        let search = &growth.grower.search;
        for (node, best) in nodes.drain(..).zip(best.chunks_exact(search.variants.len())) {
            split(growth, &node.open, best);
        }
        best.clear();
        known.clear();
        while let Some(open) = growth.open.pop() {
            let seen = growth.seen(&open);
            if seen.rows.len() <= random_few::ROWS {
                search.split(&seen, None, scratch);
                split(growth, &open, &scratch.best);
                continue;
            }
            if seen.rows.len() <= near::ROWS {
                branches.push(open);
                continue;
            }
            let local = &mut scratch.local;
            local.fill(seen.rows, seen.weight, search.weights, search.labels);
            let first = known.counts.len();
            let form = local.write(seen.rows, search.labels, &mut known.counts);
            let rows = local.in_order(seen.rows);
            let places = append(&mut known.places, rows.iter().map(|&row| row * TILE as u32));
            let counts = first..known.counts.len();
            let Seen { weight, scale, with, .. } = local.seen(open.path);
            let with = append(&mut known.with, with.iter().copied());
            nodes.push(Wide { open, places, counts, with, form, weight, scale });
        }
        best.resize(nodes.len() * search.variants.len(), Best::NONE);
    }
}

impl Growing<'_> {
    fn tasks(&mut self) -> impl Iterator<Item = Task<'_>> {
        let Self { growth, nodes, known, best, .. } = self;
        let (search, known) = (&growth.grower.search, &*known);
        let room = best.chunks_exact_mut(search.variants.len());
        nodes.iter().zip(room).map(move |(wide, best)| Task { search, wide, known, best })
    }
}

/// Grows the small branches of each tree, and puts them in their places.
fn grow_branches(mut growths: Vec<Growth<'_>>, branches: Vec<Vec<Open>>) -> Vec<Grown> {
    let of_trees = branches.into_iter().enumerate();
    let all: Vec<(usize, Open)> =
        of_trees.flat_map(|(tree, of_tree)| of_tree.into_iter().map(move |open| (tree, open))).collect();
    let room = || Scratch::new(&growths[0].grower.search);
    let grow = |scratch: &mut Scratch, (tree, open): (usize, Open)| {
        let (place, mut apart) = (open.node, growths[tree].apart(open));
        apart.run(scratch);
        (tree, place, apart.grown)
    };
    let grown: Vec<(usize, u32, Grown)> = all.into_par_iter().map_init(room, grow).collect();
    for (tree, place, branch) in grown {
        growths[tree].grown.replace(place, branch);
    }
    growths.into_iter().map(|growth| growth.grown).collect()
}

impl Known {
    fn clear(&mut self) {
        self.places.clear();
        self.counts.clear();
        self.with.clear();
    }
}

/// Appends; where that is.
fn append<T>(all: &mut Vec<T>, some: impl Iterator<Item = T>) -> Range<usize> {
    let first = all.len();
    all.extend(some);
    first..all.len()
}

/// Goes all the ways that the variants of a node want.
fn split(growth: &mut Growth<'_>, open: &Open, best: &[Best]) {
    for way in growth.ways(open, best) {
        for child in growth.go(open, &way, None, None).into_iter().flatten() {
            growth.wait(child);
        }
    }
}

/// Deals out nodes to the threads: the one of most rows that is left to whoever has the fewest.
fn shares(mut tasks: Vec<Task<'_>>) -> Vec<Vec<Task<'_>>> {
    let rows = |task: &Task<'_>| task.wide.places.len();
    tasks.sort_by_key(|task| Reverse(rows(task)));
    let threads = rayon::current_num_threads().min(tasks.len());
    let mut shares: Vec<(usize, Vec<Task<'_>>)> = (0..threads).map(|_| (0, Vec::new())).collect();
    for task in tasks {
        let (sum, share) = shares.iter_mut().min_by_key(|(sum, _)| *sum).expect("there is a thread");
        *sum += rows(&task);
        share.push(task);
    }
    shares.into_iter().map(|(_, share)| share).collect()
}

/// Finds the best splits of some nodes.
fn look(tasks: Vec<Task<'_>>) {
    let search = tasks[0].search;
    match search.criterion {
        Criterion::Gini => search.arch.dispatch(Look::<false>(tasks)),
        _ => search.arch.dispatch(Look::<true>(tasks)),
    }
}

/// Random thresholds of some nodes, with the widest vectors that the machine has; a closure would not be compiled for them.
struct Look<'a, const ENTROPY: bool>(Vec<Task<'a>>);

impl<const ENTROPY: bool> WithSimd for Look<'_, ENTROPY> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut tasks = self.0;
        let search = tasks[0].search;
        let mut sums = vec![[0; TILE]; 1 + search.labels.count()];
        let most_rows = 2 * tasks.iter().map(|task| task.wide.places.len()).sum::<usize>() > search.columns.rows();
        for (tile, first) in search.columns.tiles().zip((0..).step_by(TILE)) {
            if most_rows {
                // Only to bring them into the caches, which is faster in this order than in that of the nodes.
                black_box(tile.iter().fold(0, |all, key| all | key));
            }
            let features = std::array::from_fn(|j| first + j as u32);
            for Task { search, wide, known, best } in &mut tasks {
                if search.cancel.is_cancelled() {
                    return;
                }
                let &Wide { ref open, weight, scale, form, .. } = *wide;
                let seen = Seen { path: open.path, weight, scale, with: &known.with[wide.with.clone()] };
                let (places, counts) = (&known.places[wide.places.clone()], &known.counts[wide.counts.clone()]);
                let members = Members { places, form, counts };
                let drawn = thresholds::<S, ENTROPY, TILE>(simd, &seen, &members, tile, &features, &mut sums);
                search.offer(open.variants, &seen, &members, &drawn, tile, best);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use rayon::ThreadPoolBuilder;

    use super::super::columns::{Columns, Layouts};
    use super::super::cut::Cut;
    use super::super::grow::Ends;
    use super::super::rows::{Labels, Weights};
    use super::super::split::{Limits, Search};
    use super::*;
    use crate::Cancel;

    const ROWS: usize = 1_500;
    const FEATURES: usize = 150;

    /// Grows a tree whose nodes are looked at alone, far from each other.
    fn node_by_node(grower: &Grower<'_>, root: RandomKey) -> Grown {
        let mut growth = Growth::new(grower, root).unwrap();
        let mut scratch = Scratch::new(&grower.search);
        while let Some(open) = growth.open.pop() {
            grower.search.split(&growth.seen(&open), None, &mut scratch);
            split(&mut growth, &open, &scratch.best);
        }
        growth.grown
    }

    /// Grows trees for so many labels and rows of these weights, on one thread and on several.
    fn levels_are_nodes(criterion: Criterion, labels: usize, weight: impl Fn(usize) -> f64) {
        let draw = |place: usize| RandomKey::root(3, 0).draw(place as u32).priority;
        let records = Array2::from_shape_fn((ROWS, FEATURES), |(row, feature)| {
            f64::from(draw(row * FEATURES + feature) % if feature % 5 == 0 { 4 } else { 1_000 })
        });
        let targets = Array2::from_shape_fn((ROWS, labels), |(row, label)| {
            draw(1_000_000 + row * labels + label).is_multiple_of(4)
        });
        let columns = [
            Columns::new(records.view(), Layouts { tiles: true, ..Layouts::default() }, &Cancel::new()),
            Columns::new(records.view(), Layouts { values: true, ..Layouts::default() }, &Cancel::new()),
        ];
        let weights = Weights::new((0..ROWS).map(weight).collect(), labels);
        let labels = Labels::new(targets.view());
        let variants = [(1, 0.0), (3, 0.0), (1, 4.0)].map(|(rows, weight)| Limits { rows, weight });
        let search = |columns| Search { criterion, ..Search::random(columns, &labels, &weights, FEATURES, &variants) };
        let ends = Ends { max_depth: None, min_samples_split: 2, min_impurity_decrease: 0.0 };
        let [growers, alone]: [Vec<Grower<'_>>; 2] =
            columns.each_ref().map(|columns| (0..3).map(|_| Grower { search: search(columns), ends }).collect());
        let roots: Vec<RandomKey> = (0..3).map(|tree| RandomKey::root(9, tree)).collect();
        let by_nodes: Vec<Grown> = alone.iter().zip(&roots).map(|(grower, &root)| node_by_node(grower, root)).collect();
        for threads in [1, 2, 5] {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let by_levels = pool.install(|| grow(&growers, &roots)).unwrap();
            for (by_levels, by_nodes) in by_levels.iter().zip(&by_nodes) {
                for variant in 0..variants.len() {
                    let cut = Cut {
                        variant,
                        max_depth: None,
                        min_samples_split: 2,
                        max_leaf_nodes: None,
                        min_impurity_decrease: 0.0,
                        ccp_alpha: 0.0,
                    };
                    let [ours, other] = [by_levels, by_nodes].map(|grown| cut.of(grown));
                    assert!(
                        ours.leaves() > 100 && ours == other,
                        "{criterion:?}, {threads} threads, variant {variant}"
                    );
                }
            }
        }
    }

    #[test]
    fn trees_grown_level_by_level_are_those_grown_node_by_node() {
        // Sums by sets of labels, in bytes, in words, and row by row.
        levels_are_nodes(Criterion::Gini, 3, |_| 1.0);
        levels_are_nodes(Criterion::Gini, 4, |row| (1 + row % 3) as f64);
        levels_are_nodes(Criterion::Entropy, 3, |row| [0.3, 1.7, 0.0, 0.9][row % 4]);
        levels_are_nodes(Criterion::Gini, 20, |_| 1.0);
    }
}
