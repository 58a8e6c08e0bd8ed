//! The weight of each training row, and the scale that makes a node's weights whole numbers.
//!
//! Sums of whole numbers do not depend on the order of the rows, so every way of finding a split computes the same costs.

/// The weights of the training rows of one tree.
pub(super) struct RowWeights {
    pub(super) per_row: Vec<f64>,
    /// Whether every weight is a whole number.
    pub(super) all_whole: bool,
    pub(super) total: f64,
    /// Upper bound of a node's scaled weight: a power of two such that the squares of all label sums fit an `i64`.
    max_node_weight: f64,
}

impl RowWeights {
    pub(super) fn new(per_row: Vec<f64>, labels: usize) -> Self {
        let bits = (62 - labels.next_power_of_two().trailing_zeros()) / 2;
        Self {
            all_whole: per_row.iter().all(|weight| weight.fract() == 0.0),
            total: per_row.iter().sum(),
            per_row,
            // At most 2²⁹, which leaves an `i32` room for weights that are rounded up.
            max_node_weight: f64::from(1 << bits.min(29)),
        }
    }

    /// The factor that turns weights into whole numbers at a node of this weight: 1 if they are whole already, else the
    /// power of two that uses all available bits, so that every node is equally precise, however light its rows are.
    pub(super) fn scale(&self, node_weight: f64) -> f64 {
        if self.all_whole && node_weight < self.max_node_weight {
            return 1.0;
        }
        let (_, exponent) = libm::frexp(node_weight);
        libm::ldexp(self.max_node_weight, -exponent)
    }
}
