//! Fitted trees, and what they say of a row.

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
    /// The root first.
    steps: Vec<Step>,
    /// Leaves × labels, row-major.
    shares: Vec<f64>,
}

/// What a row does at a node: with at most the threshold it goes to the step `next`, else to the one after that. In a
/// leaf it stays, and `next` is where the leaf's shares begin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Step {
    threshold: f64,
    feature: u32,
    next: u32,
}

/// No feature: a leaf.
const LEAF: u32 = u32::MAX;

impl Tree {
    /// A tree whose root has still to be set.
    pub(super) fn new() -> Self {
        Self { steps: vec![Step { threshold: 0.0, feature: LEAF, next: 0 }], shares: Vec::new() }
    }

    /// Makes a step a leaf.
    pub(super) fn set_leaf(&mut self, step: usize, shares: &[f64]) {
        self.steps[step].next = self.shares.len() as u32;
        self.shares.extend_from_slice(shares);
    }

    /// Makes a step a branch; the step of its left child, after which that of the right one follows.
    pub(super) fn set_branch(&mut self, step: usize, feature: u32, threshold: f64) -> usize {
        let next = self.steps.len();
        self.steps[step] = Step { threshold, feature, next: next as u32 };
        self.steps.extend([Step { threshold: 0.0, feature: LEAF, next: 0 }; 2]);
        next
    }

    pub(super) fn leaves(&self) -> usize {
        self.steps.iter().filter(|step| step.feature == LEAF).count()
    }

    /// Shares of the leaf that a row comes to.
    #[inline]
    fn of_row(&self, row: &[f32], labels: usize) -> &[f64] {
        let mut step = &self.steps[0];
        while step.feature != LEAF {
            let right = f64::from(row[step.feature as usize]) > step.threshold;
            step = &self.steps[step.next as usize + usize::from(right)];
        }
        &self.shares[step.next as usize..step.next as usize + labels]
    }

    /// Adds the shares of the labels for each row, m × q, to those of other trees.
    pub(super) fn add_to(&self, rows: &Array2<f32>, mut shares: ArrayViewMut2<'_, f64>) {
        let labels = shares.ncols();
        for (row, mut shares) in rows.rows().into_iter().zip(shares.rows_mut()) {
            let of_leaf = self.of_row(row.to_slice().expect("row-major"), labels);
            shares.iter_mut().zip(of_leaf).for_each(|(share, of_leaf)| *share += of_leaf);
        }
    }
}

/// A fitted decision tree or forest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forest {
    pub(super) labels: usize,
    pub(super) trees: Vec<Tree>,
}

/// Rows as trees read them.
pub(super) fn as_f32(rows: ArrayView2<'_, f64>) -> Array2<f32> {
    let mut narrow = Array2::zeros(rows.raw_dim());
    narrow.zip_mut_with(&rows, |narrow, &wide| *narrow = wide as f32);
    narrow
}

impl Forest {
    /// Number of leaves of all trees.
    pub fn leaves(&self) -> usize {
        self.trees.iter().map(Tree::leaves).sum()
    }

    /// The share of each label in each row's leaf, averaged over the trees: m × q, for m rows of d features.
    pub fn probabilities(&self, rows: ArrayView2<'_, f64>) -> Array2<f64> {
        self.probabilities_until(rows, &Cancel::new()).expect("nobody cancels it")
    }

    /// [`Forest::probabilities`], until it is cancelled.
    pub(crate) fn probabilities_until(
        &self,
        rows: ArrayView2<'_, f64>,
        cancel: &Cancel,
    ) -> Result<Array2<f64>, Cancelled> {
        let rows = as_f32(rows);
        let mut shares = Array2::zeros((rows.nrows(), self.labels));
        let of_row = |(row, mut shares): (ndarray::ArrayView1<'_, f32>, ndarray::ArrayViewMut1<'_, f64>)| {
            cancel.check()?;
            let row = row.to_slice().expect("row-major");
            for tree in &self.trees {
                let of_leaf = tree.of_row(row, self.labels);
                shares.iter_mut().zip(of_leaf).for_each(|(share, of_leaf)| *share += of_leaf);
            }
            shares.mapv_inplace(|share| share / self.trees.len() as f64);
            Ok(())
        };
        let pairs = rows.axis_iter(Axis(0)).into_par_iter().zip(shares.axis_iter_mut(Axis(0)));
        pairs.try_for_each(of_row)?;
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
