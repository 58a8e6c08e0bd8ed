//! Distances between rows.

use serde::{Deserialize, Serialize};

/// A kind of distance; settings with equal ones can share a pass.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Distance {
    /// Σ |a − b|.
    Manhattan,
    /// √Σ (a − b)².
    Euclidean,
    /// (Σ |a − b|^p)^(1/p).
    Minkowski(f64),
    /// 1 − cos of the angle.
    Cosine,
}

impl Distance {
    /// A number that is smaller the nearer the rows are, quick to compute. For [`Distance::Cosine`] the rows must have
    /// length 1.
    pub(super) fn reduced(self, a: &[f64], b: &[f64]) -> f64 {
        match self {
            Self::Manhattan => sum(a, b, |a, b| (a - b).abs()),
            Self::Euclidean => sum(a, b, |a, b| (a - b) * (a - b)),
            Self::Minkowski(3.0) => sum(a, b, |a, b| ((a - b) * (a - b) * (a - b)).abs()),
            Self::Minkowski(4.0) => sum(a, b, |a, b| ((a - b) * (a - b)) * ((a - b) * (a - b))),
            Self::Minkowski(p) => sum(a, b, |a, b| libm::pow((a - b).abs(), p)),
            Self::Cosine => (1.0 - sum(a, b, |a, b| a * b)).clamp(0.0, 2.0),
        }
    }

    /// The distance of a reduced one.
    pub(super) fn full(self, reduced: f64) -> f64 {
        match self {
            Self::Manhattan | Self::Cosine => reduced,
            Self::Euclidean => reduced.sqrt(),
            Self::Minkowski(p) => libm::pow(reduced, 1.0 / p),
        }
    }
}

/// Sums over columns in a fixed order: eight lanes side by side, which the compiler makes vector instructions of, then
/// the lanes in pairs, then the columns left over. Any machine and any number of threads gets the same bits.
#[inline]
fn sum(a: &[f64], b: &[f64], term: impl Fn(f64, f64) -> f64) -> f64 {
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a8.remainder().iter().zip(b8.remainder()).map(|(&a, &b)| term(a, b)).sum();
    let mut lanes = [0.0; 8];
    for (a, b) in a8.zip(b8) {
        for lane in 0..8 {
            lanes[lane] += term(a[lane], b[lane]);
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    (((a + b) + (c + d)) + ((e + f) + (g + h))) + rest
}
