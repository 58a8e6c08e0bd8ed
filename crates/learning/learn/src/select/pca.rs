//! Principal components, scikit-learn's `PCA` with an exact solver and without whitening.

use ndarray::{Array1, Array2, ArrayView2, Axis, s};

use super::Components;
use crate::Cancel;
use crate::linalg::{Eigen, matrix_product, self_products, transposed};

/// The mean of the rows (d) and the components (k × d, each of length 1), largest variance first. The coordinate of
/// largest magnitude of each component is positive: scikit-learn's rule for signs. Components without variance, as there
/// are with fewer rows than features, are left out. The error says why there are no components.
pub(super) fn components(
    rows: ArrayView2<'_, f64>,
    wanted: Components,
    cancel: &Cancel,
) -> Result<(Array1<f64>, Array2<f64>), String> {
    let (n, d) = rows.dim();
    let mean = rows.mean_axis(Axis(0)).ok_or("pca: there are no rows to fit on")?;
    let centred = &rows - &mean;
    let columns = transposed(centred.view(), cancel)?;
    // Eigenvectors of the smaller of XᵀX and XXᵀ.
    let wide = d > n;
    let products = self_products(if wide { centred.view() } else { columns.view() }, cancel)?;
    let eigen = Eigen::decompose(&products, cancel)?;
    let Eigen { values, vectors } = eigen.ok_or("pca: the eigenvalues do not converge")?;
    let rounding = values.first().copied().unwrap_or(0.0) * n.max(d) as f64 * f64::EPSILON;
    // Smaller eigenvalues are rounding errors of 0.
    let varying = values.iter().take_while(|value| **value > rounding).count();
    let total: f64 = products.diag().sum();
    let kept = match wanted {
        Components::Count(count) => count as usize,
        Components::Share(share) => components_for(&values, share * total),
    };
    let kept = kept.min(varying);
    if kept == 0 {
        return Err("pca: every feature is constant".into());
    }
    let mut axes = vectors.slice(s![..kept, ..]).to_owned();
    if wide {
        axes = matrix_product(axes.view(), columns.view(), cancel)?;
        axes.rows_mut().into_iter().zip(&values).for_each(|(mut axis, value)| axis /= value.sqrt());
    }
    axes.rows_mut().into_iter().for_each(|mut axis| {
        let largest = axis.iter().copied().fold(0.0, |max: f64, x| if x.abs() > max.abs() { x } else { max });
        axis *= largest.signum();
    });
    Ok((mean, axes))
}

/// How many of the values sum to more than `wanted`.
fn components_for(values: &[f64], wanted: f64) -> usize {
    let mut sum = 0.0;
    let too_few = values.iter().take_while(|value| {
        sum += **value;
        sum <= wanted
    });
    too_few.count() + 1
}
