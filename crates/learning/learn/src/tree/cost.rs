//! Estimates what a fit of trees costs, from which the plan cuts a search into blocks.

use super::criterion::Criterion;
use super::params::{Splitter, TreeParams, TreeValidParams};
use crate::family::{CostEstimate, FitSize};

impl TreeParams {
    /// Estimates the seconds that a fit and its predictions take on one core.
    pub(crate) fn seconds(&self, size: FitSize) -> CostEstimate {
        self.0.seconds(size)
    }
}

impl TreeValidParams {
    /// Estimates the seconds that a fit and its predictions take on one core.
    ///
    /// The nanoseconds were fitted by hand to measured processor times of the study's tables. `cargo xtask bench search
    /// --only ours --again` measures them again: its table *The plan and the blocks* (`docs/performance.md`) shows measured ÷
    /// planned for each table, and the numbers of a row are to be scaled until that is close to 1. `--only growth` shows
    /// whether time still grows with rows and features as assumed here.
    pub(crate) fn seconds(&self, FitSize { rows, queries, features, labels }: FitSize) -> CostEstimate {
        /// Nodes on a path per doubling of the rows: trees are somewhat deeper than balanced ones.
        const LEVELS_PER_DOUBLING: f64 = 1.3;
        /// Nanoseconds to take a row down a tree, and to evaluate a label of a row.
        const DESCENT_NS: f64 = 100.0;
        const LABEL_NS: f64 = 10.0;
        let entropy = self.criterion.canonical() == Criterion::Entropy;
        // Nanoseconds: for each value to lay it out once, and to copy it for each tree; for each drawn feature to search it, per
        // row and level, and per node.
        let [layout, copy, search_row, search_node] = match (self.splitter, self.uses_all_features(features), entropy) {
            (Splitter::Random, true, false) => [4.0, 0.0, 0.24, 2.0],
            (Splitter::Random, true, true) => [4.0, 0.0, 0.25, 2.0],
            (Splitter::Random, false, false) => [5.0, 0.9, 2.6, 48.0],
            (Splitter::Random, false, true) => [5.0, 1.0, 2.2, 58.0],
            (Splitter::Best, true, false) => [4.0, 0.0, 7.0, 53.0],
            (Splitter::Best, true, true) => [4.0, 0.0, 20.0, 80.0],
            (Splitter::Best, false, false) => [14.0, 0.2, 6.0, 85.0],
            (Splitter::Best, false, true) => [14.0, 0.2, 21.0, 0.0],
        };
        let [n, trees] = [rows as f64, f64::from(self.n_estimators)];
        let levels = LEVELS_PER_DOUBLING * n.max(2.0).log2();
        let levels = self.max_depth.map_or(levels, |depth| levels.min(f64::from(depth)));
        let nodes = (n / 2.0).min(2.0_f64.powf(levels));
        // The measured data had ten labels. Fewer cost as much, more cost more in proportion.
        let searched = self.features_per_node(features) as f64 * (labels as f64 / 10.0).max(1.0);
        let values = n * features as f64;
        let tree = values * copy + searched * (n * levels * search_row + nodes * search_node);
        let own = queries as f64 * (trees * DESCENT_NS + labels as f64 * LABEL_NS);
        CostEstimate { shared: (values * layout + trees * tree) * 1e-9, own: own * 1e-9 }
    }
}
