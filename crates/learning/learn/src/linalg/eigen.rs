//! Eigenvalues and eigenvectors of a symmetric matrix: Householder tridiagonalisation, then implicit QL iterations (Golub
//! and Van Loan, *Matrix Computations*, 8.3; EISPACK's `tred2` and `imtql2`).

use ndarray::Array2;

use crate::Cancel;
use crate::cancel::Cancelled;

/// QL sweeps for one eigenvalue before giving up; about two are usual.
const MAX_SWEEPS: usize = 60;

/// The eigendecomposition of a symmetric n × n matrix.
pub(crate) struct Eigen {
    /// The n eigenvalues, largest first.
    pub(crate) values: Vec<f64>,
    /// The eigenvectors as rows of length 1, n × n, in the order of the values. Their signs are arbitrary.
    pub(crate) vectors: Array2<f64>,
}

/// A symmetric tridiagonal matrix. The off-diagonal has n − 1 elements and ends with a 0.
struct Tridiagonal {
    diagonal: Vec<f64>,
    off_diagonal: Vec<f64>,
}

/// The Householder reflection I − `factor` v vᵀ, which acts on the last `v.len()` coordinates.
struct Reflection {
    v: Vec<f64>,
    factor: f64,
}

impl Eigen {
    /// Decomposes a matrix; none if the values do not converge, as with elements that are not finite.
    pub(crate) fn decompose(matrix: &Array2<f64>, cancel: &Cancel) -> Result<Option<Self>, Cancelled> {
        let n = matrix.nrows();
        let mut rows: Vec<Vec<f64>> = matrix.rows().into_iter().map(|row| row.to_vec()).collect();
        let (mut tridiagonal, reflections) = reduce(&mut rows, cancel)?;
        let mut vectors = transposed(&product(n, &reflections, cancel)?);
        if !converge(&mut tridiagonal, &mut vectors, cancel)? {
            return Ok(None);
        }
        let values = tridiagonal.diagonal;
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
        let in_order = order.iter().flat_map(|&index| vectors[index].iter().copied()).collect();
        Ok(Some(Self {
            values: order.iter().map(|&index| values[index]).collect(),
            vectors: Array2::from_shape_vec((n, n), in_order).expect("n vectors of n"),
        }))
    }
}

/// Tridiagonalises the matrix with one reflection after another.
fn reduce(rows: &mut [Vec<f64>], cancel: &Cancel) -> Result<(Tridiagonal, Vec<Reflection>), Cancelled> {
    let n = rows.len();
    let mut off_diagonal = vec![0.0; n];
    let mut reflections = Vec::new();
    for k in 0..n.saturating_sub(1) {
        cancel.check()?;
        let reflection;
        (off_diagonal[k], reflection) = reflect(&rows[k][k + 1..]);
        let v = &reflection.v;
        let mut w = vec![0.0; v.len()];
        for (row, &v_i) in rows[k + 1..].iter().zip(v) {
            axpy(&mut w, reflection.factor * v_i, &row[k + 1..]);
        }
        let along: f64 = w.iter().zip(v).map(|(w, v)| w * v).sum();
        axpy(&mut w, -0.5 * reflection.factor * along, v);
        for (i, row) in rows[k + 1..].iter_mut().enumerate() {
            let (w_i, v_i) = (w[i], v[i]);
            let elements = row[k + 1..].iter_mut().zip(&w).zip(v);
            elements.for_each(|((element, w), v)| *element -= v_i * w + w_i * v);
        }
        reflections.push(reflection);
    }
    let diagonal = (0..n).map(|i| rows[i][i]).collect();
    Ok((Tridiagonal { diagonal, off_diagonal }, reflections))
}

/// The reflection that maps `x` to a multiple of the first unit vector, and that multiple.
fn reflect(x: &[f64]) -> (f64, Reflection) {
    let mut v = x.to_vec();
    let rest: f64 = x[1..].iter().map(|x| x * x).sum();
    if rest == 0.0 {
        return (x[0], Reflection { v, factor: 0.0 });
    }
    let left = -(x[0] * x[0] + rest).sqrt().copysign(x[0]);
    v[0] -= left;
    (left, Reflection { factor: 2.0 / (v[0] * v[0] + rest), v })
}

/// The product of the reflections, in their order.
fn product(n: usize, reflections: &[Reflection], cancel: &Cancel) -> Result<Vec<Vec<f64>>, Cancelled> {
    let mut rows: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    for Reflection { v, factor } in reflections.iter().rev() {
        cancel.check()?;
        let first = n - v.len();
        let mut along = vec![0.0; v.len()];
        for (row, &v_i) in rows[first..].iter().zip(v) {
            axpy(&mut along, v_i, &row[first..]);
        }
        for (row, &v_i) in rows[first..].iter_mut().zip(v) {
            axpy(&mut row[first..], -factor * v_i, &along);
        }
    }
    Ok(rows)
}

/// Iterates until the off-diagonal is 0, and applies every rotation to the rows of `vectors`; whether it converges.
fn converge(matrix: &mut Tridiagonal, vectors: &mut [Vec<f64>], cancel: &Cancel) -> Result<bool, Cancelled> {
    let Tridiagonal { diagonal, off_diagonal } = &*matrix;
    let largest = diagonal.iter().chain(off_diagonal).fold(0.0_f64, |largest, x| largest.max(x.abs()));
    let n = diagonal.len();
    for first in 0..n {
        let mut sweeps = 0;
        loop {
            let is_small = |&i: &usize| matrix.off_diagonal[i].abs() <= f64::EPSILON * largest;
            let Some(last) = (first..n).find(is_small) else { return Ok(false) };
            if last == first {
                break;
            }
            cancel.check()?;
            sweeps += 1;
            if sweeps > MAX_SWEEPS {
                return Ok(false);
            }
            sweep(matrix, first, last, vectors);
        }
    }
    Ok(true)
}

/// One implicit QL step with Wilkinson's shift on the coordinates `first..=last`.
fn sweep(matrix: &mut Tridiagonal, first: usize, last: usize, vectors: &mut [Vec<f64>]) {
    let Tridiagonal { diagonal, off_diagonal } = matrix;
    let half = (diagonal[first + 1] - diagonal[first]) / (2.0 * off_diagonal[first]);
    let shift = off_diagonal[first] / (half + libm::hypot(half, 1.0).copysign(half));
    let mut g = diagonal[last] - diagonal[first] + shift;
    let (mut sine, mut cosine, mut taken) = (1.0, 1.0, 0.0);
    for i in (first..last).rev() {
        let (f, b) = (sine * off_diagonal[i], cosine * off_diagonal[i]);
        let length = libm::hypot(f, g);
        off_diagonal[i + 1] = length;
        if length == 0.0 {
            diagonal[i + 1] -= taken;
            off_diagonal[last] = 0.0;
            return;
        }
        (sine, cosine) = (f / length, g / length);
        g = diagonal[i + 1] - taken;
        let r = (diagonal[i] - g) * sine + 2.0 * cosine * b;
        taken = sine * r;
        diagonal[i + 1] = g + taken;
        g = cosine * r - b;
        let (upper, lower) = vectors.split_at_mut(i + 1);
        for (a, b) in upper[i].iter_mut().zip(&mut lower[0]) {
            (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
        }
    }
    diagonal[first] -= taken;
    off_diagonal[first] = g;
    off_diagonal[last] = 0.0;
}

/// `to` += `factor` × `row`.
fn axpy(to: &mut [f64], factor: f64, row: &[f64]) {
    to.iter_mut().zip(row).for_each(|(to, x)| *to += factor * x);
}

fn transposed(rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    (0..rows.len()).map(|j| rows.iter().map(|row| row[j]).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_orthonormal_and_restore_the_matrix() {
        for n in [1, 2, 3, 40] {
            let matrix = Array2::from_shape_fn((n, n), |(i, j)| 1.0 / (i + j + 1) as f64 + f64::from(u8::from(i == j)));
            let Eigen { values, vectors } = Eigen::decompose(&matrix, &Cancel::new()).unwrap().unwrap();
            assert!(values.is_sorted_by(|a, b| a >= b));
            let scaled = Array2::from_shape_fn((n, n), |(i, j)| values[i] * vectors[[i, j]]);
            let off = (vectors.t().dot(&scaled) - &matrix).mapv(f64::abs).sum();
            let skew = (vectors.dot(&vectors.t()) - Array2::<f64>::eye(n)).mapv(f64::abs).sum();
            assert!(off < 1e-12 * n as f64 && skew < 1e-12 * n as f64, "{n}: {off} {skew}");
        }
        let decompose = |matrix: Array2<f64>| Eigen::decompose(&matrix, &Cancel::new()).unwrap();
        assert!(decompose(Array2::from_elem((3, 3), f64::NAN)).is_none());
        assert_eq!(decompose(Array2::zeros((3, 3))).unwrap().values, [0.0; 3]);
    }
}
