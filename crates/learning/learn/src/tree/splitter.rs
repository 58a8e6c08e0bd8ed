//! The node splitter: what all nodes of a tree share while their splits are searched.
//!
//! [`super::node_split`] chooses among the searches; [`super::best_splitter`] and [`super::random_splitter`] are
//! scikit-learn's two.

use pulp::Arch;

use super::columns::Columns;
use super::criterion::Criterion;
use super::node_statistics::NodeStatistics;
use super::params::Splitter;
use super::row_labels::RowLabels;
use super::row_weights::RowWeights;
use super::split_record::LeafLimits;
use super::values::{FEATURE_THRESHOLD, range};
use crate::Cancel;
use crate::random::RandomKey;

/// Finds the best split of a node for several variants of leaf limits at once.
pub(super) struct NodeSplitter<'a> {
    pub(super) arch: Arch,
    pub(super) columns: &'a Columns,
    pub(super) labels: &'a RowLabels,
    pub(super) weights: &'a RowWeights,
    pub(super) criterion: Criterion,
    pub(super) splitter: Splitter,
    /// Features drawn at each node.
    pub(super) max_features: usize,
    /// The limits of each variant, at most [`super::split_record::MAX_VARIANTS`].
    pub(super) variants: &'a [LeafLimits],
    /// Once it is cancelled, results are thrown away, so searches may end early.
    pub(super) cancel: Cancel,
}

/// A node whose split is asked for.
pub(super) struct SplitRequest<'a> {
    pub(super) path: RandomKey,
    /// Ascending.
    pub(super) rows: &'a [u32],
    pub(super) weight: f64,
    /// Bit v: variant v wants a split.
    pub(super) variants: u64,
    /// Whether the rows of its branch were copied by [`NodeSplitter::copy_branch`].
    pub(super) is_compact: bool,
}

impl NodeSplitter<'_> {
    /// Whether every feature is searched at every node.
    pub(super) fn uses_all_features(&self) -> bool {
        self.max_features >= self.columns.features()
    }

    /// Whether a feature is not constant on these rows.
    pub(super) fn varies(&self, feature: u32, rows: &[u32]) -> bool {
        let column = self.columns.column(feature);
        let (low, high) = range(rows.iter().map(|&row| column[row as usize]));
        high > low + FEATURE_THRESHOLD
    }

    /// Costs that are closer than this are too close to call: [`super::sklearn_gain`] has to decide.
    ///
    /// The margins bound rounding errors. A wider one only costs time; with one too narrow, the searches choose other splits
    /// than scikit-learn and than each other, which `tests/parity.rs` and the tests of [`super::node_split`] would show.
    /// - Gini sums whole numbers exactly and then rounds a few times in `f64` (about 1e-16 each); the rest is room for
    ///   scikit-learn's sums over many rows.
    /// - Entropy uses an `f32` logarithm with a relative error of 4e-7 ([`super::criterion`]), and a label's entropy is at
    ///   most the node's weight: the errors of two costs of ten labels add up to about 2 × 10 × 4e-7 × weight = 8e-6 × weight,
    ///   and by more in proportion with more labels.
    #[inline(always)]
    pub(super) fn margin<const ENTROPY: bool>(&self, statistics: &NodeStatistics, cost: f64) -> f64 {
        match (cost.is_finite(), ENTROPY) {
            (false, _) => 0.0,
            (true, false) => 1e-11 * cost.abs(),
            (true, true) => 8e-6 * f64::from(statistics.weight) * (self.labels.count() as f64 / 10.0).max(1.0),
        }
    }
}

#[cfg(test)]
impl<'a> NodeSplitter<'a> {
    /// One random threshold per feature, scored by gini: what the tests of random splits share.
    pub(super) fn random(
        columns: &'a Columns,
        labels: &'a RowLabels,
        weights: &'a RowWeights,
        max_features: usize,
        variants: &'a [LeafLimits],
    ) -> Self {
        let (arch, criterion, splitter) = (Arch::new(), Criterion::Gini, Splitter::Random);
        Self { arch, columns, labels, weights, criterion, splitter, max_features, variants, cancel: Cancel::new() }
    }
}
