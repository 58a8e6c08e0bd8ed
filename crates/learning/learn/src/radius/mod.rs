//! Neighbours within a radius, scikit-learn's `RadiusNeighborsClassifier` for several labels.
//!
//! A vote of all training rows that are at most `radius` away, by the distances of [`crate::knn`]. A row without
//! neighbours has no vote: `outlier_label = "most_frequent"` gives it every label that more than half of the training
//! rows have. Without that, a search cannot fit the setting where a validation row has no neighbours; a fitted model,
//! which has to answer for any row, gives such a row probability 0 for every label (scikit-learn stops with an error).

mod params;

use std::time::Instant;

use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array2, ArrayBase, ArrayView1, ArrayView2, Data, Ix2};
use serde::{Deserialize, Serialize};

pub use params::{OutlierLabel, PARAMETERS, RadiusParams, RadiusValidParams};

use crate::cancel::Cancelled;
use crate::distance::{Distance, Neighbour, Weights, vote, within};
use crate::family::{FitResult, decide};
use crate::{Cancel, Labelled, LearnError};

/// The fitted model: the training rows themselves.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Radius {
    radius: f64,
    weights: Weights,
    distance: Distance,
    outlier: Option<Vec<f64>>,
    records: Array2<f64>,
    labels: Array2<bool>,
}

/// The shares of the vote of one row, one a label; none if it has no neighbours.
type Shares = Option<Vec<f64>>;

impl Fit<Array2<f64>, Array2<bool>, LearnError> for RadiusValidParams {
    type Object = Radius;

    fn fit(&self, dataset: &Labelled) -> Result<Radius, LearnError> {
        fits(self, dataset.records.nrows()).map_err(LearnError::Unfittable)?;
        Ok(Radius {
            radius: self.radius,
            weights: self.weights,
            distance: self.distance(),
            outlier: self.outlier(dataset.targets.view()),
            records: dataset.records.clone(),
            labels: dataset.targets.clone(),
        })
    }
}

impl Radius {
    /// The neighbours' share of the vote for each label, m × q, for m rows of d features.
    pub fn probabilities(&self, rows: ArrayView2<'_, f64>) -> Array2<f64> {
        self.probabilities_until(rows, &Cancel::new()).expect("nobody cancels it")
    }

    /// [`Radius::probabilities`], until it is cancelled.
    pub(crate) fn probabilities_until(
        &self,
        rows: ArrayView2<'_, f64>,
        cancel: &Cancel,
    ) -> Result<Array2<f64>, Cancelled> {
        let each = |near: &[Neighbour]| shares(near, self.radius, self.weights, self.labels.view());
        let found = within(self.distance, self.records.view(), rows, self.radius, each, cancel)?;
        let nothing = vec![0.0; self.labels.ncols()];
        let outlier = self.outlier.as_ref().unwrap_or(&nothing);
        let values = found.into_iter().flat_map(|shares| shares.unwrap_or_else(|| outlier.clone())).collect();
        Ok(Array2::from_shape_vec((rows.nrows(), self.labels.ncols()), values).expect("a share a label"))
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

/// Fits every setting on the same rows and predicts the same others. All share one pass over the distances, which must
/// be of one kind: that of the largest radius.
pub(crate) fn train_all(
    settings: &[&RadiusValidParams],
    train: &Labelled,
    rows: ArrayView2<'_, f64>,
    cancel: &Cancel,
) -> Vec<FitResult<Array2<f64>>> {
    let started = Instant::now();
    let labels = train.targets.view();
    let checked: Vec<Result<(), String>> = settings.iter().map(|of| fits(of, train.records.nrows())).collect();
    let fitting = settings.iter().zip(&checked).filter(|(_, checked)| checked.is_ok());
    let most = fitting.map(|(of, _)| of.radius).reduce(f64::max);
    let each = |near: &[Neighbour]| -> Vec<Shares> {
        settings.iter().map(|of| shares(near, of.radius, of.weights, labels)).collect()
    };
    let mut found = match most {
        Some(radius) => within(settings[0].distance(), train.records.view(), rows, radius, each, cancel),
        None => Ok(Vec::new()),
    };
    let mut probabilities = |(at, checked): (usize, Result<(), String>)| {
        checked?;
        let found = found.as_mut().map_err(|&mut cancelled| cancelled)?;
        let found = found.iter_mut().map(|of_row| of_row[at].take()).collect();
        settings[at].complete(found, labels)
    };
    let all: Vec<_> = checked.into_iter().enumerate().map(&mut probabilities).collect();
    let seconds = started.elapsed().as_secs_f64() / settings.len() as f64;
    all.into_iter().map(|probabilities| FitResult { outcome: probabilities, seconds }).collect()
}

impl RadiusValidParams {
    /// Rough seconds that a fit on `rows` rows and the prediction of `queries` others take on one core.
    pub(crate) fn seconds(&self, rows: usize, queries: usize, features: usize) -> f64 {
        self.distance().seconds(rows, queries, features)
    }

    /// What a row without neighbours is given.
    fn outlier(&self, labels: ArrayView2<'_, bool>) -> Option<Vec<f64>> {
        let most = |column: ArrayView1<'_, bool>| {
            let with = column.iter().filter(|has| **has).count();
            f64::from(u8::from(2 * with > column.len()))
        };
        self.outlier_label.map(|OutlierLabel::MostFrequent| labels.columns().into_iter().map(most).collect())
    }

    /// The shares of all rows as m × q; those without neighbours are outliers.
    fn complete(&self, found: Vec<Shares>, labels: ArrayView2<'_, bool>) -> Result<Array2<f64>, String> {
        let alone = found.iter().filter(|shares| shares.is_none()).count();
        let rows = found.len();
        let outlier = self.outlier(labels);
        if alone > 0 && outlier.is_none() {
            return Err(format!(
                "{alone} of {rows} rows have no neighbour within radius {}: use a larger one or outlier_label most_frequent",
                self.radius
            ));
        }
        let outlier = outlier.unwrap_or_default();
        let values = found.into_iter().flat_map(|shares| shares.unwrap_or_else(|| outlier.clone())).collect();
        Ok(Array2::from_shape_vec((rows, labels.ncols()), values).expect("a share a label"))
    }
}

/// The checks that scikit-learn makes when it fits.
fn fits(params: &RadiusValidParams, rows: usize) -> Result<(), String> {
    params.algorithm.allows(params.distance())?;
    if rows == 0 {
        return Err("there are no rows to fit on".into());
    }
    Ok(())
}

/// The vote of those of `near` within `radius`.
fn shares(near: &[Neighbour], radius: f64, weights: Weights, labels: ArrayView2<'_, bool>) -> Shares {
    let near: Vec<Neighbour> = near.iter().filter(|neighbour| neighbour.distance <= radius).copied().collect();
    if near.is_empty() {
        return None;
    }
    let mut shares = ndarray::Array1::zeros(labels.ncols());
    vote(&near, weights, labels, shares.view_mut());
    Some(shares.to_vec())
}
