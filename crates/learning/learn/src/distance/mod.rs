//! Distances between rows, for the families of nearest neighbours.

mod neighbours;
mod vote;

use ndarray::{Array2, ArrayView2, Axis, CowArray, Ix2};
use serde::{Deserialize, Serialize};

pub(crate) use neighbours::{Neighbour, nearest, within};
pub(crate) use vote::vote;

use crate::pairwise::{Absolute, Cube, Fourth, Power, Product, Square, sums};

/// A kind of distance. Candidates with equal distances share a pass over the data.
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

/// How scikit-learn would search. It never changes a result, but search trees refuse some metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// Any.
    Auto,
    /// A ball tree.
    BallTree,
    /// A k-d tree.
    KdTree,
    /// All distances.
    Brute,
}

/// The metric of the distances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// (Σ |a − b|^p)^(1/p); the only metric that uses `p`.
    Minkowski,
    /// √Σ (a − b)².
    #[serde(alias = "l2")]
    Euclidean,
    /// Σ |a − b|.
    #[serde(alias = "l1", alias = "cityblock")]
    Manhattan,
    /// 1 − cos of the angle.
    Cosine,
}

/// How much each neighbour's vote weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoteWeights {
    /// All the same.
    Uniform,
    /// The inverse of the distance.
    Distance,
}

impl Metric {
    /// The distance that the metric defines with the power `p`.
    pub fn distance(self, p: f64) -> Distance {
        match self {
            Self::Euclidean => Distance::Euclidean,
            Self::Manhattan => Distance::Manhattan,
            Self::Cosine => Distance::Cosine,
            Self::Minkowski if p == 1.0 => Distance::Manhattan,
            Self::Minkowski if p == 2.0 => Distance::Euclidean,
            Self::Minkowski => Distance::Minkowski(p),
        }
    }
}

impl Algorithm {
    /// Why scikit-learn would refuse to search by this distance, if it would.
    pub(crate) fn allows(self, distance: Distance) -> Result<(), String> {
        let in_tree = matches!(self, Self::BallTree | Self::KdTree);
        match distance {
            Distance::Cosine if in_tree => {
                Err("search trees do not support metric cosine: use algorithm brute or auto".into())
            }
            Distance::Minkowski(p) if in_tree && p < 1.0 => {
                Err(format!("search trees do not support metric minkowski with p = {p}: use algorithm brute"))
            }
            _ => Ok(()),
        }
    }
}

impl Distance {
    /// Calls `emit(i, j, reduced)` for all pairs of rows of `a` and `b`. The reduced distance grows with the distance and
    /// is quicker to compute. The rows come from [`prepare_rows`].
    fn reduced(self, a: &[&[f64]], b: &[&[f64]], mut emit: impl FnMut(usize, usize, f64)) {
        match self {
            Self::Manhattan => sums(a, b, Absolute, emit),
            Self::Euclidean => sums(a, b, Square, emit),
            Self::Minkowski(3.0) => sums(a, b, Cube, emit),
            Self::Minkowski(4.0) => sums(a, b, Fourth, emit),
            Self::Minkowski(p) => sums(a, b, Power(p), emit),
            Self::Cosine => sums(a, b, Product, |i, j, cos| emit(i, j, (1.0 - cos).clamp(0.0, 2.0))),
        }
    }

    /// The distance of a reduced one.
    fn unreduced(self, reduced: f64) -> f64 {
        match self {
            Self::Manhattan | Self::Cosine => reduced,
            Self::Euclidean => reduced.sqrt(),
            Self::Minkowski(p) => libm::pow(reduced, 1.0 / p),
        }
    }

    /// Estimated seconds for all distances between `queries` and `rows` on one core. To check or refit the factors:
    /// `cargo xtask bench search --only ours --tables knn` prints measured beside estimated seconds.
    pub(crate) fn seconds(self, rows: usize, queries: usize, features: usize) -> f64 {
        let nanoseconds = match self {
            Self::Minkowski(p) if p != 3.0 && p != 4.0 => 42.0,
            _ => 0.08,
        };
        rows as f64 * queries as f64 * features as f64 * nanoseconds * 1e-9
    }
}

/// Rows in standard layout; for the cosine also scaled to length 1 (rows of zeros stay zero: their distance to all is 1).
fn prepare_rows(distance: Distance, rows: ArrayView2<'_, f64>) -> CowArray<'_, f64, Ix2> {
    if distance != Distance::Cosine {
        return if rows.is_standard_layout() { rows.into() } else { rows.as_standard_layout().into_owned().into() };
    }
    let mut unit: Array2<f64> = rows.as_standard_layout().into_owned();
    for mut row in unit.axis_iter_mut(Axis(0)) {
        let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
        if length > 0.0 {
            row.mapv_inplace(|x| x / length);
        }
    }
    unit.into()
}
