//! Least squares on targets of −1 and 1 with a cost on the squares of the coefficients, scikit-learn's
//! `RidgeClassifier` for several labels.
//!
//! A label is assigned where its value is above 0. The value becomes a "probability" as (value + 1)/2 cut to [0, 1]: it
//! orders rows and is above one half exactly where the label is assigned, but it is **not calibrated**.
//!
//! The normal equations are solved exactly, by Cholesky's factors. Where features depend on each other and `alpha` is 0
//! they have many solutions: scikit-learn takes the shortest, here the setting cannot be fitted.

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
    /// The value of each label, m × q, for m rows of d features.
    pub fn decision(&self, rows: ArrayView2<'_, f64>) -> Array2<f64> {
        self.decision_until(rows, &Cancel::new()).expect("nobody cancels it")
    }

    fn decision_until(&self, rows: ArrayView2<'_, f64>, cancel: &Cancel) -> Result<Array2<f64>, Cancelled> {
        Ok(matrix_product(rows, self.coefficients.view(), cancel)? + &self.intercepts)
    }

    /// The values as numbers in [0, 1], m × q, above one half exactly where the value is above 0. Not calibrated.
    pub fn probabilities(&self, rows: ArrayView2<'_, f64>) -> Array2<f64> {
        self.probabilities_until(rows, &Cancel::new()).expect("nobody cancels it")
    }

    /// [`Ridge::probabilities`], until it is cancelled.
    pub(crate) fn probabilities_until(
        &self,
        rows: ArrayView2<'_, f64>,
        cancel: &Cancel,
    ) -> Result<Array2<f64>, Cancelled> {
        let decision = self.decision_until(rows, cancel)?;
        Ok(decision.mapv(|value| match ((value + 1.0) / 2.0).clamp(0.0, 1.0) {
            // Rounded down to one half.
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

/// Fits every setting on the same rows and predicts the same others. All share one set of equations, from which they
/// must differ in alpha only.
pub(crate) fn train_all(
    settings: &[&RidgeValidParams],
    train: &Labelled,
    rows: ArrayView2<'_, f64>,
    cancel: &Cancel,
) -> Vec<FitResult<Array2<f64>>> {
    let started = Instant::now();
    let equations = fits(train).and_then(|()| Ok(Equations::new(settings[0], train, cancel)?));
    let shared = started.elapsed().as_secs_f64() / settings.len() as f64;
    let train_one = |of: &&RidgeValidParams| {
        let started = Instant::now();
        let fitted = equations.as_ref().map_err(String::clone).and_then(|equations| equations.solve(of.alpha, cancel));
        let probabilities = fitted.and_then(|model| Ok(model.probabilities_until(rows, cancel)?));
        FitResult { outcome: probabilities, seconds: shared + started.elapsed().as_secs_f64() }
    };
    settings.iter().map(train_one).collect()
}

impl RidgeValidParams {
    /// [`Fit::fit`], until it is cancelled.
    pub(crate) fn fit_until(&self, dataset: &Labelled, cancel: &Cancel) -> Result<Ridge, LearnError> {
        fits(dataset).map_err(LearnError::Unfittable)?;
        let equations = Equations::new(self, dataset, cancel)?;
        let fitted = equations.solve(self.alpha, cancel);
        cancel.check()?;
        fitted.map_err(LearnError::Unfittable)
    }

    /// Rough seconds that a fit on `rows` rows takes on one core; prediction is quick.
    pub(crate) fn seconds(&self, rows: usize, features: usize) -> f64 {
        let (short, long) = (rows.min(features) as f64, rows.max(features) as f64);
        short * short * (long + short) * 0.1e-9
    }
}

fn fits(train: &Labelled) -> Result<(), String> {
    if train.records.is_empty() || train.targets.is_empty() {
        Err("there are no rows to fit on".into())
    } else {
        Ok(())
    }
}
