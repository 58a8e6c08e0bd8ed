//! The tree builder: splits pending nodes until none is left, depth first.
//!
//! One build serves several candidates that differ only in where they stop ([`super::pruning`]) and in their variant, which
//! is what a leaf must have. Variants share a node as long as the same splits lead to it; where the best split of one breaks
//! the limits of another, each gets a branch of its own. What a variant finds depends only on the rows, the path and its own
//! limits, so it is what the variant would find alone.

use std::ops::Range;

use super::compact::{CompactRows, MAX_COMPACT_ROWS};
use super::params::Splitter;
use super::presorted::{ChildPlaces, MIN_PARALLEL_VALUES, Presorted};
use super::scratch::SplitScratch;
use super::shared_tree::{SharedNode, SharedSplit, SharedTree};
use super::split_record::{SplitRecord, variant_indices};
use super::splitter::{NodeSplitter, SplitRequest};
use super::values::key;
use crate::random::RandomKey;

/// The depth down to which branches are built in parallel. Each waits for the other on a thread's stack, so the depth must be
/// bounded; long before it, there are more branches than threads.
const MAX_PARALLEL_DEPTH: u32 = 64;

/// When a node stays a leaf whatever the variant: the most permissive rules of all candidates.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoppingRules {
    pub(super) max_depth: Option<u32>,
    pub(super) min_samples_split: usize,
    pub(super) min_impurity_decrease: f64,
}

/// What determines a tree, apart from its seed.
pub(super) struct TreeSpec<'a> {
    pub(super) splitter: NodeSplitter<'a>,
    pub(super) stopping: StoppingRules,
}

/// A node that is still to be split.
pub(super) struct PendingNode {
    pub(super) node: u32,
    /// The node's rows are this range of this buffer.
    buffer: usize,
    rows: Range<usize>,
    depth: u32,
    pub(super) path: RandomKey,
    /// The variants that may split it.
    pub(super) variants: u64,
    presorted: Option<Presorted>,
    /// Whether it belongs to the small branch whose rows are in the scratch.
    is_compact: bool,
}

/// A split of a pending node into two children, for the variants that chose it.
pub(super) struct Branching {
    /// The index of the split in the tree.
    split: usize,
    variants: u64,
    best: SplitRecord,
    buffer: usize,
    rows: Range<usize>,
}

/// A tree, or a branch of one, under construction. Pending nodes are on a stack of their own and not on the thread's, since a
/// tree may be as deep as it has rows.
pub(super) struct TreeBuilder<'a> {
    pub(super) spec: &'a TreeSpec<'a>,
    pub(super) tree: SharedTree,
    /// Row numbers. Branchings of different variants partition copies of their own.
    buffers: Vec<Vec<u32>>,
    pub(super) stack: Vec<PendingNode>,
    /// The rows on the right while a node is partitioned.
    right_rows: Vec<u32>,
}

impl TreeSpec<'_> {
    /// Builds a tree depth first. Random thresholds of all features are faster level by level: [`super::level_builder`].
    pub(super) fn build(&self, root: RandomKey) -> Result<SharedTree, String> {
        let mut builder = TreeBuilder::new(self, root)?;
        builder.run(&mut SplitScratch::new(&self.splitter));
        Ok(builder.tree)
    }
}

impl<'a> TreeBuilder<'a> {
    /// A tree with a pending root. Rows without weight are left out.
    pub(super) fn new(spec: &'a TreeSpec<'a>, root: RandomKey) -> Result<Self, String> {
        let splitter = &spec.splitter;
        let weights = &splitter.weights.per_row;
        let rows: Vec<u32> = (0..weights.len() as u32).filter(|&row| weights[row as usize] != 0.0).collect();
        if rows.is_empty() {
            return Err("class_weight leaves no row with a weight".into());
        }
        let presort = splitter.uses_all_features() && splitter.splitter == Splitter::Best;
        let presorted = presort.then(|| Presorted::root(splitter.columns, &rows, &splitter.cancel));
        let mut builder = Self::empty(spec);
        let range = 0..rows.len();
        builder.buffers.push(rows);
        let (node, variants) = builder.add_node(0, range.clone(), 0, u64::MAX >> (64 - splitter.variants.len()));
        builder.push(PendingNode {
            node,
            buffer: 0,
            rows: range,
            depth: 0,
            path: root,
            variants,
            presorted,
            is_compact: false,
        });
        Ok(builder)
    }

    fn empty(spec: &'a TreeSpec<'a>) -> Self {
        let splitter = &spec.splitter;
        let tree = SharedTree::new(splitter.labels.count(), splitter.weights.total);
        Self { spec, tree, buffers: Vec::new(), stack: Vec::new(), right_rows: Vec::new() }
    }

    /// Adds a node of these rows as a leaf; returns it and the variants that may split it.
    fn add_node(&mut self, buffer: usize, rows: Range<usize>, depth: u32, variants: u64) -> (u32, u64) {
        let TreeSpec { splitter, stopping } = self.spec;
        let rows = &self.buffers[buffer][rows];
        let first = self.tree.shares.len();
        self.tree.shares.resize(first + splitter.labels.count(), 0.0);
        let label_weights = &mut self.tree.shares[first..];
        let mut weight = 0.0;
        for &row in rows {
            let row_weight = splitter.weights.per_row[row as usize];
            weight += row_weight;
            splitter.labels.of_row(row).iter().for_each(|&label| label_weights[label as usize] += row_weight);
        }
        let impurity = splitter.criterion.impurity(weight, label_weights);
        label_weights.iter_mut().for_each(|label_weight| *label_weight /= weight);
        let node = self.tree.nodes.len() as u32;
        self.tree.nodes.push(SharedNode { rows: rows.len() as u32, weight, impurity, splits: (0, 0) });

        if stopping.max_depth.is_some_and(|max_depth| depth >= max_depth)
            || rows.len() < stopping.min_samples_split
            || impurity <= f64::EPSILON
        {
            return (node, 0);
        }
        let may_split = |variant: &usize| {
            let limits = splitter.variants[*variant];
            rows.len() >= 2 * limits.min_rows && weight >= 2.0 * limits.min_weight
        };
        (node, variant_indices(variants).filter(may_split).fold(0, |variants, variant| variants | 1 << variant))
    }

    /// Makes a node pending, unless no variant may split it.
    pub(super) fn push(&mut self, pending: PendingNode) {
        if pending.variants != 0 {
            self.stack.push(pending);
        }
    }

    /// Splits pending nodes until none is left, or until cancelled.
    pub(super) fn run(&mut self, scratch: &mut SplitScratch) {
        while let Some(mut pending) = self.stack.pop() {
            if self.spec.splitter.cancel.is_cancelled() {
                return;
            }
            // The nodes of a branch are popped before any other, so one copy at a time is enough.
            if !pending.is_compact && pending.presorted.is_none() && pending.rows.len() <= MAX_COMPACT_ROWS {
                self.spec.splitter.copy_branch(&self.buffers[pending.buffer][pending.rows.clone()], scratch);
                pending.is_compact = true;
            }
            self.split(pending, scratch);
        }
    }

    /// Splits a node in all the ways that its variants choose.
    fn split(&mut self, mut pending: PendingNode, scratch: &mut SplitScratch) {
        let splitter = &self.spec.splitter;
        splitter.split(&self.request(&pending), pending.presorted.as_ref(), scratch);
        let mut branchings = self.branchings(&pending, &scratch.best).into_iter();
        while let Some(branching) = branchings.next() {
            let is_random = splitter.splitter == Splitter::Random;
            let compact = (pending.is_compact && is_random).then_some(&scratch.compact.keys);
            // The last branching takes the orders, the others copy them.
            let presorted = if branchings.len() == 0 { pending.presorted.take() } else { pending.presorted.clone() };
            let Some([left, right]) = self.add_children(&pending, &branching, compact, presorted) else { continue };
            // A compact branch stays with the scratch that holds its copy.
            if !pending.is_compact
                && right.depth <= MAX_PARALLEL_DEPTH
                && pending.rows.len() * splitter.max_features > MIN_PARALLEL_VALUES
            {
                self.build_in_parallel(left, right, scratch);
            } else {
                self.push(right);
                self.push(left);
            }
        }
    }

    /// What the splitter has to know of a pending node.
    pub(super) fn request(&self, pending: &PendingNode) -> SplitRequest<'_> {
        SplitRequest {
            path: pending.path,
            rows: &self.buffers[pending.buffer][pending.rows.clone()],
            weight: self.tree.nodes[pending.node as usize].weight,
            variants: pending.variants,
            is_compact: pending.is_compact,
        }
    }

    /// The branchings of a node, from the best split for each variant.
    pub(super) fn branchings(&mut self, pending: &PendingNode, best: &[SplitRecord]) -> Vec<Branching> {
        let groups = group_variants(best, pending.variants);
        let first = self.tree.splits.len();
        self.tree.nodes[pending.node as usize].splits = (first as u32, groups.len() as u32);
        // Splits without variants until their children are known to be worth it.
        let placeholder = SharedSplit { variants: 0, feature: 0, threshold: 0.0, improvement: 0.0, left: 0, right: 0 };
        self.tree.splits.resize(first + groups.len(), placeholder);
        let count = groups.len();
        let branching = |(index, (variants, best))| {
            let (mut buffer, mut rows) = (pending.buffer, pending.rows.clone());
            if index + 1 < count {
                self.buffers.push(self.buffers[buffer][rows.clone()].to_vec());
                (buffer, rows) = (self.buffers.len() - 1, 0..rows.len());
            }
            Branching { split: first + index, variants, best, buffer, rows }
        };
        groups.into_iter().enumerate().map(branching).collect()
    }

    /// Adds the children of a branching and returns them; `None` if the split is not worth it. `compact` holds the keys of a
    /// compact branch, `presorted` the orders of the node's rows.
    pub(super) fn add_children(
        &mut self,
        parent: &PendingNode,
        branching: &Branching,
        compact: Option<&CompactRows<i32>>,
        presorted: Option<Presorted>,
    ) -> Option<[PendingNode; 2]> {
        let &Branching { split, variants, best: SplitRecord { feature, threshold, .. }, buffer, ref rows } = branching;
        let columns = self.spec.splitter.columns;
        let values = columns.values_along(feature);
        let is_left = |row: u32| f64::from(values.value(row)) <= threshold;
        let node_rows = &mut self.buffers[buffer][rows.clone()];
        let presorted = presorted.map(|orders| (orders, ChildPlaces::new(node_rows.iter().map(|&row| is_left(row)))));
        let left_count = match compact {
            // The search has just read them, so they are cached.
            Some(compact) => {
                let (keys, threshold) = (compact.feature(feature), key(threshold as f32));
                partition(node_rows, &mut self.right_rows, |row| keys[compact.place(row) as usize] <= threshold)
            }
            None => partition(node_rows, &mut self.right_rows, is_left),
        };
        let middle = rows.start + left_count;

        if middle == rows.start || middle == rows.end {
            return None;
        }
        let depth = parent.depth + 1;
        let sides = [(rows.start..middle, parent.path.left()), (middle..rows.end, parent.path.right())];
        let [left, right] = sides.map(|(rows, path)| {
            let (node, variants) = self.add_node(buffer, rows.clone(), depth, variants);
            PendingNode { node, buffer, rows, depth, path, variants, presorted: None, is_compact: parent.is_compact }
        });
        let improvement = self.tree.improvement(parent.node, left.node, right.node);
        if improvement + f64::EPSILON < self.spec.stopping.min_impurity_decrease {
            return None;
        }
        self.tree.splits[split] =
            SharedSplit { variants, feature, threshold, improvement, left: left.node, right: right.node };
        let mut children = [left, right];
        let wanted = children.each_ref().map(|child| child.variants != 0);
        if let Some((orders, child_places)) = presorted.filter(|_| wanted.contains(&true)) {
            let rows = children.each_ref().map(|child| &self.buffers[buffer][child.rows.clone()]);
            let child_orders = orders.children(columns, &child_places, rows, wanted, &self.spec.splitter.cancel);
            children.iter_mut().zip(child_orders).for_each(|(child, orders)| child.presorted = Some(orders));
        }
        Some(children)
    }

    /// A builder for the branch below a pending node, as a tree of its own.
    pub(super) fn detach(&self, pending: PendingNode) -> TreeBuilder<'a> {
        let mut branch = TreeBuilder::empty(self.spec);
        branch.buffers.push(self.buffers[pending.buffer][pending.rows.clone()].to_vec());
        branch.tree.nodes.push(self.tree.nodes[pending.node as usize].clone());
        branch.tree.shares.extend_from_slice(self.tree.shares_of(pending.node));
        branch.push(PendingNode { node: 0, buffer: 0, rows: 0..pending.rows.len(), ..pending });
        branch
    }

    /// Builds two branches in parallel: the right one as a tree of its own, which then replaces its leaf.
    fn build_in_parallel(&mut self, left: PendingNode, right: PendingNode, scratch: &mut SplitScratch) {
        let leaf = right.node;
        let mut branch = self.detach(right);
        self.push(left);
        let mut branch_scratch = SplitScratch::new(&self.spec.splitter);
        rayon::join(|| self.run(scratch), || branch.run(&mut branch_scratch));
        self.tree.replace_leaf(leaf, branch.tree);
    }
}

/// The distinct splits, each with the variants that chose it.
fn group_variants(best: &[SplitRecord], variants: u64) -> Vec<(u64, SplitRecord)> {
    let mut groups: Vec<(u64, SplitRecord)> = Vec::new();
    for variant in variant_indices(variants).filter(|&variant| best[variant].exists()) {
        let split = best[variant];
        let is_same = |other: &SplitRecord| other.feature == split.feature && other.threshold == split.threshold;
        match groups.iter_mut().find(|(_, other)| is_same(other)) {
            Some((variants, _)) => *variants |= 1 << variant,
            None => groups.push((1 << variant, split)),
        }
    }
    groups
}

/// Moves the rows that go left to the front, keeping the order on both sides; returns their number.
fn partition(rows: &mut [u32], right_rows: &mut Vec<u32>, is_left: impl Fn(u32) -> bool) -> usize {
    right_rows.clear();
    let mut left_count = 0;
    for place in 0..rows.len() {
        let row = rows[place];
        if is_left(row) {
            rows[left_count] = row;
            left_count += 1;
        } else {
            right_rows.push(row);
        }
    }
    rows[left_count..].copy_from_slice(right_rows);
    left_count
}
