//! Cholesky's factors of a symmetric matrix.

use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut1, s};

use super::matrix_product;
use crate::Cancel;
use crate::cancel::Cancelled;

/// Columns that are factored one by one between two matrix products.
const BLOCK: usize = 64;

/// L of a = L Lᵀ; what is above its diagonal is never read.
pub(crate) struct Cholesky(Array2<f64>);

impl Cholesky {
    /// Factors a symmetric positive definite matrix, of which the lower triangle is read; none if it is not definite to
    /// working precision. Block by block, as LAPACK's `potrf`: first what the finished columns contribute, as one matrix
    /// product, then the columns of the block.
    pub(crate) fn factor(mut matrix: Array2<f64>, cancel: &Cancel) -> Result<Option<Self>, Cancelled> {
        let n = matrix.nrows();
        let largest = matrix.diag().iter().copied().fold(0.0, f64::max);
        for first in (0..n).step_by(BLOCK) {
            let last = (first + BLOCK).min(n);
            let finished = matrix.slice(s![first.., ..first]);
            let known = matrix_product(finished, finished.slice(s![..last - first, ..]), cancel)?;
            let mut block = matrix.slice_mut(s![first.., first..last]);
            block -= &known;
            for j in 0..last - first {
                let above = block.row(j).slice(s![..j]).to_owned();
                let pivot = block[[j, j]] - dot(above.view(), above.view());
                // A pivot of rounding errors: its column depends on those before.
                if pivot.is_nan() || pivot <= largest * n as f64 * f64::EPSILON {
                    return Ok(None);
                }
                let root = pivot.sqrt();
                block[[j, j]] = root;
                for i in j + 1..block.nrows() {
                    let row = block.row(i);
                    block[[i, j]] = (row[j] - dot(row.slice(s![..j]), above.view())) / root;
                }
            }
        }
        Ok(Some(Self(matrix)))
    }

    /// x of a x = b, for each column of b.
    pub(crate) fn solve(&self, b: ArrayView2<'_, f64>, cancel: &Cancel) -> Result<Array2<f64>, Cancelled> {
        let mut x = b.to_owned();
        for column in x.columns_mut() {
            cancel.check()?;
            self.solve_one(column);
        }
        Ok(x)
    }

    fn solve_one(&self, mut x: ArrayViewMut1<'_, f64>) {
        let n = x.len();
        for i in 0..n {
            let known: f64 = (0..i).map(|j| self.0[[i, j]] * x[j]).sum();
            x[i] = (x[i] - known) / self.0[[i, i]];
        }
        for i in (0..n).rev() {
            x[i] /= self.0[[i, i]];
            let solved = x[i];
            for j in 0..i {
                x[j] -= self.0[[i, j]] * solved;
            }
        }
    }
}

/// In the order of the elements, as no library promises.
fn dot(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
