//! The normal equations of weighted least squares, set up once for all values of alpha.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

use super::{Ridge, RidgeValidParams};
use crate::cancel::Cancelled;
use crate::linalg::{Cholesky, matrix_product, self_products, transposed};
use crate::tree::balanced_weights;
use crate::{Cancel, Labelled};

/// From centred rows X (n × d) and targets Y (n × q) of ±1, both scaled by the square roots of the weights: XᵀX, or XXᵀ if
/// there are fewer rows than features.
pub(super) struct Equations {
    /// Xᵀ, d × n.
    columns: Array2<f64>,
    /// Yᵀ, q × n.
    targets: Array2<f64>,
    products: Array2<f64>,
    /// Weighted means of rows and targets; 0 without an intercept.
    means: Array1<f64>,
    target_means: Array1<f64>,
}

impl Equations {
    pub(super) fn new(params: &RidgeValidParams, train: &Labelled, cancel: &Cancel) -> Result<Self, Cancelled> {
        let weights = params.row_weights(train.targets.view());
        let mut rows = train.records.clone();
        let mut targets = train.targets.mapv(|has| if has { 1.0 } else { -1.0 });
        let centre = |matrix: &mut Array2<f64>| match params.fit_intercept {
            true => centre(matrix, weights.view()),
            false => Array1::zeros(matrix.ncols()),
        };
        let (means, target_means) = (centre(&mut rows), centre(&mut targets));
        cancel.check()?;
        if params.class_weight.is_some() {
            let roots = weights.mapv(f64::sqrt).insert_axis(Axis(1));
            rows *= &roots;
            targets *= &roots;
        }
        let columns = transposed(rows.view(), cancel)?;
        let targets = targets.t().as_standard_layout().into_owned();
        let wide = rows.ncols() > rows.nrows();
        let products = self_products(if wide { rows.view() } else { columns.view() }, cancel)?;
        Ok(Self { columns, targets, products, means, target_means })
    }

    /// The model for one value of alpha, or why there is none.
    pub(super) fn solve(&self, alpha: f64, cancel: &Cancel) -> Result<Ridge, String> {
        let mut matrix = self.products.clone();
        matrix.diag_mut().mapv_inplace(|product| product + alpha);
        let singular = || {
            format!("the features are linearly dependent and alpha = {alpha} does not make up for it: use a larger one")
        };
        let factors = Cholesky::factor(matrix, cancel)?.ok_or_else(singular)?;
        let wide = self.columns.nrows() > self.columns.ncols();
        let coefficients = if wide {
            let dual = factors.solve(self.targets.t(), cancel)?;
            matrix_product(dual.t(), self.columns.view(), cancel)?
        } else {
            let by_target = matrix_product(self.columns.view(), self.targets.view(), cancel)?;
            factors.solve(by_target.view(), cancel)?.reversed_axes()
        };
        let coefficients = coefficients.as_standard_layout().into_owned();
        let at_means = matrix_product(self.means.view().insert_axis(Axis(0)), coefficients.view(), cancel)?;
        let intercepts = &self.target_means - &at_means.row(0);
        Ok(Ridge { coefficients, intercepts })
    }
}

/// Subtracts the weighted means of the columns and returns them.
fn centre(rows: &mut Array2<f64>, weights: ArrayView1<'_, f64>) -> Array1<f64> {
    let mut means = Array1::zeros(rows.ncols());
    for (row, &weight) in rows.rows().into_iter().zip(weights) {
        means.zip_mut_with(&row, |sum, x| *sum += weight * x);
    }
    let total: f64 = weights.iter().sum();
    means.mapv_inplace(|sum| sum / total);
    *rows -= &means;
    means
}

impl RidgeValidParams {
    /// The weight of each row; with `balanced` the product over its labels, as in scikit-learn's `compute_sample_weight`.
    fn row_weights(&self, labels: ArrayView2<'_, bool>) -> Array1<f64> {
        if self.class_weight.is_none() {
            return Array1::ones(labels.nrows());
        }
        let label_weights = self.balanced.clone().unwrap_or_else(|| balanced_weights(labels));
        let row_weight = |row: ArrayView1<'_, bool>| {
            let weights = row.into_iter().zip(&label_weights);
            weights.map(|(&has, label)| if has { label.with } else { label.without }).product::<f64>()
        };
        labels.rows().into_iter().map(row_weight).collect()
    }
}
