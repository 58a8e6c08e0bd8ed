//! Neighbours within a radius, scikit-learn's `RadiusNeighborsClassifier` for several labels.
//!
//! All training rows at most `radius` away vote, by the distances of [`crate::knn`]. For a row without neighbours
//! `outlier_label = "most_frequent"` gives every label that more than half of the training rows have. Without it, a search
//! reports that the candidate cannot be fitted where a validation row has no neighbours; a fitted model, which has to
//! answer for any row, gives such a row probability 0 for every label (scikit-learn raises an error).

mod params;

use std::time::Instant;

use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array2, ArrayBase, ArrayView1, ArrayView2, Data, Ix2};
use serde::{Deserialize, Serialize};

pub use params::{OutlierLabel, PARAMETERS, RadiusParams, RadiusValidParams};

use crate::cancel::Cancelled;
use crate::distance::{Distance, Neighbour, VoteWeights, vote, within};
use crate::family::{FitResult, decide};
use crate::{Cancel, Labelled, LearnError};

/// The fitted model: the training rows themselves.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Radius {
    radius: f64,
    weights: VoteWeights,
    distance: Distance,
    outlier_shares: Option<Vec<f64>>,
    records: Array2<f64>,
    labels: Array2<bool>,
}

/// The shares of the vote for one row, one per label; none if it has no neighbours.
type VoteShares = Option<Vec<f64>>;

impl Fit<Array2<f64>, Array2<bool>, LearnError> for RadiusValidParams {
    type Object = Radius;

    fn fit(&self, dataset: &Labelled) -> Result<Radius, LearnError> {
        check_fit(self, dataset.records.nrows()).map_err(LearnError::Unfittable)?;
        Ok(Radius {
            radius: self.radius,
            weights: self.weights,
            distance: self.distance(),
            outlier_shares: self.outlier_shares(dataset.targets.view()),
            records: dataset.records.clone(),
            labels: dataset.targets.clone(),
        })
    }
}

impl Radius {
    /// The neighbours' share of the vote for each label, m × q, for m rows of d features.
    pub fn probabilities(&self, rows: ArrayView2<'_, f64>) -> Array2<f64> {
        self.probabilities_until(rows, &Cancel::new()).expect("never cancelled")
    }

    /// [`Radius::probabilities`], which stops when it is cancelled.
    pub(crate) fn probabilities_until(
        &self,
        rows: ArrayView2<'_, f64>,
        cancel: &Cancel,
    ) -> Result<Array2<f64>, Cancelled> {
        let vote = |near: &[Neighbour]| vote_shares(near, self.radius, self.weights, self.labels.view());
        let shares = within(self.distance, self.records.view(), rows, self.radius, vote, cancel)?;
        let nothing = vec![0.0; self.labels.ncols()];
        Ok(to_matrix(shares, self.outlier_shares.as_ref().unwrap_or(&nothing)))
    }
}

impl<D: Data<Elem = f64>> PredictInplace<ArrayBase<D, Ix2>, Array2<bool>> for Radius {
    fn predict_inplace<'a>(&'a self, rows: &'a ArrayBase<D, Ix2>, labels: &mut Array2<bool>) {
        labels.assign(&decide(self.probabilities(rows.view()).view()));
    }

    fn default_target(&self, rows: &ArrayBase<D, Ix2>) -> Array2<bool> {
        Array2::default((rows.nrows(), self.labels.ncols()))
    }
}

/// Fits every candidate on the same rows and predicts the same other rows. All candidates must have the same distance and
/// share one pass with the largest radius.
pub(crate) fn train_all(
    candidates: &[&RadiusValidParams],
    train: &Labelled,
    rows: ArrayView2<'_, f64>,
    cancel: &Cancel,
) -> Vec<FitResult<Array2<f64>>> {
    let started = Instant::now();
    let labels = train.targets.view();
    let checked: Vec<Result<(), String>> =
        candidates.iter().map(|params| check_fit(params, train.records.nrows())).collect();
    let fitting = candidates.iter().zip(&checked).filter(|(_, checked)| checked.is_ok());
    let max_radius = fitting.map(|(params, _)| params.radius).reduce(f64::max);
    let votes = |near: &[Neighbour]| -> Vec<VoteShares> {
        candidates.iter().map(|params| vote_shares(near, params.radius, params.weights, labels)).collect()
    };
    // Of each row, the shares of each candidate.
    let mut shares = match max_radius {
        Some(radius) => within(candidates[0].distance(), train.records.view(), rows, radius, votes, cancel),
        None => Ok(Vec::new()),
    };
    let mut probabilities = |(index, checked): (usize, Result<(), String>)| {
        checked?;
        let shares = shares.as_mut().map_err(|&mut cancelled| cancelled)?;
        let shares = shares.iter_mut().map(|by_candidate| by_candidate[index].take()).collect();
        candidates[index].probabilities(shares, labels)
    };
    let outcomes: Vec<_> = checked.into_iter().enumerate().map(&mut probabilities).collect();
    let seconds = started.elapsed().as_secs_f64() / candidates.len() as f64;
    outcomes.into_iter().map(|outcome| FitResult { outcome, seconds }).collect()
}

impl RadiusValidParams {
    /// Estimated seconds to fit `rows` rows and predict `queries` others on one core.
    pub(crate) fn seconds(&self, rows: usize, queries: usize, features: usize) -> f64 {
        self.distance().seconds(rows, queries, features)
    }

    /// The shares that a row without neighbours gets: 1 for every label of the majority.
    fn outlier_shares(&self, labels: ArrayView2<'_, bool>) -> Option<Vec<f64>> {
        let majority_has = |column: ArrayView1<'_, bool>| {
            let with = column.iter().filter(|has| **has).count();
            f64::from(u8::from(2 * with > column.len()))
        };
        self.outlier_label.map(|OutlierLabel::MostFrequent| labels.columns().into_iter().map(majority_has).collect())
    }

    /// The probabilities of all rows, or why there are none: rows without neighbours need an `outlier_label`.
    fn probabilities(&self, shares: Vec<VoteShares>, labels: ArrayView2<'_, bool>) -> Result<Array2<f64>, String> {
        let outliers = shares.iter().filter(|shares| shares.is_none()).count();
        let outlier_shares = self.outlier_shares(labels);
        if outliers > 0 && outlier_shares.is_none() {
            return Err(format!(
                "{outliers} of {} rows have no neighbour within radius {}: use a larger one or outlier_label most_frequent",
                shares.len(),
                self.radius
            ));
        }
        let outlier_shares = outlier_shares.unwrap_or_else(|| vec![0.0; labels.ncols()]);
        Ok(to_matrix(shares, &outlier_shares))
    }
}

/// The shares of m rows as m × q.
fn to_matrix(shares: Vec<VoteShares>, outlier_shares: &[f64]) -> Array2<f64> {
    let rows = shares.len();
    let values = shares.into_iter().flat_map(|shares| shares.unwrap_or_else(|| outlier_shares.to_vec())).collect();
    Array2::from_shape_vec((rows, outlier_shares.len()), values).expect("one share per label")
}

/// What scikit-learn checks when it fits.
fn check_fit(params: &RadiusValidParams, rows: usize) -> Result<(), String> {
    params.algorithm.allows(params.distance())?;
    if rows == 0 {
        return Err("there are no rows to fit on".into());
    }
    Ok(())
}

/// The vote of those of the neighbours that are within `radius`.
fn vote_shares(near: &[Neighbour], radius: f64, weights: VoteWeights, labels: ArrayView2<'_, bool>) -> VoteShares {
    let near: Vec<Neighbour> = near.iter().filter(|neighbour| neighbour.distance <= radius).copied().collect();
    if near.is_empty() {
        return None;
    }
    let mut shares = ndarray::Array1::zeros(labels.ncols());
    vote(&near, weights, labels, shares.view_mut());
    Some(shares.to_vec())
}
