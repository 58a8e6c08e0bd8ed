//! Fitted trees and forests, and the probabilities they predict.

use linfa::traits::PredictInplace;
use ndarray::{Array2, ArrayBase, ArrayView2, ArrayViewMut2, Axis, Data, Ix2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::Cancel;
use crate::cancel::Cancelled;
use crate::family::decide;

/// A tree as prediction needs it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Tree {
    /// The root comes first.
    steps: Vec<TreeStep>,
    /// Leaves × labels, row-major.
    shares: Vec<f64>,
}

/// A node as a row meets it. A value of at most the threshold leads to the step `next`, any other to the step after that. In a
/// leaf, `next` is where the leaf's shares start.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct TreeStep {
    threshold: f64,
    feature: u32,
    next: u32,
}

/// The feature of a leaf, which has none.
const NO_FEATURE: u32 = u32::MAX;

impl Tree {
    /// A tree whose root is still to be set.
    pub(super) fn new() -> Self {
        Self { steps: vec![TreeStep { threshold: 0.0, feature: NO_FEATURE, next: 0 }], shares: Vec::new() }
    }

    /// Turns a step into a leaf.
    pub(super) fn set_leaf(&mut self, step: usize, shares: &[f64]) {
        self.steps[step].next = self.shares.len() as u32;
        self.shares.extend_from_slice(shares);
    }

    /// Turns a step into a branch; returns the step of its left child, which that of the right one follows.
    pub(super) fn set_branch(&mut self, step: usize, feature: u32, threshold: f64) -> usize {
        let next = self.steps.len();
        self.steps[step] = TreeStep { threshold, feature, next: next as u32 };
        self.steps.extend([TreeStep { threshold: 0.0, feature: NO_FEATURE, next: 0 }; 2]);
        next
    }

    pub(super) fn leaves(&self) -> usize {
        self.steps.iter().filter(|step| step.feature == NO_FEATURE).count()
    }

    /// The shares of the leaf that a row reaches.
    #[inline]
    fn leaf_shares(&self, row: &[f32], labels: usize) -> &[f64] {
        let mut step = &self.steps[0];
        while step.feature != NO_FEATURE {
            let right = f64::from(row[step.feature as usize]) > step.threshold;
            step = &self.steps[step.next as usize + usize::from(right)];
        }
        &self.shares[step.next as usize..step.next as usize + labels]
    }

    /// Adds the predicted shares, m rows × q labels, to those of other trees.
    pub(super) fn add_shares(&self, rows: &Array2<f32>, mut shares: ArrayViewMut2<'_, f64>) {
        let labels = shares.ncols();
        for (row, mut shares) in rows.rows().into_iter().zip(shares.rows_mut()) {
            let leaf_shares = self.leaf_shares(row.to_slice().expect("row-major"), labels);
            shares.iter_mut().zip(leaf_shares).for_each(|(share, leaf_share)| *share += leaf_share);
        }
    }
}

/// A fitted decision tree or forest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forest {
    pub(super) labels: usize,
    pub(super) trees: Vec<Tree>,
}

/// Converts rows to the type that trees read.
pub(super) fn to_f32(rows: ArrayView2<'_, f64>) -> Array2<f32> {
    let mut narrow = Array2::zeros(rows.raw_dim());
    narrow.zip_mut_with(&rows, |narrow, &wide| *narrow = wide as f32);
    narrow
}

impl Forest {
    /// The number of leaves of all trees.
    pub fn leaves(&self) -> usize {
        self.trees.iter().map(Tree::leaves).sum()
    }

    /// Predicts probabilities, m rows × q labels: the shares of each row's leaves, averaged over the trees.
    pub fn probabilities(&self, rows: ArrayView2<'_, f64>) -> Array2<f64> {
        self.probabilities_until(rows, &Cancel::new()).expect("it cannot be cancelled")
    }

    /// [`Forest::probabilities`], which stops when it is cancelled.
    pub(crate) fn probabilities_until(
        &self,
        rows: ArrayView2<'_, f64>,
        cancel: &Cancel,
    ) -> Result<Array2<f64>, Cancelled> {
        let rows = to_f32(rows);
        let mut shares = Array2::zeros((rows.nrows(), self.labels));
        let predict = |(row, mut shares): (ndarray::ArrayView1<'_, f32>, ndarray::ArrayViewMut1<'_, f64>)| {
            cancel.check()?;
            let row = row.to_slice().expect("row-major");
            for tree in &self.trees {
                let leaf_shares = tree.leaf_shares(row, self.labels);
                shares.iter_mut().zip(leaf_shares).for_each(|(share, leaf_share)| *share += leaf_share);
            }
            shares.mapv_inplace(|share| share / self.trees.len() as f64);
            Ok(())
        };
        let pairs = rows.axis_iter(Axis(0)).into_par_iter().zip(shares.axis_iter_mut(Axis(0)));
        pairs.try_for_each(predict)?;
        Ok(shares)
    }
}

impl<D: Data<Elem = f64>> PredictInplace<ArrayBase<D, Ix2>, Array2<bool>> for Forest {
    fn predict_inplace<'a>(&'a self, rows: &'a ArrayBase<D, Ix2>, labels: &mut Array2<bool>) {
        labels.assign(&decide(self.probabilities(rows.view()).view()));
    }

    fn default_target(&self, rows: &ArrayBase<D, Ix2>) -> Array2<bool> {
        Array2::default((rows.nrows(), self.labels))
    }
}
