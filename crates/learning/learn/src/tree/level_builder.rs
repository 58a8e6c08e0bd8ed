//! The level builder: splits the nodes of several trees level by level, for random thresholds of all features.
//!
//! A thread reads a tile of features once for all its nodes of a level; depth first, every node would read all tiles again.
//! Small branches are set aside and built one by one at the end, each from a compact copy of its rows.

use std::cmp::Reverse;
use std::hint::black_box;
use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::builder::{PendingNode, TreeBuilder, TreeSpec};
use super::compact::MAX_COMPACT_ROWS;
use super::count_encoding::CountEncoding;
use super::criterion::Criterion;
use super::node_samples::NodeSamples;
use super::node_view::NodeView;
use super::random_small_node::SMALL_NODE_ROWS;
use super::random_thresholds::draw_thresholds;
use super::scratch::SplitScratch;
use super::shared_tree::SharedTree;
use super::split_record::SplitRecord;
use super::splitter::NodeSplitter;
use super::values::TILE_FEATURES;
use crate::random::RandomKey;

/// A tree under construction, and the large nodes of its current level.
struct LevelBuilder<'a> {
    builder: TreeBuilder<'a>,
    scratch: SplitScratch,
    /// Small branches, which are built at the end.
    branches: Vec<PendingNode>,
    nodes: Vec<LevelNode>,
    rows: LevelRows,
    /// Nodes × variants.
    best: Vec<SplitRecord>,
}

/// A large node, and the ranges of its rows and labels in [`LevelRows`].
struct LevelNode {
    pending: PendingNode,
    places: Range<usize>,
    counts: Range<usize>,
    label_weights: Range<usize>,
    encoding: CountEncoding,
    weight: i32,
    scale: f64,
}

/// The rows of a level's nodes, one node after another.
#[derive(Default)]
struct LevelRows {
    /// Where each row starts in a tile.
    places: Vec<u32>,
    /// The encoded counts of each row.
    counts: Vec<u32>,
    /// For each mixed label of each node, the weight of the rows that have it.
    label_weights: Vec<i32>,
}

/// A node to be searched, and where its best splits go, one for each variant.
struct LevelTask<'a> {
    splitter: &'a NodeSplitter<'a>,
    node: &'a LevelNode,
    rows: &'a LevelRows,
    best: &'a mut [SplitRecord],
}

/// Builds a tree from each root, of which there must be at least one.
pub(super) fn build(specs: &[TreeSpec<'_>], roots: &[RandomKey]) -> Result<Vec<SharedTree>, String> {
    let trees = specs.par_iter().zip(roots).map(|(spec, &root)| LevelBuilder::new(spec, root));
    let mut trees: Vec<LevelBuilder<'_>> = trees.collect::<Result<_, _>>()?;
    let cancel = &specs[0].splitter.cancel;
    loop {
        cancel.check()?;
        trees.par_iter_mut().for_each(LevelBuilder::step);
        let tasks: Vec<LevelTask<'_>> = trees.iter_mut().flat_map(LevelBuilder::tasks).collect();
        if tasks.is_empty() {
            let (builders, branches) = trees.into_iter().map(|tree| (tree.builder, tree.branches)).unzip();
            let shared_trees = build_branches(builders, branches);
            cancel.check()?;
            return Ok(shared_trees);
        }
        // Every thread goes over all tiles with nodes of its own, and all do so at about the same time, so that a tile that one
        // has read is still in the cache they share.
        balance(tasks).into_par_iter().for_each(find_splits);
    }
}

impl<'a> LevelBuilder<'a> {
    fn new(spec: &'a TreeSpec<'a>, root: RandomKey) -> Result<Self, String> {
        Ok(Self {
            builder: TreeBuilder::new(spec, root)?,
            scratch: SplitScratch::new(&spec.splitter),
            branches: Vec::new(),
            nodes: Vec::new(),
            rows: LevelRows::default(),
            best: Vec::new(),
        })
    }

    /// Splits the nodes of the level by what was found, and collects those of the next: small nodes are split at once, small
    /// branches set aside.
    fn step(&mut self) {
        let Self { builder, scratch, branches, nodes, rows, best } = self;
        let splitter = &builder.spec.splitter;
        for (node, best) in nodes.drain(..).zip(best.chunks_exact(splitter.variants.len())) {
            split(builder, &node.pending, best);
        }
        best.clear();
        rows.clear();
        while let Some(pending) = builder.stack.pop() {
            let request = builder.request(&pending);
            if request.rows.len() <= SMALL_NODE_ROWS {
                splitter.split(&request, None, scratch);
                split(builder, &pending, &scratch.best);
                continue;
            }
            if request.rows.len() <= MAX_COMPACT_ROWS {
                branches.push(pending);
                continue;
            }
            let statistics = &mut scratch.statistics;
            statistics.fill(request.rows, request.weight, splitter.weights, splitter.labels);
            let first_count = rows.counts.len();
            let encoding = statistics.encode(request.rows, splitter.labels, &mut rows.counts);
            let encoded_rows = statistics.encoded_rows(request.rows);
            let places = append(&mut rows.places, encoded_rows.iter().map(|&row| row * TILE_FEATURES as u32));
            let counts = first_count..rows.counts.len();
            let NodeView { weight, scale, label_weights, .. } = statistics.view(pending.path);
            let label_weights = append(&mut rows.label_weights, label_weights.iter().copied());
            nodes.push(LevelNode { pending, places, counts, label_weights, encoding, weight, scale });
        }
        best.resize(nodes.len() * splitter.variants.len(), SplitRecord::NONE);
    }
}

impl LevelBuilder<'_> {
    fn tasks(&mut self) -> impl Iterator<Item = LevelTask<'_>> {
        let Self { builder, nodes, rows, best, .. } = self;
        let (splitter, rows) = (&builder.spec.splitter, &*rows);
        let best = best.chunks_exact_mut(splitter.variants.len());
        nodes.iter().zip(best).map(move |(node, best)| LevelTask { splitter, node, rows, best })
    }
}

/// Builds the small branches of each tree, and puts them in place of their leaves.
fn build_branches(mut builders: Vec<TreeBuilder<'_>>, branches: Vec<Vec<PendingNode>>) -> Vec<SharedTree> {
    let branches = branches.into_iter().enumerate();
    let pending: Vec<(usize, PendingNode)> =
        branches.flat_map(|(tree, branches)| branches.into_iter().map(move |pending| (tree, pending))).collect();
    let scratch = || SplitScratch::new(&builders[0].spec.splitter);
    let build = |scratch: &mut SplitScratch, (tree, pending): (usize, PendingNode)| {
        let (leaf, mut branch) = (pending.node, builders[tree].detach(pending));
        branch.run(scratch);
        (tree, leaf, branch.tree)
    };
    let built: Vec<(usize, u32, SharedTree)> = pending.into_par_iter().map_init(scratch, build).collect();
    for (tree, leaf, branch) in built {
        builders[tree].tree.replace_leaf(leaf, branch);
    }
    builders.into_iter().map(|builder| builder.tree).collect()
}

impl LevelRows {
    fn clear(&mut self) {
        self.places.clear();
        self.counts.clear();
        self.label_weights.clear();
    }
}

/// Appends the elements and returns their range.
fn append<T>(vec: &mut Vec<T>, elements: impl Iterator<Item = T>) -> Range<usize> {
    let first = vec.len();
    vec.extend(elements);
    first..vec.len()
}

/// Splits a node in all the ways that its variants choose.
fn split(builder: &mut TreeBuilder<'_>, pending: &PendingNode, best: &[SplitRecord]) {
    for branching in builder.branchings(pending, best) {
        for child in builder.add_children(pending, &branching, None, None).into_iter().flatten() {
            builder.push(child);
        }
    }
}

/// Distributes the nodes among the threads: the largest that is left goes to the thread with the fewest rows.
fn balance(mut tasks: Vec<LevelTask<'_>>) -> Vec<Vec<LevelTask<'_>>> {
    let rows = |task: &LevelTask<'_>| task.node.places.len();
    tasks.sort_by_key(|task| Reverse(rows(task)));
    let threads = rayon::current_num_threads().min(tasks.len());
    let mut shares: Vec<(usize, Vec<LevelTask<'_>>)> = (0..threads).map(|_| (0, Vec::new())).collect();
    for task in tasks {
        let (sum, share) = shares.iter_mut().min_by_key(|(sum, _)| *sum).expect("there is a thread");
        *sum += rows(&task);
        share.push(task);
    }
    shares.into_iter().map(|(_, share)| share).collect()
}

/// Finds the best splits of a thread's nodes.
fn find_splits(tasks: Vec<LevelTask<'_>>) {
    let splitter = tasks[0].splitter;
    match splitter.criterion {
        Criterion::Gini => splitter.arch.dispatch(LevelSearch::<false>(tasks)),
        _ => splitter.arch.dispatch(LevelSearch::<true>(tasks)),
    }
}

/// The search of a thread's nodes, to be compiled for the widest vectors of the machine, which a closure would not be.
struct LevelSearch<'a, const ENTROPY: bool>(Vec<LevelTask<'a>>);

impl<const ENTROPY: bool> WithSimd for LevelSearch<'_, ENTROPY> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut tasks = self.0;
        let splitter = tasks[0].splitter;
        let mut sums = vec![[0; TILE_FEATURES]; 1 + splitter.labels.count()];
        let row_count = tasks.iter().map(|task| task.node.places.len()).sum::<usize>();
        let reads_most_rows = 2 * row_count > splitter.columns.rows();
        for (tile, first) in splitter.columns.tiles().zip((0..).step_by(TILE_FEATURES)) {
            if reads_most_rows {
                // Fills the caches, which is faster in the order of memory than in that of the nodes.
                black_box(tile.iter().fold(0, |bits, key| bits | key));
            }
            let features = std::array::from_fn(|j| first + j as u32);
            for LevelTask { splitter, node, rows, best } in &mut tasks {
                if splitter.cancel.is_cancelled() {
                    return;
                }
                let &LevelNode { ref pending, weight, scale, encoding, .. } = *node;
                let label_weights = &rows.label_weights[node.label_weights.clone()];
                let view = NodeView { path: pending.path, weight, scale, label_weights };
                let (places, counts) = (&rows.places[node.places.clone()], &rows.counts[node.counts.clone()]);
                let samples = NodeSamples { places, encoding, counts };
                let drawn =
                    draw_thresholds::<S, ENTROPY, TILE_FEATURES>(simd, &view, &samples, tile, &features, &mut sums);
                splitter.keep_best(pending.variants, &view, &samples, &drawn, tile, best);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use rayon::ThreadPoolBuilder;

    use super::super::builder::StoppingRules;
    use super::super::columns::{Columns, Layouts};
    use super::super::pruning::Pruning;
    use super::super::row_labels::RowLabels;
    use super::super::row_weights::RowWeights;
    use super::super::split_record::LeafLimits;
    use super::*;
    use crate::Cancel;

    const ROW_COUNT: usize = 1_500;
    const FEATURES: usize = 150;

    /// Builds a tree depth first, without compact copies.
    fn node_by_node(spec: &TreeSpec<'_>, root: RandomKey) -> SharedTree {
        let mut builder = TreeBuilder::new(spec, root).unwrap();
        let mut scratch = SplitScratch::new(&spec.splitter);
        while let Some(pending) = builder.stack.pop() {
            spec.splitter.split(&builder.request(&pending), None, &mut scratch);
            split(&mut builder, &pending, &scratch.best);
        }
        builder.tree
    }

    /// Builds trees for this many labels and rows of these weights, on one thread and on several.
    fn levels_are_nodes(criterion: Criterion, labels: usize, weight: impl Fn(usize) -> f64) {
        let draw = |place: usize| RandomKey::root(3, 0).draw(place as u32).priority;
        let records = Array2::from_shape_fn((ROW_COUNT, FEATURES), |(row, feature)| {
            f64::from(draw(row * FEATURES + feature) % if feature % 5 == 0 { 4 } else { 1_000 })
        });
        let targets = Array2::from_shape_fn((ROW_COUNT, labels), |(row, label)| {
            draw(1_000_000 + row * labels + label).is_multiple_of(4)
        });
        let columns = [
            Columns::new(records.view(), Layouts { tiles: true, ..Layouts::default() }, &Cancel::new()),
            Columns::new(records.view(), Layouts { values: true, ..Layouts::default() }, &Cancel::new()),
        ];
        let weights = RowWeights::new((0..ROW_COUNT).map(weight).collect(), labels);
        let labels = RowLabels::new(targets.view());
        let variants = [(1, 0.0), (3, 0.0), (1, 4.0)].map(|(min_rows, min_weight)| LeafLimits { min_rows, min_weight });
        let splitter = |columns| NodeSplitter {
            criterion,
            ..NodeSplitter::random(columns, &labels, &weights, FEATURES, &variants)
        };
        let stopping = StoppingRules { max_depth: None, min_samples_split: 2, min_impurity_decrease: 0.0 };
        let [specs, depth_first]: [Vec<TreeSpec<'_>>; 2] = columns
            .each_ref()
            .map(|columns| (0..3).map(|_| TreeSpec { splitter: splitter(columns), stopping }).collect());
        let roots: Vec<RandomKey> = (0..3).map(|tree| RandomKey::root(9, tree)).collect();
        let by_nodes: Vec<SharedTree> =
            depth_first.iter().zip(&roots).map(|(spec, &root)| node_by_node(spec, root)).collect();
        for threads in [1, 2, 5] {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let by_levels = pool.install(|| build(&specs, &roots)).unwrap();
            for (by_levels, by_nodes) in by_levels.iter().zip(&by_nodes) {
                for variant in 0..variants.len() {
                    let pruning = Pruning {
                        variant,
                        max_depth: None,
                        min_samples_split: 2,
                        max_leaf_nodes: None,
                        min_impurity_decrease: 0.0,
                        ccp_alpha: 0.0,
                    };
                    let [by_levels, by_nodes] = [by_levels, by_nodes].map(|shared_tree| pruning.apply(shared_tree));
                    assert!(
                        by_levels.leaves() > 100 && by_levels == by_nodes,
                        "{criterion:?}, {threads} threads, variant {variant}"
                    );
                }
            }
        }
    }

    #[test]
    fn trees_built_level_by_level_are_those_built_depth_first() {
        // Counts by label sets, in bytes, in words, and row by row.
        levels_are_nodes(Criterion::Gini, 3, |_| 1.0);
        levels_are_nodes(Criterion::Gini, 4, |row| (1 + row % 3) as f64);
        levels_are_nodes(Criterion::Entropy, 3, |row| [0.3, 1.7, 0.0, 0.9][row % 4]);
        levels_are_nodes(Criterion::Gini, 20, |_| 1.0);
    }
}
