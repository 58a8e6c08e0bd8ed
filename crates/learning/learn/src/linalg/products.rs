//! Matrix products, as scalar products of rows.

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use crate::Cancel;
use crate::cancel::Cancelled;
use crate::pairwise::{Product, sums};

/// Rows of either matrix that are multiplied while they are in the cache.
const BLOCK_ROWS: usize = 32;

/// The rows of a matrix in standard layout.
fn slices<'a>(matrix: &'a ArrayView2<'_, f64>) -> Vec<&'a [f64]> {
    matrix.rows().into_iter().map(|row| row.to_slice().expect("row-major")).collect()
}

/// a bᵀ, n × m, for n × d and m × d in standard layout.
pub(crate) fn matrix_product(
    a: ArrayView2<'_, f64>,
    b: ArrayView2<'_, f64>,
    cancel: &Cancel,
) -> Result<Array2<f64>, Cancelled> {
    product(a, b, |_| 0, cancel)
}

/// a aᵀ, n × n, for n × d in standard layout; half the work of [`matrix_product`].
pub(crate) fn self_products(a: ArrayView2<'_, f64>, cancel: &Cancel) -> Result<Array2<f64>, Cancelled> {
    let mut products = product(a, a, |first| first, cancel)?;
    for i in 0..a.nrows() {
        for j in 0..i {
            products[[i, j]] = products[[j, i]];
        }
    }
    Ok(products)
}

/// aᵀ in standard layout.
pub(crate) fn transposed(a: ArrayView2<'_, f64>, cancel: &Cancel) -> Result<Array2<f64>, Cancelled> {
    let (n, d) = a.dim();
    let mut columns = Array2::zeros((d, n));
    let values = columns.as_slice_mut().expect("just made");
    let blocks = values.par_chunks_mut((BLOCK_ROWS * n).max(1)).zip(a.axis_chunks_iter(Axis(1), BLOCK_ROWS));
    blocks.for_each(|(values, block)| {
        if cancel.is_cancelled() {
            return;
        }
        for (i, row) in block.rows().into_iter().enumerate() {
            row.iter().enumerate().for_each(|(j, &x)| values[j * n + i] = x);
        }
    });
    cancel.check()?;
    Ok(columns)
}

/// The products of each block of rows of `a` with the rows of `b` from number `from(first row of the block)` on; the
/// others stay 0.
fn product(
    a: ArrayView2<'_, f64>,
    b: ArrayView2<'_, f64>,
    from: impl Fn(usize) -> usize + Sync,
    cancel: &Cancel,
) -> Result<Array2<f64>, Cancelled> {
    let mut products = Array2::zeros((a.nrows(), b.nrows()));
    let (a, b) = (a.as_standard_layout(), b.as_standard_layout());
    let (a, b) = (a.view(), b.view());
    let (a, b) = (slices(&a), slices(&b));
    if a.is_empty() || b.is_empty() {
        return Ok(products);
    }
    let values = products.as_slice_mut().expect("just made");
    values.par_chunks_mut(BLOCK_ROWS * b.len()).enumerate().for_each(|(block, values)| {
        let rows = &a[block * BLOCK_ROWS..(block * BLOCK_ROWS + values.len() / b.len())];
        for first in (from(block * BLOCK_ROWS)..b.len()).step_by(BLOCK_ROWS) {
            if cancel.is_cancelled() {
                return;
            }
            let others = &b[first..(first + BLOCK_ROWS).min(b.len())];
            sums(rows, others, Product, |i, j, product| values[i * b.len() + first + j] = product);
        }
    });
    cancel.check()?;
    Ok(products)
}
