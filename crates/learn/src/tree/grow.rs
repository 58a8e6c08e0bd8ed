//! Growing a tree: depth first, or best first where the number of leaves is limited.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::Range;

use super::TreeValidParams;
use super::columns::Columns;
use super::criterion::Sums;
use super::split::{Limits, RowWeights, Search, Side, Split};
use crate::random::Path;

/// A node of a grown tree.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// `None`: a leaf.
    pub(super) branch: Option<Branch>,
    pub(super) impurity: f64,
    pub(super) weight: f64,
    /// Share of each label.
    pub(super) shares: Vec<f64>,
}

/// Where rows go from a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Branch {
    pub(super) feature: u32,
    pub(super) threshold: f64,
    pub(super) left: usize,
    pub(super) right: usize,
}

/// Grows a tree, the root first among its nodes; children come after their parents. Rows without weight are left out.
pub(super) fn grow(params: &TreeValidParams, columns: &Columns, weights: &RowWeights) -> Result<Vec<Node>, String> {
    let rows: Vec<u32> = (0..columns.rows() as u32).filter(|&row| weights.plain[row as usize] != 0.0).collect();
    if rows.is_empty() {
        return Err("class_weight leaves no row with a weight".into());
    }
    let mut grower = Grower::new(params, columns, weights, rows);
    let mut frontier = match params.max_leaf_nodes {
        None => Frontier::DepthFirst(Vec::new()),
        Some(leaves) => Frontier::BestFirst(BinaryHeap::new(), leaves as usize - 1),
    };
    let all = 0..grower.rows.len();
    frontier.push(grower.open(all, 0, Path::root(params.seed, 0), None));
    while let Some(open) = frontier.pop() {
        let [left, right] = grower.branch(open);
        frontier.push(right);
        frontier.push(left);
    }
    Ok(grower.nodes)
}

/// A node that may still be split.
struct Open {
    node: usize,
    rows: Range<usize>,
    depth: usize,
    path: Path,
    split: Split,
    improvement: f64,
}

/// The nodes still to be split; leaves are not kept.
enum Frontier {
    DepthFirst(Vec<Open>),
    /// With the number of splits left.
    BestFirst(BinaryHeap<Open>, usize),
}

impl Frontier {
    fn push(&mut self, open: Option<Open>) {
        match self {
            Self::DepthFirst(stack) => stack.extend(open),
            Self::BestFirst(heap, _) => heap.extend(open),
        }
    }

    fn pop(&mut self) -> Option<Open> {
        match self {
            Self::DepthFirst(stack) => stack.pop(),
            Self::BestFirst(heap, splits) => {
                *splits = splits.checked_sub(1)?;
                heap.pop()
            }
        }
    }
}

struct Grower<'a> {
    params: &'a TreeValidParams,
    min_samples_split: usize,
    limits: Limits,
    columns: &'a Columns,
    weights: &'a RowWeights,
    total_weight: f64,
    search: Search<'a>,
    /// The rows of a node lie together, ascending.
    rows: Vec<u32>,
    nodes: Vec<Node>,
}

impl<'a> Grower<'a> {
    fn new(params: &'a TreeValidParams, columns: &'a Columns, weights: &'a RowWeights, rows: Vec<u32>) -> Self {
        let total_weight: f64 = weights.plain.iter().sum();
        let limits = Limits {
            criterion: params.criterion,
            splitter: params.splitter,
            drawn_features: params.drawn(columns.features()),
            min_samples_leaf: params.min_samples_leaf.of(columns.rows()),
            min_weight_leaf: params.min_weight_fraction_leaf * total_weight,
        };
        let min_samples_split = params.min_samples_split.of(columns.rows()).max(2).max(2 * limits.min_samples_leaf);
        let search = Search::new(columns, weights, limits);
        Self { params, min_samples_split, limits, columns, weights, total_weight, search, rows, nodes: Vec::new() }
    }

    /// Adds a node as a leaf, and finds its split if it may have one. The root's impurity is not known before.
    fn open(&mut self, rows: Range<usize>, depth: usize, path: Path, impurity: Option<f64>) -> Option<Open> {
        let mut sums = Sums::zero(self.weights.labels);
        self.rows[rows.clone()].iter().for_each(|&row| self.weights.add_to(&mut sums, row));
        let impurity = impurity.unwrap_or_else(|| self.params.criterion.impurity(&sums));
        let shares = sums.with.iter().map(|with| with / sums.weight).collect();
        let node = self.nodes.len();
        self.nodes.push(Node { branch: None, impurity, weight: sums.weight, shares });

        let is_leaf = self.params.max_depth.is_some_and(|most| depth >= most as usize)
            || rows.len() < self.min_samples_split
            || sums.weight < 2.0 * self.limits.min_weight_leaf
            || impurity <= f64::EPSILON;
        if is_leaf {
            return None;
        }
        let split = self.search.split(path, &self.rows[rows.clone()], &sums)?;
        let improvement = self.improvement(sums.weight, impurity, &split);
        let worth_it = improvement + f64::EPSILON >= self.params.min_impurity_decrease;
        worth_it.then_some(Open { node, rows, depth, path, split, improvement })
    }

    /// N_t / N × (impurity − N_right / N_t × impurity_right − N_left / N_t × impurity_left), by weight.
    fn improvement(&self, weight: f64, impurity: f64, split: &Split) -> f64 {
        let part = |side: Side| side.weight / weight * side.impurity;
        weight / self.total_weight * (impurity - part(split.right) - part(split.left))
    }

    /// Splits a node: its rows, and the tree.
    fn branch(&mut self, open: Open) -> [Option<Open>; 2] {
        let Split { feature, threshold, .. } = open.split;
        let column = self.columns.column(feature);
        let rows = &mut self.rows[open.rows.clone()];
        let (left, right): (Vec<u32>, Vec<u32>) =
            rows.iter().partition(|&&row| f64::from(column[row as usize]) <= threshold);
        rows[..left.len()].copy_from_slice(&left);
        rows[left.len()..].copy_from_slice(&right);
        let middle = open.rows.start + left.len();
        let depth = open.depth + 1;
        let left = self.nodes.len();
        let left_open = self.open(open.rows.start..middle, depth, open.path.left(), Some(open.split.left.impurity));
        let right = self.nodes.len();
        let right_open = self.open(middle..open.rows.end, depth, open.path.right(), Some(open.split.right.impurity));
        self.nodes[open.node].branch = Some(Branch { feature, threshold, left, right });
        [left_open, right_open]
    }
}

/// The greatest improvement is split first, of equal ones the older node.
impl Ord for Open {
    fn cmp(&self, other: &Self) -> Ordering {
        self.improvement.total_cmp(&other.improvement).then(other.node.cmp(&self.node))
    }
}

impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Open {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Open {}
