//! Decision trees for several labels, scikit-learn's `DecisionTreeClassifier`.
//!
//! One tree serves all labels; impurity is the mean over labels, and a leaf holds one probability a label. What is
//! random (the order in which features are looked at, random thresholds) is a function of the seed and of the node's
//! place in the tree, so it draws other numbers than scikit-learn, from the same distributions.

mod columns;
mod criterion;
mod grow;
mod params;
mod prune;
mod split;
mod weights;

use std::time::Instant;

use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array2, ArrayBase, ArrayView2, Data, Ix2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use criterion::Criterion;
pub use params::{Amount, FeatureRule, MaxFeatures, PARAMETERS, Splitter, TreeParams, TreeValidParams};
pub use weights::{ClassWeight, LabelWeights, WeightRule, balanced_weights};

use crate::family::{Trained, decide};
use crate::{Labelled, LearnError};
use columns::Columns;
use grow::Node;
use split::RowWeights;

/// The fitted model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    labels: usize,
    /// The root first.
    steps: Vec<Step>,
    /// Leaves × labels, row-major.
    shares: Vec<f64>,
}

/// What a row does at a node.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Step {
    /// Go to the node `left` or `right`.
    Branch { feature: u32, threshold: f64, left: u32, right: u32 },
    /// Stay in the leaf with this number.
    Leaf(u32),
}

impl Fit<Array2<f64>, Array2<bool>, LearnError> for TreeValidParams {
    type Object = Tree;

    fn fit(&self, dataset: &Labelled) -> Result<Tree, LearnError> {
        let columns = Columns::new(dataset.records.view());
        fit_on(self, &columns, dataset.targets.view()).map_err(LearnError::Unfittable)
    }
}

/// Fits every setting on the same rows and predicts the same others.
pub(crate) fn train_all(settings: &[&TreeValidParams], train: &Labelled, rows: ArrayView2<'_, f64>) -> Vec<Trained> {
    let columns = Columns::new(train.records.view());
    let train_one = |params: &&TreeValidParams| {
        let started = Instant::now();
        let tree = fit_on(params, &columns, train.targets.view());
        let probabilities = tree.map(|tree| tree.probabilities(rows));
        Trained { probabilities, seconds: started.elapsed().as_secs_f64() }
    };
    settings.par_iter().map(train_one).collect()
}

fn fit_on(params: &TreeValidParams, columns: &Columns, labels: ArrayView2<'_, bool>) -> Result<Tree, String> {
    if labels.is_empty() {
        return Err("there are no rows to fit on".into());
    }
    let plain = match &params.class_weight {
        None => vec![1.0; labels.nrows()],
        Some(weight) => weight.of_rows(labels)?,
    };
    let with = labels.rows().into_iter().zip(&plain);
    let with =
        with.flat_map(|(row, &weight)| row.into_iter().map(move |&has| if has { weight } else { 0.0 })).collect();
    let weights = RowWeights { plain, with, labels: labels.ncols() };
    let mut nodes = grow::grow(params, columns, &weights)?;
    if params.ccp_alpha > 0.0 {
        prune::prune(&mut nodes, params.ccp_alpha);
    }
    Ok(Tree::of(&nodes, labels.ncols()))
}

impl Tree {
    /// Keeps what prediction needs of the nodes that can be reached.
    fn of(nodes: &[Node], labels: usize) -> Self {
        let mut tree = Self { labels, steps: vec![Step::Leaf(0)], shares: Vec::new() };
        let mut below = vec![(0, 0)];
        while let Some((node, step)) = below.pop() {
            let Node { branch, shares, .. } = &nodes[node];
            tree.steps[step] = match branch {
                None => {
                    tree.shares.extend(shares);
                    Step::Leaf((tree.shares.len() / labels - 1) as u32)
                }
                Some(branch) => {
                    let left = tree.steps.len();
                    tree.steps.extend([Step::Leaf(0); 2]);
                    below.extend([(branch.right, left + 1), (branch.left, left)]);
                    let (feature, threshold) = (branch.feature, branch.threshold);
                    Step::Branch { feature, threshold, left: left as u32, right: left as u32 + 1 }
                }
            };
        }
        tree
    }

    /// Number of leaves.
    pub fn leaves(&self) -> usize {
        self.shares.len() / self.labels
    }

    /// The share of each label in each row's leaf, m × q, for m rows of d features.
    pub fn probabilities(&self, rows: ArrayView2<'_, f64>) -> Array2<f64> {
        let mut shares = Array2::zeros((rows.nrows(), self.labels));
        for (row, mut shares) in rows.rows().into_iter().zip(shares.rows_mut()) {
            let mut step = 0;
            let leaf = loop {
                match self.steps[step] {
                    Step::Leaf(leaf) => break leaf as usize,
                    Step::Branch { feature, threshold, left, right } => {
                        let is_left = f64::from(row[feature as usize] as f32) <= threshold;
                        step = if is_left { left } else { right } as usize;
                    }
                }
            };
            let of_leaf = &self.shares[leaf * self.labels..(leaf + 1) * self.labels];
            shares.iter_mut().zip(of_leaf).for_each(|(share, of_leaf)| *share = *of_leaf);
        }
        shares
    }
}

impl<D: Data<Elem = f64>> PredictInplace<ArrayBase<D, Ix2>, Array2<bool>> for Tree {
    fn predict_inplace<'a>(&'a self, rows: &'a ArrayBase<D, Ix2>, labels: &mut Array2<bool>) {
        labels.assign(&decide(&self.probabilities(rows.view())));
    }

    fn default_target(&self, rows: &ArrayBase<D, Ix2>) -> Array2<bool> {
        Array2::default((rows.nrows(), self.labels))
    }
}
