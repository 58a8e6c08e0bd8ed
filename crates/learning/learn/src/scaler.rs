//! scikit-learn's `StandardScaler`.

use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

/// Shifts every column to mean 0 and scales it to (population) variance 1; constant columns are shifted only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StandardScaler {
    /// d means.
    pub mean: Vec<f64>,
    /// d divisors.
    pub scale: Vec<f64>,
}

impl StandardScaler {
    /// Fits means and divisors to n × d rows by the corrected two-pass algorithm (Chan, Golub, LeVeque 1983), adding rows
    /// in order, as scikit-learn does for a row-major matrix.
    pub fn fit(rows: ArrayView2<'_, f64>) -> Self {
        let n = rows.nrows() as f64;
        let mut mean = vec![0.0; rows.ncols()];
        for row in rows.rows() {
            mean.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
        mean.iter_mut().for_each(|sum| *sum /= n);
        let mut correction = vec![0.0; rows.ncols()];
        let mut squares = vec![0.0; rows.ncols()];
        for row in rows.rows() {
            for (j, x) in row.iter().enumerate() {
                let deviation = x - mean[j];
                correction[j] += deviation;
                squares[j] += deviation * deviation;
            }
        }
        let variance = squares.iter().zip(&correction).map(|(squares, sum)| (squares - sum * sum / n) / n);
        let scale = variance.zip(&mean).map(|(variance, &mean)| divisor(variance, mean, n)).collect();
        Self { mean, scale }
    }

    /// The scaled rows.
    pub fn transform(&self, rows: ArrayView2<'_, f64>) -> Array2<f64> {
        let mut scaled = rows.to_owned();
        for mut row in scaled.axis_iter_mut(Axis(0)) {
            for (x, (mean, scale)) in row.iter_mut().zip(self.mean.iter().zip(&self.scale)) {
                *x = (*x - mean) / scale;
            }
        }
        scaled
    }
}

/// The standard deviation, or 1 where the variance is within the rounding error of the two-pass algorithm
/// (scikit-learn's `_is_constant_feature`).
fn divisor(variance: f64, mean: f64, n: f64) -> f64 {
    let error = n * f64::EPSILON * variance + (n * mean * f64::EPSILON).powi(2);
    if variance <= error { 1.0 } else { variance.sqrt() }
}
