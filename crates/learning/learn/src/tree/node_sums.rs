//! A node's weights summed in floating point, row after row, as scikit-learn sums them.

use super::lanes::{LabelLanes, VECTOR_LANES};

/// The summed weight of some rows, in total and by label.
pub(super) struct NodeSums {
    pub(super) weight: f64,
    /// One for each group of [`VECTOR_LANES`] labels.
    pub(super) groups: Vec<ClassSums>,
}

/// For each label of a group, the summed weight of the rows with it and of those without it.
pub(super) struct ClassSums {
    pub(super) with: [f64; VECTOR_LANES],
    pub(super) without: [f64; VECTOR_LANES],
}

impl ClassSums {
    /// Sums rows in their order; each is its weight and a group of its labels.
    pub(super) fn new<'a>(rows: impl Iterator<Item = (f64, &'a LabelLanes)>) -> Self {
        let mut sums = Self { with: [0.0; VECTOR_LANES], without: [0.0; VECTOR_LANES] };
        for (weight, labels) in rows {
            for lane in 0..VECTOR_LANES {
                let (with, without) = if labels.0[lane] != 0 { (weight, 0.0) } else { (0.0, weight) };
                sums.with[lane] += with;
                sums.without[lane] += without;
            }
        }
        sums
    }
}
