//! Prunes a shared tree to the tree that one candidate would have built alone.
//!
//! Limits on depth, on the rows to split and on the improvement truncate the shared tree. A limit on leaves replays it best
//! first, under the same limits. Minimal cost-complexity pruning comes last.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::forest::Tree;
use super::shared_tree::{SharedNode, SharedSplit, SharedTree};

/// Where the tree of one candidate stops.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pruning {
    pub(super) variant: usize,
    pub(super) max_depth: Option<u32>,
    pub(super) min_samples_split: usize,
    pub(super) max_leaf_nodes: Option<u32>,
    pub(super) min_impurity_decrease: f64,
    pub(super) ccp_alpha: f64,
}

/// A node of the shared tree that the candidate keeps.
struct KeptNode<'a> {
    node: u32,
    /// Its split, and the index of its left child among the kept nodes; the right child follows, and both come after it.
    split: Option<(&'a SharedSplit, usize)>,
}

impl Pruning {
    /// Whether a row can tell on its way down where it stops.
    pub(super) fn only_truncates(&self) -> bool {
        self.max_leaf_nodes.is_none() && self.ccp_alpha <= 0.0
    }

    /// A pruning that stops wherever any of these does. All must be of one variant and only truncate.
    pub(super) fn earliest<'a>(prunings: impl Iterator<Item = &'a Self>) -> Option<Self> {
        prunings.copied().reduce(|a, b| Self {
            max_depth: a.max_depth.into_iter().chain(b.max_depth).min(),
            min_samples_split: a.min_samples_split.max(b.min_samples_split),
            min_impurity_decrease: a.min_impurity_decrease.max(b.min_impurity_decrease),
            ..a
        })
    }

    /// The tree that the candidate would have built alone.
    pub(super) fn apply(&self, shared_tree: &SharedTree) -> Tree {
        to_tree(&self.kept_nodes(shared_tree), shared_tree)
    }

    /// How much each feature reduces impurity in that tree, weighted by the share of the rows and normalised to sum to 1; all
    /// 0 if the tree has no split.
    pub(super) fn importances(&self, shared_tree: &SharedTree, features: usize) -> Vec<f64> {
        let mut importances = vec![0.0; features];
        let kept = self.kept_nodes(shared_tree);
        let mut stack = vec![0];
        while let Some(index) = stack.pop() {
            if let Some((split, left)) = kept[index].split {
                importances[split.feature as usize] += split.improvement;
                stack.extend([left + 1, left]);
            }
        }
        normalise(&mut importances);
        importances
    }

    fn kept_nodes<'a>(&self, shared_tree: &'a SharedTree) -> Vec<KeptNode<'a>> {
        let mut kept = match self.max_leaf_nodes {
            None => self.truncate(shared_tree),
            Some(leaves) => self.replay(shared_tree, leaves),
        };
        if self.ccp_alpha > 0.0 {
            prune(&mut kept, shared_tree, self.ccp_alpha);
        }
        kept
    }

    /// The split of a node at a depth, unless the candidate stops there.
    fn split<'a>(&self, shared_tree: &'a SharedTree, node: u32, depth: u32) -> Option<&'a SharedSplit> {
        shared_tree
            .split(node, self.variant)
            .filter(|split| self.keeps(split, &shared_tree.nodes[node as usize], depth))
    }

    /// Whether the candidate keeps a split of a node at a depth.
    #[inline]
    fn keeps(&self, split: &SharedSplit, node: &SharedNode, depth: u32) -> bool {
        self.max_depth.is_none_or(|max_depth| depth < max_depth)
            && node.rows as usize >= self.min_samples_split
            && split.improvement + f64::EPSILON >= self.min_impurity_decrease
    }

    fn truncate<'a>(&self, shared_tree: &'a SharedTree) -> Vec<KeptNode<'a>> {
        let mut kept = vec![KeptNode { node: 0, split: None }];
        let mut stack = vec![(0, 0)];
        while let Some((index, depth)) = stack.pop() {
            if let Some(split) = self.split(shared_tree, kept[index].node, depth) {
                let left = keep_children(&mut kept, index, split);
                stack.extend([(left + 1, depth + 1), (left, depth + 1)]);
            }
        }
        kept
    }

    fn replay<'a>(&self, shared_tree: &'a SharedTree, leaves: u32) -> Vec<KeptNode<'a>> {
        let mut kept = vec![KeptNode { node: 0, split: None }];
        let mut frontier = BinaryHeap::new();
        let push = |frontier: &mut BinaryHeap<FrontierNode<'a>>, kept: &[KeptNode<'a>], index: usize, depth: u32| {
            let split = self.split(shared_tree, kept[index].node, depth);
            frontier.extend(split.map(|split| FrontierNode { index, depth, split }));
        };
        push(&mut frontier, &kept, 0, 0);
        for _ in 1..leaves {
            let Some(FrontierNode { index, depth, split }) = frontier.pop() else { break };
            let left = keep_children(&mut kept, index, split);
            push(&mut frontier, &kept, left, depth + 1);
            push(&mut frontier, &kept, left + 1, depth + 1);
        }
        kept
    }
}

impl SharedTree {
    /// Takes a row down the tree once for several prunings of one variant that only truncate. Wherever one of them stops,
    /// `stop` gets its number and the shares of the node. `earliest` stops wherever any of them does.
    pub(super) fn descend(
        &self,
        row: &[f32],
        mut earliest: Pruning,
        remaining: &mut Vec<(usize, &Pruning)>,
        mut stop: impl FnMut(usize, &[f64]),
    ) {
        let (mut node, mut depth) = (0, 0);
        loop {
            let (shared_node, split) = (&self.nodes[node as usize], self.split(node, earliest.variant));
            if !split.is_some_and(|split| earliest.keeps(split, shared_node, depth)) {
                remaining.retain(|(number, pruning)| {
                    let continues = split.is_some_and(|split| pruning.keeps(split, shared_node, depth));
                    if !continues {
                        stop(*number, self.shares_of(node));
                    }
                    continues
                });
                match Pruning::earliest(remaining.iter().map(|(_, pruning)| *pruning)) {
                    Some(next_earliest) => earliest = next_earliest,
                    None => return,
                }
            }
            if let Some(split) = split {
                node = if f64::from(row[split.feature as usize]) > split.threshold { split.right } else { split.left };
            }
            depth += 1;
        }
    }
}

/// Scales importances to sum to 1, unless all are 0.
pub(super) fn normalise(importances: &mut [f64]) {
    let sum: f64 = importances.iter().sum();
    if sum > 0.0 {
        importances.iter_mut().for_each(|importance| *importance /= sum);
    }
}

/// Keeps both children of a node; returns the index of the left one.
fn keep_children<'a>(kept: &mut Vec<KeptNode<'a>>, index: usize, split: &'a SharedSplit) -> usize {
    let left = kept.len();
    kept[index].split = Some((split, left));
    kept.extend([split.left, split.right].map(|node| KeptNode { node, split: None }));
    left
}

/// A node that may be split next. The greatest improvement comes first; of equal ones, the older node.
struct FrontierNode<'a> {
    index: usize,
    depth: u32,
    split: &'a SharedSplit,
}

impl Ord for FrontierNode<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.split.improvement.total_cmp(&other.split.improvement).then(other.index.cmp(&self.index))
    }
}

impl PartialOrd for FrontierNode<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for FrontierNode<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for FrontierNode<'_> {}

/// Minimal cost-complexity pruning (Breiman, Friedman, Olshen and Stone 1984): the smallest of the trees with the least
/// risk + `alpha` × leaves. From the leaves upwards, a node becomes a leaf if its branch reduces impurity, weighted by the
/// share of the rows, by at most `alpha` per leaf it adds. scikit-learn removes the weakest branch again and again, which ends
/// in the same tree.
fn prune(kept: &mut [KeptNode<'_>], shared_tree: &SharedTree, alpha: f64) {
    let mut risks: Vec<(f64, u32)> = vec![(0.0, 1); kept.len()];
    // Children come after their parents, so a backward pass meets them first.
    for index in (0..kept.len()).rev() {
        let node = &shared_tree.nodes[kept[index].node as usize];
        let own = node.weight * node.impurity / shared_tree.weight;
        risks[index] = (own, 1);
        if let Some((_, left)) = kept[index].split {
            let (branch, leaves) = (risks[left].0 + risks[left + 1].0, risks[left].1 + risks[left + 1].1);
            if (own - branch) / f64::from(leaves - 1) <= alpha {
                kept[index].split = None;
            } else {
                risks[index] = (branch, leaves);
            }
        }
    }
}

/// The nodes that can be reached, as prediction needs them.
fn to_tree(kept: &[KeptNode<'_>], shared_tree: &SharedTree) -> Tree {
    let mut tree = Tree::new();
    let mut stack = vec![(0, 0)];
    while let Some((index, step)) = stack.pop() {
        match kept[index].split {
            None => tree.set_leaf(step, shared_tree.shares_of(kept[index].node)),
            Some((split, left)) => {
                let left_step = tree.set_branch(step, split.feature, split.threshold);
                stack.extend([(left + 1, left_step + 1), (left, left_step)]);
            }
        }
    }
    tree
}
