//! Decision trees and forests for several labels: scikit-learn's `DecisionTreeClassifier`, `ExtraTreeClassifier`,
//! `ExtraTreesClassifier` and `RandomForestClassifier`.
//!
//! One tree serves all labels; impurity is the mean over labels, and a leaf holds one probability a label; a forest
//! averages them. What is random (bootstraps, the order in which features are looked at, random thresholds) is a function
//! of the seed and of the node's place in the tree, so it draws other numbers than scikit-learn, from the same
//! distributions.
//!
//! Settings that differ only in where a tree stops share its growth: `grow` grows what any of them may want, or `levels` does
//! for several trees at once; `cut` says where each stops, and `forests` has all of them predict.

mod aligned;
mod best;
mod code;
mod columns;
mod criterion;
mod cut;
mod few;
mod fitted;
mod forests;
mod groups;
mod grow;
mod kernel;
mod levels;
mod members;
mod near;
mod params;
mod presorted;
mod random;
mod random_few;
mod ranks;
mod room;
mod rounding;
mod rows;
mod sort;
mod split;
mod thresholds;
mod train;
mod values;
mod weights;

use linfa::traits::Fit;
use ndarray::Array2;

pub use criterion::Criterion;
pub use fitted::Forest;
pub use params::{Amount, FeatureRule, Kind, MaxFeatures, Splitter, TreeParams, TreeValidParams};
pub use weights::{ClassWeight, LabelWeights, WeightRule, balanced_weights};

pub(crate) use train::train_all;

use crate::{Cancel, Labelled, LearnError};

impl Fit<Array2<f64>, Array2<bool>, LearnError> for TreeValidParams {
    type Object = Forest;

    fn fit(&self, dataset: &Labelled) -> Result<Forest, LearnError> {
        self.fit_until(dataset, &Cancel::new())
    }
}

impl TreeValidParams {
    /// [`Fit::fit`], until it is cancelled.
    pub(crate) fn fit_until(&self, dataset: &Labelled, cancel: &Cancel) -> Result<Forest, LearnError> {
        let labels = dataset.targets.view();
        let rows = train::Rows::new(dataset.records.view(), labels, &[self], cancel);
        let fitted = train::fit(self, &rows, labels, cancel);
        cancel.check()?;
        fitted.map_err(LearnError::Unfittable)
    }

    /// How much each of d features reduces impurity in the trees fitted on these rows, as shares of 1; all are 0 where no
    /// tree splits. scikit-learn's `feature_importances_`.
    pub fn feature_importances(&self, dataset: &Labelled) -> Result<Vec<f64>, LearnError> {
        self.feature_importances_until(dataset, &Cancel::new())
    }

    /// [`Self::feature_importances`], until it is cancelled.
    pub(crate) fn feature_importances_until(
        &self,
        dataset: &Labelled,
        cancel: &Cancel,
    ) -> Result<Vec<f64>, LearnError> {
        let labels = dataset.targets.view();
        let rows = train::Rows::new(dataset.records.view(), labels, &[self], cancel);
        let importances = train::importances(self, &rows, labels, cancel);
        cancel.check()?;
        importances.map_err(LearnError::Unfittable)
    }
}
