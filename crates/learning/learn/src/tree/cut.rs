//! The trees in a growth: where each setting of it stops.
//!
//! A smaller depth, larger nodes to split and a larger improvement cut the grown tree off; a limit on leaves replays it
//! best first, with those limits applied on the way; minimal cost-complexity pruning comes last.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::fitted::Tree;
use super::grow::{Grown, Node, Split};

/// Where one setting stops.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cut {
    pub(super) variant: usize,
    pub(super) max_depth: Option<u32>,
    pub(super) min_samples_split: usize,
    pub(super) max_leaf_nodes: Option<u32>,
    pub(super) min_impurity_decrease: f64,
    pub(super) ccp_alpha: f64,
}

/// A node of the grown tree that the setting keeps.
struct Kept<'a> {
    node: u32,
    /// Its split, and where its children are among the kept: these two side by side, behind it.
    split: Option<(&'a Split, usize)>,
}

impl Cut {
    /// Whether where a row stops is seen on its way down.
    pub(super) fn only_truncates(&self) -> bool {
        self.max_leaf_nodes.is_none() && self.ccp_alpha <= 0.0
    }

    /// One that stops wherever one of these does, which are of one variant and only truncate.
    pub(super) fn earliest<'a>(cuts: impl Iterator<Item = &'a Self>) -> Option<Self> {
        cuts.copied().reduce(|a, b| Self {
            max_depth: a.max_depth.into_iter().chain(b.max_depth).min(),
            min_samples_split: a.min_samples_split.max(b.min_samples_split),
            min_impurity_decrease: a.min_impurity_decrease.max(b.min_impurity_decrease),
            ..a
        })
    }

    /// The tree that the setting would have grown alone.
    pub(super) fn of(&self, grown: &Grown) -> Tree {
        to_tree(&self.kept(grown), grown)
    }

    /// How much each feature reduces impurity in that tree, weighted by the share of the rows, as shares of 1; all are 0
    /// where it has no split.
    pub(super) fn importances(&self, grown: &Grown, features: usize) -> Vec<f64> {
        let mut importances = vec![0.0; features];
        let kept = self.kept(grown);
        let mut below = vec![0];
        while let Some(at) = below.pop() {
            if let Some((split, left)) = kept[at].split {
                importances[split.feature as usize] += split.improvement;
                below.extend([left + 1, left]);
            }
        }
        normalise(&mut importances);
        importances
    }

    fn kept<'a>(&self, grown: &'a Grown) -> Vec<Kept<'a>> {
        let mut kept = match self.max_leaf_nodes {
            None => self.truncate(grown),
            Some(leaves) => self.replay(grown, leaves),
        };
        if self.ccp_alpha > 0.0 {
            prune(&mut kept, grown, self.ccp_alpha);
        }
        kept
    }

    /// The split of a node at a depth, unless the setting stops there.
    fn split<'a>(&self, grown: &'a Grown, node: u32, depth: u32) -> Option<&'a Split> {
        grown.split(node, self.variant).filter(|split| self.takes(split, &grown.nodes[node as usize], depth))
    }

    /// Whether the setting splits a node at a depth.
    #[inline]
    fn takes(&self, split: &Split, node: &Node, depth: u32) -> bool {
        self.max_depth.is_none_or(|most| depth < most)
            && node.rows as usize >= self.min_samples_split
            && split.improvement + f64::EPSILON >= self.min_impurity_decrease
    }

    fn truncate<'a>(&self, grown: &'a Grown) -> Vec<Kept<'a>> {
        let mut kept = vec![Kept { node: 0, split: None }];
        let mut below = vec![(0, 0)];
        while let Some((at, depth)) = below.pop() {
            if let Some(split) = self.split(grown, kept[at].node, depth) {
                let left = keep(&mut kept, at, split);
                below.extend([(left + 1, depth + 1), (left, depth + 1)]);
            }
        }
        kept
    }

    fn replay<'a>(&self, grown: &'a Grown, leaves: u32) -> Vec<Kept<'a>> {
        let mut kept = vec![Kept { node: 0, split: None }];
        let mut frontier = BinaryHeap::new();
        let meet = |frontier: &mut BinaryHeap<Next<'a>>, kept: &[Kept<'a>], at: usize, depth: u32| {
            frontier.extend(self.split(grown, kept[at].node, depth).map(|split| Next { at, depth, split }));
        };
        meet(&mut frontier, &kept, 0, 0);
        for _ in 1..leaves {
            let Some(Next { at, depth, split }) = frontier.pop() else { break };
            let left = keep(&mut kept, at, split);
            meet(&mut frontier, &kept, left, depth + 1);
            meet(&mut frontier, &kept, left + 1, depth + 1);
        }
        kept
    }
}

impl Grown {
    /// The way of a row down this tree, for cuts of one variant that only truncate: where each of the open ones stops, its
    /// number and the shares there are handed on. `earliest` stops wherever one of them does.
    pub(super) fn pass(
        &self,
        row: &[f32],
        mut earliest: Cut,
        open: &mut Vec<(usize, &Cut)>,
        mut stop: impl FnMut(usize, &[f64]),
    ) {
        let (mut node, mut depth) = (0, 0);
        loop {
            let (at, split) = (&self.nodes[node as usize], self.split(node, earliest.variant));
            if !split.is_some_and(|split| earliest.takes(split, at, depth)) {
                open.retain(|(number, cut)| {
                    let goes_on = split.is_some_and(|split| cut.takes(split, at, depth));
                    if !goes_on {
                        stop(*number, self.shares_of(node));
                    }
                    goes_on
                });
                match Cut::earliest(open.iter().map(|(_, cut)| *cut)) {
                    Some(of_others) => earliest = of_others,
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

/// Makes them sum to 1, unless they sum to 0.
pub(super) fn normalise(importances: &mut [f64]) {
    let sum: f64 = importances.iter().sum();
    if sum > 0.0 {
        importances.iter_mut().for_each(|importance| *importance /= sum);
    }
}

/// Keeps both children of a node; where the left one is.
fn keep<'a>(kept: &mut Vec<Kept<'a>>, at: usize, split: &'a Split) -> usize {
    let left = kept.len();
    kept[at].split = Some((split, left));
    kept.extend([split.left, split.right].map(|node| Kept { node, split: None }));
    left
}

/// A node that may be split next: the greatest improvement first, of equal ones the older node.
struct Next<'a> {
    at: usize,
    depth: u32,
    split: &'a Split,
}

impl Ord for Next<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.split.improvement.total_cmp(&other.split.improvement).then(other.at.cmp(&self.at))
    }
}

impl PartialOrd for Next<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Next<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Next<'_> {}

/// Minimal cost-complexity pruning (Breiman, Friedman, Olshen, Stone 1984): the smallest tree of those that have the
/// least risk + `alpha` × leaves. From the leaves upwards, a node becomes a leaf if what its branch gains a leaf, in
/// impurity weighted by the share of the rows, is at most `alpha`; cutting the weakest branch again and again, as
/// scikit-learn does, ends in the same tree.
fn prune(kept: &mut [Kept<'_>], grown: &Grown, alpha: f64) {
    let mut risks: Vec<(f64, u32)> = vec![(0.0, 1); kept.len()];
    // Children come after their parents, so going backwards meets them first.
    for at in (0..kept.len()).rev() {
        let node = &grown.nodes[kept[at].node as usize];
        let own = node.weight * node.impurity / grown.weight;
        risks[at] = (own, 1);
        if let Some((_, left)) = kept[at].split {
            let (below, leaves) = (risks[left].0 + risks[left + 1].0, risks[left].1 + risks[left + 1].1);
            if (own - below) / f64::from(leaves - 1) <= alpha {
                kept[at].split = None;
            } else {
                risks[at] = (below, leaves);
            }
        }
    }
}

/// What prediction needs of the nodes that can be reached.
fn to_tree(kept: &[Kept<'_>], grown: &Grown) -> Tree {
    let mut tree = Tree::new();
    let mut below = vec![(0, 0)];
    while let Some((at, step)) = below.pop() {
        match kept[at].split {
            None => tree.set_leaf(step, grown.shares_of(kept[at].node)),
            Some((split, left)) => {
                let to = tree.set_branch(step, split.feature, split.threshold);
                below.extend([(left + 1, to + 1), (left, to)]);
            }
        }
    }
    tree
}
