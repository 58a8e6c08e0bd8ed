//! Operations on long vectors in f64, in parallel over chunks of a fixed size: the same bits for any number of threads.

use rayon::prelude::*;

use super::activation::vectorised;

/// Values of a chunk (128 KB).
const CHUNK_VALUES: usize = 1 << 14;

/// Σ aᵢ bᵢ.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let partial: Vec<f64> =
        a.par_chunks(CHUNK_VALUES).zip(b.par_chunks(CHUNK_VALUES)).map(|(a, b)| dot_chunk(a, b)).collect();
    partial.iter().sum()
}

/// y += factor · x.
pub(super) fn axpy(factor: f64, x: &[f64], y: &mut [f64]) {
    y.par_chunks_mut(CHUNK_VALUES).zip(x.par_chunks(CHUNK_VALUES)).for_each(|(y, x)| {
        vectorised(
            #[inline(always)]
            || y.iter_mut().zip(x).for_each(|(y, x)| *y += factor * x),
        );
    });
}

/// max |xᵢ|; 0 for an empty vector.
pub(super) fn max_abs(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |largest, x| f64::max(largest, x.abs()))
}

/// Summed in eight lanes, which are added in a fixed order.
fn dot_chunk(a: &[f64], b: &[f64]) -> f64 {
    vectorised(
        #[inline(always)]
        || {
            let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
            let rest: f64 = a8.remainder().iter().zip(b8.remainder()).map(|(a, b)| a * b).sum();
            let mut lanes = [0.0; 8];
            for (a, b) in a8.zip(b8) {
                for lane in 0..8 {
                    lanes[lane] += a[lane] * b[lane];
                }
            }
            lanes.iter().sum::<f64>() + rest
        },
    )
}
