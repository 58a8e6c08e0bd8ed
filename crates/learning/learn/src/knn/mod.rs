//! k nearest neighbours, scikit-learn's `KNeighborsClassifier` for several labels.
//!
//! Distances are sums of exact differences in f64 (scikit-learn's trees do the same; its brute force over euclidean
//! distances expands the square and differs in the last digits). **Of equally distant training rows the first is the
//! nearer one**; scikit-learn leaves their order open.

mod params;

use std::time::Instant;

use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array2, ArrayBase, ArrayView2, Data, Ix2};
use serde::{Deserialize, Serialize};

pub use crate::distance::{Algorithm, Distance, Metric, Weights};
pub use params::{KnnParams, KnnValidParams, PARAMETERS};

use crate::cancel::Cancelled;
use crate::distance::{Neighbour, nearest, vote};
use crate::family::{FitResult, decide};
use crate::{Cancel, Labelled, LearnError};

/// The fitted model: the training rows themselves.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Knn {
    neighbours: usize,
    weights: Weights,
    distance: Distance,
    records: Array2<f64>,
    labels: Array2<bool>,
}

impl Fit<Array2<f64>, Array2<bool>, LearnError> for KnnValidParams {
    type Object = Knn;

    fn fit(&self, dataset: &Labelled) -> Result<Knn, LearnError> {
        fits(self, dataset.records.nrows()).map_err(LearnError::Unfittable)?;
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
        self.probabilities_until(rows, &Cancel::new()).expect("nobody cancels it")
    }

    /// [`Knn::probabilities`], until it is cancelled.
    pub(crate) fn probabilities_until(
        &self,
        rows: ArrayView2<'_, f64>,
        cancel: &Cancel,
    ) -> Result<Array2<f64>, Cancelled> {
        let found = nearest(self.distance, self.records.view(), rows, self.neighbours, cancel)?;
        Ok(votes(&found, self.neighbours, self.weights, self.labels.view()))
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

/// Fits every setting on the same rows and predicts the same others. All share one pass over the distances, which must
/// be of one kind: the `k` nearest are the first `k` of the largest number asked for.
pub(crate) fn train_all(
    settings: &[&KnnValidParams],
    train: &Labelled,
    rows: ArrayView2<'_, f64>,
    cancel: &Cancel,
) -> Vec<FitResult<Array2<f64>>> {
    let started = Instant::now();
    let n = train.records.nrows();
    let most = settings.iter().filter(|of| fits(of, n).is_ok()).map(|of| of.n_neighbors as usize).max();
    let found = most.map(|k| nearest(settings[0].distance(), train.records.view(), rows, k, cancel));
    let shared = started.elapsed().as_secs_f64() / settings.len() as f64;
    let train_one = |of: &&KnnValidParams| {
        let started = Instant::now();
        let probabilities = fits(of, n).and_then(|()| {
            let found = found.as_ref().expect("a setting that fits has made the pass");
            let found = found.as_ref().map_err(|&cancelled| cancelled)?;
            Ok(votes(found, of.n_neighbors as usize, of.weights, train.targets.view()))
        });
        FitResult { outcome: probabilities, seconds: shared + started.elapsed().as_secs_f64() }
    };
    settings.iter().map(train_one).collect()
}

/// The checks that scikit-learn makes when it fits.
fn fits(params: &KnnValidParams, rows: usize) -> Result<(), String> {
    params.algorithm.allows(params.distance())?;
    if params.n_neighbors as usize > rows {
        return Err(format!("n_neighbors is {} and there are {rows} rows to fit on", params.n_neighbors));
    }
    Ok(())
}

/// Votes of the first `k` neighbours of each row.
fn votes(found: &[Vec<Neighbour>], k: usize, weights: Weights, labels: ArrayView2<'_, bool>) -> Array2<f64> {
    let mut shares = Array2::zeros((found.len(), labels.ncols()));
    for (nearest, shares) in found.iter().zip(shares.rows_mut()) {
        vote(&nearest[..k], weights, labels, shares);
    }
    shares
}
