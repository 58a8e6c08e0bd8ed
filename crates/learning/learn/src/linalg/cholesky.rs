//! Cholesky decomposition of a symmetric positive definite matrix.

use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut1, s};

use super::matrix_product;
use crate::Cancel;
use crate::cancel::Cancelled;

/// Columns of a block, which are factored one by one between two matrix products.
const BLOCK_COLUMNS: usize = 64;

/// L of a = L Lᵀ; the elements above its diagonal are never read.
pub(crate) struct Cholesky(Array2<f64>);

impl Cholesky {
    /// Factors the lower triangle of a symmetric matrix; none if it is not positive definite to working precision. Block
    /// by block, as LAPACK's `potrf`: first the contribution of the finished columns as one matrix product, then the
    /// columns of the block.
    pub(crate) fn factor(mut matrix: Array2<f64>, cancel: &Cancel) -> Result<Option<Self>, Cancelled> {
        let n = matrix.nrows();
        let largest = matrix.diag().iter().copied().fold(0.0, f64::max);
        for first in (0..n).step_by(BLOCK_COLUMNS) {
            let last = (first + BLOCK_COLUMNS).min(n);
            let finished = matrix.slice(s![first.., ..first]);
            let finished_part = matrix_product(finished, finished.slice(s![..last - first, ..]), cancel)?;
            let mut block = matrix.slice_mut(s![first.., first..last]);
            block -= &finished_part;
            for j in 0..last - first {
                let above = block.row(j).slice(s![..j]).to_owned();
                let pivot = block[[j, j]] - dot(above.view(), above.view());
                // The pivot is a rounding error: its column depends on those before.
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

    /// The solution x of a x = b, for each column of b.
    pub(crate) fn solve(&self, b: ArrayView2<'_, f64>, cancel: &Cancel) -> Result<Array2<f64>, Cancelled> {
        let mut x = b.to_owned();
        for column in x.columns_mut() {
            cancel.check()?;
            self.solve_in_place(column);
        }
        Ok(x)
    }

    fn solve_in_place(&self, mut x: ArrayViewMut1<'_, f64>) {
        let n = x.len();
        for i in 0..n {
            let finished_part: f64 = (0..i).map(|j| self.0[[i, j]] * x[j]).sum();
            x[i] = (x[i] - finished_part) / self.0[[i, i]];
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

/// Added in the order of the elements, which no library promises.
fn dot(a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
