//! Minimal cost-complexity pruning (Breiman, Friedman, Olshen, Stone 1984), as scikit-learn does it.

use super::grow::Node;

/// Cuts the weakest branches while what they gain per leaf, in impurity weighted by the share of the rows, is at most
/// `alpha`. Nodes below a cut stay in the list, out of reach.
pub(super) fn prune(nodes: &mut [Node], alpha: f64) {
    let total = nodes[0].weight;
    let mut branches = branches(nodes, total);
    while nodes[0].branch.is_some() {
        let gain = |of: &Branches| (of.own - of.below) / (of.leaves - 1) as f64;
        let candidates = (0..nodes.len()).filter(|&node| branches[node].candidate);
        let Some(weakest) = candidates.min_by(|&a, &b| gain(&branches[a]).total_cmp(&gain(&branches[b]))) else {
            break;
        };
        if gain(&branches[weakest]) > alpha {
            break;
        }
        cut(nodes, &mut branches, weakest);
    }
}

/// A node's own risk as a leaf, and that of the leaves below it.
struct Branches {
    parent: Option<usize>,
    own: f64,
    below: f64,
    leaves: usize,
    /// It can be cut: still reached, and not a leaf.
    candidate: bool,
}

fn branches(nodes: &[Node], total: f64) -> Vec<Branches> {
    let of_node = |node: &Node| {
        let own = node.weight * node.impurity / total;
        Branches { parent: None, own, below: own, leaves: 1, candidate: node.branch.is_some() }
    };
    let mut branches: Vec<Branches> = nodes.iter().map(of_node).collect();
    // Children come after their parents, so going backwards meets them first.
    for (node, branch) in nodes.iter().enumerate().rev().filter_map(|(node, of)| Some((node, of.branch?))) {
        branches[branch.left].parent = Some(node);
        branches[branch.right].parent = Some(node);
        branches[node].below = branches[branch.left].below + branches[branch.right].below;
        branches[node].leaves = branches[branch.left].leaves + branches[branch.right].leaves;
    }
    branches
}

fn cut(nodes: &mut [Node], branches: &mut [Branches], node: usize) {
    let mut below = vec![node];
    while let Some(next) = below.pop() {
        branches[next].candidate = false;
        below.extend(nodes[next].branch.iter().flat_map(|branch| [branch.left, branch.right]));
    }
    let (lost, rise) = (branches[node].leaves - 1, branches[node].own - branches[node].below);
    nodes[node].branch = None;
    let mut above = Some(node);
    while let Some(ancestor) = above {
        branches[ancestor].leaves -= lost;
        branches[ancestor].below += rise;
        above = branches[ancestor].parent;
    }
}
