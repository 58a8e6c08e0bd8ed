//! A tree that several candidates share: every node and split that any of them may want, each once.

/// A tree with the splits of all variants; the root is its first node.
pub(super) struct SharedTree {
    pub(super) nodes: Vec<SharedNode>,
    /// Nodes × labels: the share of the node's weight with each label.
    pub(super) shares: Vec<f64>,
    pub(super) splits: Vec<SharedSplit>,
    labels: usize,
    /// The weight of all rows.
    pub(super) weight: f64,
}

/// A node of a shared tree.
#[derive(Debug, Clone)]
pub(super) struct SharedNode {
    pub(super) rows: u32,
    pub(super) weight: f64,
    pub(super) impurity: f64,
    /// The index of the node's first split, and the number of its splits.
    pub(super) splits: (u32, u32),
}

/// How some of the variants split a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct SharedSplit {
    /// Bit v: variant v splits the node like this.
    pub(super) variants: u64,
    pub(super) feature: u32,
    pub(super) threshold: f64,
    pub(super) improvement: f64,
    pub(super) left: u32,
    pub(super) right: u32,
}

impl SharedTree {
    /// A tree without nodes, for rows of this total weight.
    pub(super) fn new(labels: usize, weight: f64) -> Self {
        Self { nodes: Vec::new(), shares: Vec::new(), splits: Vec::new(), labels, weight }
    }

    /// A variant's split of a node.
    pub(super) fn split(&self, node: u32, variant: usize) -> Option<&SharedSplit> {
        let (first, count) = self.nodes[node as usize].splits;
        let splits = &self.splits[first as usize..(first + count) as usize];
        splits.iter().find(|split| split.variants >> variant & 1 == 1)
    }

    pub(super) fn shares_of(&self, node: u32) -> &[f64] {
        &self.shares[node as usize * self.labels..][..self.labels]
    }

    /// Replaces a leaf by the root of another tree, and appends the other nodes of that tree.
    pub(super) fn replace_leaf(&mut self, leaf: u32, branch: Self) {
        // The branch's root takes the leaf's place, so the other nodes move by one less.
        let (node_offset, split_offset) = (self.nodes.len() as u32 - 1, self.splits.len() as u32);
        let mut nodes = branch.nodes.into_iter().map(|node| {
            let (first, count) = node.splits;
            SharedNode { splits: (first + split_offset, count), ..node }
        });
        self.nodes[leaf as usize] = nodes.next().expect("a tree has a root");
        self.nodes.extend(nodes);
        self.shares.extend_from_slice(&branch.shares[self.labels..]);
        self.splits.extend(branch.splits.into_iter().map(|split| SharedSplit {
            left: split.left + node_offset,
            right: split.right + node_offset,
            ..split
        }));
    }

    /// scikit-learn's weighted impurity decrease: N_t / N × (impurity − N_right / N_t × impurity_right
    /// − N_left / N_t × impurity_left), where N are weights.
    pub(super) fn improvement(&self, node: u32, left: u32, right: u32) -> f64 {
        let [node, left, right] = [node, left, right].map(|node| &self.nodes[node as usize]);
        let part = |side: &SharedNode| side.weight / node.weight * side.impurity;
        node.weight / self.weight * (node.impurity - part(right) - part(left))
    }
}
