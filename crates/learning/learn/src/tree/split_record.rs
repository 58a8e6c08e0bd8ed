//! What the search for a split returns, and the limits on leaves that it obeys.

/// Variants of leaf limits that one search serves at most: as many as a bit set has bits.
pub(super) const MAX_VARIANTS: usize = 64;

/// What every leaf must have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LeafLimits {
    pub(super) min_rows: usize,
    pub(super) min_weight: f64,
}

impl LeafLimits {
    /// Whether any leaf obeys them, since none is empty.
    pub(super) fn are_none(&self) -> bool {
        self.min_rows <= 1 && self.min_weight <= 0.0
    }
}

/// The best split found so far under one variant's limits (scikit-learn's `SplitRecord`).
#[derive(Debug, Clone, Copy)]
pub(super) struct SplitRecord {
    /// Weighted impurity of both sides, up to a term that all splits of a node share; lower is better.
    pub(super) cost: f64,
    /// What scikit-learn compares, which decides between splits whose costs are too close to call; higher is better.
    pub(super) gain: f64,
    /// The feature's random priority at this node, which decides between equal gains; higher is better.
    pub(super) priority: u32,
    pub(super) feature: u32,
    /// Best splitter: a row with the highest rank on the left, from which the threshold follows at the end.
    pub(super) last_left_row: u32,
    /// Rows whose value is at most this go left.
    pub(super) threshold: f64,
}

impl SplitRecord {
    pub(super) const NONE: Self = Self {
        cost: f64::INFINITY,
        gain: f64::NEG_INFINITY,
        priority: 0,
        feature: u32::MAX,
        last_left_row: 0,
        threshold: 0.0,
    };

    pub(super) fn exists(&self) -> bool {
        self.feature != u32::MAX
    }

    /// Whether a split of this cost is better. Of equally good features the one with the higher priority wins, of equally
    /// good thresholds of one feature the first.
    #[inline(always)]
    pub(super) fn is_beaten_by(&self, cost: f64, priority: u32, feature: u32) -> bool {
        cost < self.cost || (cost == self.cost && priority > self.priority && feature != self.feature)
    }
}

/// The variants in a bit set, ascending.
pub(super) fn variant_indices(mut variants: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let variant = (variants != 0).then(|| variants.trailing_zeros() as usize)?;
        variants &= variants - 1;
        Some(variant)
    })
}
