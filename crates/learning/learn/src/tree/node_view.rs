//! A node as random thresholds are scored for it: its weight and that of its mixed labels.

use crate::random::RandomKey;

/// A node as random thresholds are scored for it.
pub(super) struct NodeView<'a> {
    pub(super) path: RandomKey,
    /// The weight of all rows, in whole numbers.
    pub(super) weight: i32,
    /// The factor that made weights whole numbers.
    pub(super) scale: f64,
    /// For each label that some rows have and some do not, the weight of the rows that have it. Other labels are pure on
    /// both sides of every split, so they cost nothing.
    pub(super) label_weights: &'a [i32],
}

impl NodeView<'_> {
    /// Whether `f32` holds every number of the gini cost exactly: with weights L and R on the two sides, the largest of
    /// them over q labels is q L R (L + R), which is at most a quarter of q (L + R)³.
    pub(super) fn is_exact_in_f32(&self) -> bool {
        self.label_weights.len() as u128 * (self.weight as u128).pow(3) < 1 << 26
    }

    /// Whether both sides of a split whose left side has this weight weigh at least `min_weight`, in unscaled weight.
    #[inline(always)]
    pub(super) fn sides_weigh(&self, left: i32, min_weight: f64) -> bool {
        sides_weigh([left, self.weight - left], self.scale, min_weight)
    }
}

/// Whether both sides weigh at least `min_weight`; the sides' weights are scaled, the bound is not.
#[inline(always)]
pub(super) fn sides_weigh(sides: [i32; 2], scale: f64, min_weight: f64) -> bool {
    sides.into_iter().all(|side| f64::from(side) >= min_weight * scale)
}
