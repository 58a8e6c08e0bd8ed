//! k nearest neighbours, scikit-learn's `KNeighborsClassifier` for several labels.
//!
//! Distances are sums of differences in f64. (scikit-learn's trees do the same; its brute-force search expands the square
//! of euclidean distances and differs in the last digits.) **Of equally distant training rows the first counts as the
//! nearer one**; scikit-learn leaves their order open.

mod params;

use std::time::Instant;

use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array2, ArrayBase, ArrayView2, Data, Ix2};
use serde::{Deserialize, Serialize};

pub use crate::distance::{Algorithm, Distance, Metric, VoteWeights};
pub use params::{KnnParams, KnnValidParams, PARAMETERS};

use crate::cancel::Cancelled;
use crate::distance::{Neighbour, nearest, vote};
use crate::family::{FitResult, decide};
use crate::{Cancel, Labelled, LearnError};

/// The fitted model: the training rows themselves.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Knn {
    neighbours: usize,
    weights: VoteWeights,
    distance: Distance,
    records: Array2<f64>,
    labels: Array2<bool>,
}

impl Fit<Array2<f64>, Array2<bool>, LearnError> for KnnValidParams {
    type Object = Knn;

    fn fit(&self, dataset: &Labelled) -> Result<Knn, LearnError> {
        check_fit(self, dataset.records.nrows()).map_err(LearnError::Unfittable)?;
        Ok(Knn {
            neighbours: self.n_neighbors as usize,
            weights: self.weights,
            distance: self.distance(),
            records: dataset.records.clone(),
            labels: dataset.targets.clone(),
        })
    }
}

impl Knn {
    /// The neighbours' share of the vote for each label, m × q, for m rows of d features.
    pub fn probabilities(&self, rows: ArrayView2<'_, f64>) -> Array2<f64> {
        self.probabilities_until(rows, &Cancel::new()).expect("never cancelled")
    }

    /// [`Knn::probabilities`], which stops when it is cancelled.
    pub(crate) fn probabilities_until(
        &self,
        rows: ArrayView2<'_, f64>,
        cancel: &Cancel,
    ) -> Result<Array2<f64>, Cancelled> {
        let neighbours = nearest(self.distance, self.records.view(), rows, self.neighbours, cancel)?;
        Ok(votes(&neighbours, self.neighbours, self.weights, self.labels.view()))
    }
}

impl<D: Data<Elem = f64>> PredictInplace<ArrayBase<D, Ix2>, Array2<bool>> for Knn {
    fn predict_inplace<'a>(&'a self, rows: &'a ArrayBase<D, Ix2>, labels: &mut Array2<bool>) {
        labels.assign(&decide(self.probabilities(rows.view()).view()));
    }

    fn default_target(&self, rows: &ArrayBase<D, Ix2>) -> Array2<bool> {
        Array2::default((rows.nrows(), self.labels.ncols()))
    }
}

/// Fits every candidate on the same rows and predicts the same other rows. All candidates must have the same distance and
/// share one pass: the `k` nearest are the first `k` of the largest number of neighbours.
pub(crate) fn train_all(
    candidates: &[&KnnValidParams],
    train: &Labelled,
    rows: ArrayView2<'_, f64>,
    cancel: &Cancel,
) -> Vec<FitResult<Array2<f64>>> {
    let started = Instant::now();
    let n = train.records.nrows();
    let fitting = candidates.iter().filter(|params| check_fit(params, n).is_ok());
    let max_neighbors = fitting.map(|params| params.n_neighbors as usize).max();
    let neighbours = max_neighbors.map(|k| nearest(candidates[0].distance(), train.records.view(), rows, k, cancel));
    let shared = started.elapsed().as_secs_f64() / candidates.len() as f64;
    let train = |params: &&KnnValidParams| {
        let started = Instant::now();
        let probabilities = check_fit(params, n).and_then(|()| {
            let neighbours = neighbours.as_ref().expect("a candidate that can be fitted caused the pass");
            let neighbours = neighbours.as_ref().map_err(|&cancelled| cancelled)?;
            Ok(votes(neighbours, params.n_neighbors as usize, params.weights, train.targets.view()))
        });
        FitResult { outcome: probabilities, seconds: shared + started.elapsed().as_secs_f64() }
    };
    candidates.iter().map(train).collect()
}

/// What scikit-learn checks when it fits.
fn check_fit(params: &KnnValidParams, rows: usize) -> Result<(), String> {
    params.algorithm.allows(params.distance())?;
    if params.n_neighbors as usize > rows {
        return Err(format!("n_neighbors is {} and there are {rows} rows to fit on", params.n_neighbors));
    }
    Ok(())
}

/// Shares of the vote of the first `k` neighbours of each row.
fn votes(neighbours: &[Vec<Neighbour>], k: usize, weights: VoteWeights, labels: ArrayView2<'_, bool>) -> Array2<f64> {
    let mut shares = Array2::zeros((neighbours.len(), labels.ncols()));
    for (nearest, shares) in neighbours.iter().zip(shares.rows_mut()) {
        vote(&nearest[..k], weights, labels, shares);
    }
    shares
}
