//! Principal components, scikit-learn's `PCA` with an exact solver and without whitening.

use ndarray::{Array1, Array2, ArrayView2, Axis, s};

use super::Components;
use crate::Cancel;
use crate::linalg::{Eigen, matrix_product, self_products, transposed};

/// The middle (d) of the rows and the components (k × d, each of length 1), the largest variance first. A component's
/// coordinate of largest size is positive, which is scikit-learn's rule for signs. Components without variance, which
/// rows fewer than features leave, are none. Says what is wrong where it cannot be done.
pub(super) fn components(
    rows: ArrayView2<'_, f64>,
    asked: Components,
    cancel: &Cancel,
) -> Result<(Array1<f64>, Array2<f64>), String> {
    let (n, d) = rows.dim();
    let middle = rows.mean_axis(Axis(0)).ok_or("pca: there are no rows to fit on")?;
    let centred = &rows - &middle;
    let columns = transposed(centred.view(), cancel)?;
    // Eigenvectors of the smaller of XᵀX and XXᵀ.
    let wide = d > n;
    let products = self_products(if wide { centred.view() } else { columns.view() }, cancel)?;
    let eigen = Eigen::of(&products, cancel)?;
    let Eigen { values, vectors } = eigen.ok_or("pca: the eigenvalues do not converge")?;
    let rounding = values.first().copied().unwrap_or(0.0) * n.max(d) as f64 * f64::EPSILON;
    let varying = values.iter().take_while(|value| **value > rounding).count();
    let total: f64 = products.diag().sum();
    let kept = match asked {
        Components::Count(count) => count as usize,
        Components::Share(share) => enough(&values, share * total),
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
        let largest = axis.iter().copied().fold(0.0, |most: f64, x| if x.abs() > most.abs() { x } else { most });
        axis *= largest.signum();
    });
    Ok((middle, axes))
}

/// How many of the values sum to more than `wanted`.
fn enough(values: &[f64], wanted: f64) -> usize {
    let mut sum = 0.0;
    let short = values.iter().take_while(|value| {
        sum += **value;
        sum <= wanted
    });
    short.count() + 1
}
