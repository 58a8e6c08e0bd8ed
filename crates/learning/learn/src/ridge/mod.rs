//! Least squares on targets of −1 and 1 with a penalty on the squared coefficients, scikit-learn's `RidgeClassifier` for
//! several labels.
//!
//! A label is assigned where its decision value is above 0. Its "probability" is (value + 1)/2 clipped to [0, 1]: it ranks
//! rows and is above one half exactly where the label is assigned, but it is **not calibrated**.
//!
//! The normal equations are solved directly by Cholesky decomposition. With dependent features and `alpha` = 0 they have
//! many solutions: scikit-learn takes the shortest; here such a candidate cannot be fitted.

mod equations;
mod params;

use std::time::Instant;

use linfa::traits::{Fit, PredictInplace};
use ndarray::{Array1, Array2, ArrayBase, ArrayView2, Data, Ix2};
use serde::{Deserialize, Serialize};

pub use params::{PARAMETERS, RidgeParams, RidgeValidParams};

use crate::cancel::Cancelled;
use crate::family::{FitResult, decide};
use crate::linalg::matrix_product;
use crate::{Cancel, Labelled, LearnError};
use equations::Equations;

/// The fitted model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ridge {
    /// q × d.
    coefficients: Array2<f64>,
    /// q.
    intercepts: Array1<f64>,
}

impl Fit<Array2<f64>, Array2<bool>, LearnError> for RidgeValidParams {
    type Object = Ridge;

    fn fit(&self, dataset: &Labelled) -> Result<Ridge, LearnError> {
        self.fit_until(dataset, &Cancel::new())
    }
}

impl Ridge {
    /// The decision value of each label, m × q, for m rows of d features.
    pub fn decision(&self, rows: ArrayView2<'_, f64>) -> Array2<f64> {
        self.decision_until(rows, &Cancel::new()).expect("never cancelled")
    }

    fn decision_until(&self, rows: ArrayView2<'_, f64>, cancel: &Cancel) -> Result<Array2<f64>, Cancelled> {
        Ok(matrix_product(rows, self.coefficients.view(), cancel)? + &self.intercepts)
    }

    /// The decision values mapped to [0, 1], m × q, above one half exactly where the value is above 0. Not calibrated.
    pub fn probabilities(&self, rows: ArrayView2<'_, f64>) -> Array2<f64> {
        self.probabilities_until(rows, &Cancel::new()).expect("never cancelled")
    }

    /// [`Ridge::probabilities`], which stops when it is cancelled.
    pub(crate) fn probabilities_until(
        &self,
        rows: ArrayView2<'_, f64>,
        cancel: &Cancel,
    ) -> Result<Array2<f64>, Cancelled> {
        let decision = self.decision_until(rows, cancel)?;
        Ok(decision.mapv(|value| match ((value + 1.0) / 2.0).clamp(0.0, 1.0) {
            // Rounding gave one half although the value is above 0.
            0.5 if value > 0.0 => 0.5_f64.next_up(),
            share => share,
        }))
    }
}

impl<D: Data<Elem = f64>> PredictInplace<ArrayBase<D, Ix2>, Array2<bool>> for Ridge {
    fn predict_inplace<'a>(&'a self, rows: &'a ArrayBase<D, Ix2>, labels: &mut Array2<bool>) {
        labels.assign(&decide(self.probabilities(rows.view()).view()));
    }

    fn default_target(&self, rows: &ArrayBase<D, Ix2>) -> Array2<bool> {
        Array2::default((rows.nrows(), self.intercepts.len()))
    }
}

/// Fits every candidate on the same rows and predicts the same other rows. The candidates must differ in alpha only, so
/// that all share the normal equations.
pub(crate) fn train_all(
    candidates: &[&RidgeValidParams],
    train: &Labelled,
    rows: ArrayView2<'_, f64>,
    cancel: &Cancel,
) -> Vec<FitResult<Array2<f64>>> {
    let started = Instant::now();
    let equations = check_fit(train).and_then(|()| Ok(Equations::new(candidates[0], train, cancel)?));
    let shared = started.elapsed().as_secs_f64() / candidates.len() as f64;
    let train = |params: &&RidgeValidParams| {
        let started = Instant::now();
        let equations = equations.as_ref().map_err(String::clone);
        let fitted = equations.and_then(|equations| equations.solve(params.alpha, cancel));
        let probabilities = fitted.and_then(|model| Ok(model.probabilities_until(rows, cancel)?));
        FitResult { outcome: probabilities, seconds: shared + started.elapsed().as_secs_f64() }
    };
    candidates.iter().map(train).collect()
}

impl RidgeValidParams {
    /// [`Fit::fit`], which stops when it is cancelled.
    pub(crate) fn fit_until(&self, dataset: &Labelled, cancel: &Cancel) -> Result<Ridge, LearnError> {
        check_fit(dataset).map_err(LearnError::Unfittable)?;
        let equations = Equations::new(self, dataset, cancel)?;
        let fitted = equations.solve(self.alpha, cancel);
        cancel.check()?;
        fitted.map_err(LearnError::Unfittable)
    }

    /// Estimated seconds to fit `rows` rows on one core; predicting takes next to no time. The factor is a round 0.1 ns per
    /// multiplication: a plan needs the order of magnitude.
    pub(crate) fn seconds(&self, rows: usize, features: usize) -> f64 {
        let (short, long) = (rows.min(features) as f64, rows.max(features) as f64);
        short * short * (long + short) * 0.1e-9
    }
}

fn check_fit(train: &Labelled) -> Result<(), String> {
    if train.records.is_empty() || train.targets.is_empty() {
        Err("there are no rows to fit on".into())
    } else {
        Ok(())
    }
}
