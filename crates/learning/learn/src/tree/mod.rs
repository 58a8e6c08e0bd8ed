//! Decision trees and forests for several labels: scikit-learn's `DecisionTreeClassifier`, `ExtraTreeClassifier`,
//! `ExtraTreesClassifier` and `RandomForestClassifier`.
//!
//! One tree serves all labels: impurity is the mean over labels, a leaf holds a probability for each label, and a forest
//! averages its trees. What is random (bootstraps, drawn features, random thresholds) is a function of the seed and of a
//! node's path from the root. So it differs from scikit-learn's draws, but has the same distributions.
//!
//! Candidates that differ only in where a tree stops share their trees. From top to bottom:
//!
//! - `train` groups the candidates, and builds the trees of each group in batches.
//! - `builder` builds a `shared_tree` depth first, `level_builder` several level by level.
//! - `pruning` cuts a shared tree to what one candidate would have built, `evaluation` sums and scores the forests.
//! - `node_split` splits a node. `best_splitter` and `random_splitter` are scikit-learn's two searches; `best_small_node` and
//!   `random_small_node` are faster ones for few rows; all are methods of `splitter`.
//! - `split_costs`, `subset_costs` and `random_thresholds` compute costs from `node_statistics` (weights as whole numbers);
//!   `sklearn_gain` decides between splits that are too close to call.
//! - `params` are the parameters, `families` their defaults, `cost` what a fit will take.
//! - `columns`, `ranks`, `presorted` and `compact` hold the features, each for the search that reads them in this layout.

mod aligned;
mod best_small_node;
mod best_splitter;
mod builder;
mod class_weight;
mod columns;
mod compact;
mod cost;
mod count_encoding;
mod criterion;
mod evaluation;
mod families;
mod forest;
mod label_sets;
mod lanes;
mod level_builder;
mod node_samples;
mod node_split;
mod node_statistics;
mod node_sums;
mod node_view;
mod ordinal;
mod params;
mod presorted;
mod pruning;
mod random_small_node;
mod random_splitter;
mod random_thresholds;
mod rank_sort;
mod rank_width;
mod ranks;
mod row_labels;
mod row_weights;
mod scratch;
mod shared_tree;
mod sklearn_gain;
mod split_costs;
mod split_record;
mod splitter;
mod subset_costs;
mod train;
mod values;

use linfa::traits::Fit;
use ndarray::Array2;

pub use class_weight::{ClassWeight, LabelWeights, WeightRule, balanced_weights};
pub use criterion::Criterion;
pub use families::TreeFamily;
pub use forest::Forest;
pub use params::{FeatureRule, MaxFeatures, MinSamples, Splitter, TreeParams, TreeValidParams};

pub(crate) use train::train_all;

use crate::{Cancel, Labelled, LearnError};

impl Fit<Array2<f64>, Array2<bool>, LearnError> for TreeValidParams {
    type Object = Forest;

    fn fit(&self, dataset: &Labelled) -> Result<Forest, LearnError> {
        self.fit_until(dataset, &Cancel::new())
    }
}

impl TreeValidParams {
    /// [`Fit::fit`], which stops when it is cancelled.
    pub(crate) fn fit_until(&self, dataset: &Labelled, cancel: &Cancel) -> Result<Forest, LearnError> {
        let labels = dataset.targets.view();
        let rows = train::TreeRows::new(dataset.records.view(), labels, &[self], cancel);
        let fitted = train::fit(self, &rows, labels, cancel);
        cancel.check()?;
        fitted.map_err(LearnError::Unfittable)
    }

    /// scikit-learn's `feature_importances_`: how much each of d features reduces impurity in trees fitted on these rows,
    /// normalised to sum to 1; all 0 if no tree splits.
    pub fn feature_importances(&self, dataset: &Labelled) -> Result<Vec<f64>, LearnError> {
        self.feature_importances_until(dataset, &Cancel::new())
    }

    /// [`Self::feature_importances`], which stops when it is cancelled.
    pub(crate) fn feature_importances_until(
        &self,
        dataset: &Labelled,
        cancel: &Cancel,
    ) -> Result<Vec<f64>, LearnError> {
        let labels = dataset.targets.view();
        let rows = train::TreeRows::new(dataset.records.view(), labels, &[self], cancel);
        let importances = train::importances(self, &rows, labels, cancel);
        cancel.check()?;
        importances.map_err(LearnError::Unfittable)
    }
}
