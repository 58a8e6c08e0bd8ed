//! Growing a tree: every node that any setting of a growth may want, once.
//!
//! Settings of one growth differ only in where they stop (see [`super::cut`]) and in their variants: what a leaf must at
//! least have. Variants share a node as long as they came to it by the same splits; where the best split of one breaks
//! the limits of another, the ways part, and what lies below is grown for each. What a variant finds is a function of
//! rows, path and its own limits, so it is what the variant would find alone.

use std::ops::Range;

use super::near::{self, Near};
use super::params::Splitter;
use super::presorted::{Presorted, Sides};
use super::split::{self, Best, Scratch, Search, each};
use super::values::key;
use crate::random::RandomKey;

/// A grown tree, the root first among its nodes.
pub(super) struct Grown {
    pub(super) nodes: Vec<Node>,
    /// Nodes × labels: the share of each label.
    pub(super) shares: Vec<f64>,
    pub(super) splits: Vec<Split>,
    labels: usize,
    /// Weight of all rows.
    pub(super) weight: f64,
}

/// A node of a grown tree.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) rows: u32,
    pub(super) weight: f64,
    pub(super) impurity: f64,
    /// Its splits among all: from here on, so many.
    pub(super) splits: (u32, u32),
}

/// How some variants split a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Split {
    /// Bit v: variant v splits like this.
    pub(super) variants: u64,
    pub(super) feature: u32,
    pub(super) threshold: f64,
    pub(super) improvement: f64,
    pub(super) left: u32,
    pub(super) right: u32,
}

/// Where growth ends, whatever the variant: the widest of all settings that share it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub(super) max_depth: Option<u32>,
    pub(super) min_samples_split: usize,
    pub(super) min_impurity_decrease: f64,
}

/// Branches that are grown side by side begin no deeper than this: each waits for the other on a thread's stack.
const DEEP: u32 = 64;

/// Grows one tree.
pub(super) struct Grower<'a> {
    pub(super) search: Search<'a>,
    pub(super) ends: Ends,
}

/// A node that is to be split.
pub(super) struct Open {
    pub(super) node: u32,
    /// The node's rows are a stretch of this buffer.
    buffer: usize,
    rows: Range<usize>,
    depth: u32,
    pub(super) path: RandomKey,
    /// Those that may split it.
    pub(super) variants: u64,
    presorted: Option<Presorted>,
    /// It is in a small branch, whose rows were copied together.
    near: bool,
}

/// A tree, or a branch of one, while it is grown. Waiting nodes are on a heap, since a tree may be as deep as it has rows.
pub(super) struct Growth<'a> {
    pub(super) grower: &'a Grower<'a>,
    pub(super) grown: Grown,
    /// Rows; ways that part from others have copies of their own.
    buffers: Vec<Vec<u32>>,
    pub(super) open: Vec<Open>,
    room: Vec<u32>,
}

impl Grown {
    /// The split of a node for a variant.
    pub(super) fn split(&self, node: u32, variant: usize) -> Option<&Split> {
        let (first, count) = self.nodes[node as usize].splits;
        let of_node = &self.splits[first as usize..(first + count) as usize];
        of_node.iter().find(|split| split.variants >> variant & 1 == 1)
    }

    pub(super) fn shares_of(&self, node: u32) -> &[f64] {
        &self.shares[node as usize * self.labels..][..self.labels]
    }

    /// Puts the root of another tree in the place of a leaf, and all that is below it behind the other nodes.
    pub(super) fn replace(&mut self, leaf: u32, other: Self) {
        let (node, split) = (self.nodes.len() as u32 - 1, self.splits.len() as u32);
        let moved = |of: Node| Node { splits: (of.splits.0 + split, of.splits.1), ..of };
        let mut nodes = other.nodes.into_iter().map(moved);
        self.nodes[leaf as usize] = nodes.next().expect("a tree has a root");
        self.nodes.extend(nodes);
        self.shares.extend_from_slice(&other.shares[self.labels..]);
        let moved = |of: Split| Split { left: of.left + node, right: of.right + node, ..of };
        self.splits.extend(other.splits.into_iter().map(moved));
    }

    /// N_t / N × (impurity − N_right / N_t × impurity_right − N_left / N_t × impurity_left), by weight.
    fn improvement(&self, node: u32, left: u32, right: u32) -> f64 {
        let [node, left, right] = [node, left, right].map(|node| &self.nodes[node as usize]);
        let part = |side: &Node| side.weight / node.weight * side.impurity;
        node.weight / self.weight * (node.impurity - part(right) - part(left))
    }
}

impl Grower<'_> {
    /// Grows a tree branch by branch: any but those of random thresholds of all features, see [`super::levels`].
    pub(super) fn grow(&self, root: RandomKey) -> Result<Grown, String> {
        let mut growth = Growth::new(self, root)?;
        growth.run(&mut Scratch::new(&self.search));
        Ok(growth.grown)
    }
}

impl<'a> Growth<'a> {
    /// The root of a tree, open. Rows without weight are left out.
    pub(super) fn new(grower: &'a Grower<'a>, root: RandomKey) -> Result<Self, String> {
        let search = &grower.search;
        let weights = &search.weights.of_rows;
        let rows: Vec<u32> = (0..weights.len() as u32).filter(|&row| weights[row as usize] != 0.0).collect();
        if rows.is_empty() {
            return Err("class_weight leaves no row with a weight".into());
        }
        let presort = search.takes_all() && search.splitter == Splitter::Best;
        let presorted = presort.then(|| Presorted::root(search.columns, &rows, &search.cancel));
        let mut growth = Self::empty(grower);
        let all = 0..rows.len();
        growth.buffers.push(rows);
        let (node, variants) = growth.add(0, all.clone(), 0, u64::MAX >> (64 - search.variants.len()));
        growth.wait(Open { node, buffer: 0, rows: all, depth: 0, path: root, variants, presorted, near: false });
        Ok(growth)
    }

    fn empty(grower: &'a Grower<'a>) -> Self {
        let search = &grower.search;
        let grown = Grown {
            nodes: Vec::new(),
            shares: Vec::new(),
            splits: Vec::new(),
            labels: search.labels.count(),
            weight: search.weights.total,
        };
        Self { grower, grown, buffers: Vec::new(), open: Vec::new(), room: Vec::new() }
    }

    /// Adds a node of these rows as a leaf; which of the variants may split it.
    fn add(&mut self, buffer: usize, rows: Range<usize>, depth: u32, variants: u64) -> (u32, u64) {
        let Grower { search, ends } = self.grower;
        let rows = &self.buffers[buffer][rows];
        let first = self.grown.shares.len();
        self.grown.shares.resize(first + search.labels.count(), 0.0);
        let with = &mut self.grown.shares[first..];
        let mut weight = 0.0;
        for &row in rows {
            let of_row = search.weights.of_rows[row as usize];
            weight += of_row;
            search.labels.of(row).iter().for_each(|&label| with[label as usize] += of_row);
        }
        let impurity = search.criterion.impurity(weight, with);
        with.iter_mut().for_each(|with| *with /= weight);
        let node = self.grown.nodes.len() as u32;
        self.grown.nodes.push(Node { rows: rows.len() as u32, weight, impurity, splits: (0, 0) });

        if ends.max_depth.is_some_and(|most| depth >= most)
            || rows.len() < ends.min_samples_split
            || impurity <= f64::EPSILON
        {
            return (node, 0);
        }
        let may_split = |variant: &usize| {
            let limits = search.variants[*variant];
            rows.len() >= 2 * limits.rows && weight >= 2.0 * limits.weight
        };
        (node, each(variants).filter(may_split).fold(0, |set, variant| set | 1 << variant))
    }

    pub(super) fn wait(&mut self, open: Open) {
        if open.variants != 0 {
            self.open.push(open);
        }
    }

    /// Splits what is open, and what comes of it; leaves some of it open where it is cancelled.
    pub(super) fn run(&mut self, scratch: &mut Scratch) {
        while let Some(mut open) = self.open.pop() {
            if self.grower.search.cancel.is_cancelled() {
                return;
            }
            // The nodes of a branch are popped before any other, so one branch is copied at a time.
            if !open.near && open.presorted.is_none() && open.rows.len() <= near::ROWS {
                self.grower.search.take(&self.buffers[open.buffer][open.rows.clone()], scratch);
                open.near = true;
            }
            self.split(open, scratch);
        }
    }

    /// Splits a node in all the ways that its variants want.
    fn split(&mut self, mut open: Open, scratch: &mut Scratch) {
        let search = &self.grower.search;
        search.split(&self.seen(&open), open.presorted.as_ref(), scratch);
        let mut ways = self.ways(&open, &scratch.best).into_iter();
        while let Some(way) = ways.next() {
            let near = (open.near && search.splitter == Splitter::Random).then_some(&scratch.near.keys);
            // The last way takes the orders along.
            let presorted = if ways.len() == 0 { open.presorted.take() } else { open.presorted.clone() };
            let Some([left, right]) = self.go(&open, &way, near, presorted) else { continue };
            // A near branch stays with the room that its rows were copied into.
            if !open.near && right.depth <= DEEP && open.rows.len() * search.drawn > split::SHARED {
                self.branch(left, right, scratch);
            } else {
                self.wait(right);
                self.wait(left);
            }
        }
    }

    /// A node as its split is looked for.
    pub(super) fn seen(&self, open: &Open) -> split::Node<'_> {
        split::Node {
            path: open.path,
            rows: &self.buffers[open.buffer][open.rows.clone()],
            weight: self.grown.nodes[open.node as usize].weight,
            variants: open.variants,
            near: open.near,
        }
    }

    /// The ways from a node, by the best split for each variant.
    pub(super) fn ways(&mut self, open: &Open, best: &[Best]) -> Vec<Way> {
        let ways = alike(best, open.variants);
        let first = self.grown.splits.len();
        self.grown.nodes[open.node as usize].splits = (first as u32, ways.len() as u32);
        let nothing = Split { variants: 0, feature: 0, threshold: 0.0, improvement: 0.0, left: 0, right: 0 };
        self.grown.splits.resize(first + ways.len(), nothing);
        let last = ways.len();
        let way = |(index, (variants, best))| {
            let (mut buffer, mut rows) = (open.buffer, open.rows.clone());
            if index + 1 < last {
                self.buffers.push(self.buffers[buffer][rows.clone()].to_vec());
                (buffer, rows) = (self.buffers.len() - 1, 0..rows.len());
            }
            Way { split: first + index, variants, best, buffer, rows }
        };
        ways.into_iter().enumerate().map(way).collect()
    }

    /// Goes one way from a node; its children. `near` holds the keys of a near branch, and `presorted` the orders of the
    /// node's rows, where it has any.
    pub(super) fn go(
        &mut self,
        from: &Open,
        way: &Way,
        near: Option<&Near<i32>>,
        presorted: Option<Presorted>,
    ) -> Option<[Open; 2]> {
        let &Way { split, variants, best: Best { feature, threshold, .. }, buffer, ref rows } = way;
        let columns = self.grower.search.columns;
        let values = columns.along(feature);
        let is_left = |row: u32| f64::from(values.of(row)) <= threshold;
        let of_node = &mut self.buffers[buffer][rows.clone()];
        let presorted = presorted.map(|orders| (orders, Sides::new(of_node.iter().map(|&row| is_left(row)))));
        let left = match near {
            // They were just looked at there.
            Some(near) => {
                let (keys, most) = (near.feature(feature), key(threshold as f32));
                partition(of_node, &mut self.room, |row| keys[near.place(row) as usize] <= most)
            }
            None => partition(of_node, &mut self.room, is_left),
        };
        let middle = rows.start + left;

        if middle == rows.start || middle == rows.end {
            return None;
        }
        let depth = from.depth + 1;
        let sides_of = [(rows.start..middle, from.path.left()), (middle..rows.end, from.path.right())];
        let [left, right] = sides_of.map(|(rows, path)| {
            let (node, variants) = self.add(buffer, rows.clone(), depth, variants);
            Open { node, buffer, rows, depth, path, variants, presorted: None, near: from.near }
        });
        let improvement = self.grown.improvement(from.node, left.node, right.node);
        if improvement + f64::EPSILON < self.grower.ends.min_impurity_decrease {
            return None;
        }
        self.grown.splits[split] =
            Split { variants, feature, threshold, improvement, left: left.node, right: right.node };
        let mut children = [left, right];
        let wanted = children.each_ref().map(|child| child.variants != 0);
        if let Some((orders, sides)) = presorted.filter(|_| wanted.contains(&true)) {
            let rows = children.each_ref().map(|child| &self.buffers[buffer][child.rows.clone()]);
            let of_children = orders.children(columns, &sides, rows, wanted, &self.grower.search.cancel);
            children.iter_mut().zip(of_children).for_each(|(child, of)| child.presorted = Some(of));
        }
        Some(children)
    }

    /// A branch as a tree of its own.
    pub(super) fn apart(&self, open: Open) -> Growth<'a> {
        let mut apart = Growth::empty(self.grower);
        apart.buffers.push(self.buffers[open.buffer][open.rows.clone()].to_vec());
        apart.grown.nodes.push(self.grown.nodes[open.node as usize].clone());
        apart.grown.shares.extend_from_slice(self.grown.shares_of(open.node));
        apart.wait(Open { node: 0, buffer: 0, rows: 0..open.rows.len(), ..open });
        apart
    }

    /// Grows two branches side by side: the right one as a tree of its own, which is put in its place at the end.
    fn branch(&mut self, left: Open, right: Open, scratch: &mut Scratch) {
        let place = right.node;
        let mut apart = self.apart(right);
        self.wait(left);
        let mut room = Scratch::new(&self.grower.search);
        rayon::join(|| self.run(scratch), || apart.run(&mut room));
        self.grown.replace(place, apart.grown);
    }
}

/// A way from a node to two children.
pub(super) struct Way {
    /// Its place among all splits.
    split: usize,
    variants: u64,
    best: Best,
    buffer: usize,
    rows: Range<usize>,
}

/// Variants that split alike, each with their split.
fn alike(best: &[Best], variants: u64) -> Vec<(u64, Best)> {
    let mut ways: Vec<(u64, Best)> = Vec::new();
    for variant in each(variants).filter(|&variant| best[variant].exists()) {
        let of = best[variant];
        match ways.iter_mut().find(|(_, way)| way.feature == of.feature && way.threshold == of.threshold) {
            Some((variants, _)) => *variants |= 1 << variant,
            None => ways.push((1 << variant, of)),
        }
    }
    ways
}

/// Puts the rows that go left first, both sides in their order; how many those are.
fn partition(rows: &mut [u32], room: &mut Vec<u32>, is_left: impl Fn(u32) -> bool) -> usize {
    room.clear();
    let mut left = 0;
    for at in 0..rows.len() {
        let row = rows[at];
        if is_left(row) {
            rows[left] = row;
            left += 1;
        } else {
            room.push(row);
        }
    }
    rows[left..].copy_from_slice(room);
    left
}
