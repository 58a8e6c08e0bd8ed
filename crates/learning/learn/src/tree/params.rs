//! Parameters of decision trees and forests.

use linfa::ParamGuard;
use model::search::Params;
use serde::{Deserialize, Serialize};

use super::class_weight::{ClassWeight, LabelWeights};
use super::criterion::Criterion;
use super::families::TreeFamily;
use crate::params::{ParamError, ParamReader, bad_value};

/// How the thresholds of a drawn feature are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Splitter {
    /// The best threshold.
    Best,
    /// One random threshold, uniform between the node's smallest and largest value.
    Random,
}

/// A minimum number of rows, absolute or as a share of the rows fitted on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MinSamples {
    /// This many rows.
    Count(u32),
    /// This share of the rows, rounded up.
    Share(f64),
}

impl MinSamples {
    fn is_valid(self, min_count: u32, max_share: f64) -> bool {
        match self {
            Self::Count(count) => count >= min_count,
            Self::Share(share) => share > 0.0 && share <= max_share,
        }
    }

    pub(super) fn to_rows(self, rows: usize) -> usize {
        match self {
            Self::Count(count) => count as usize,
            Self::Share(share) => (share * rows as f64).ceil() as usize,
        }
    }
}

/// How many features are drawn at each node.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MaxFeatures {
    /// A function of the number of features.
    Rule(FeatureRule),
    /// This many.
    Count(u32),
    /// This share of the features, rounded down.
    Share(f64),
}

impl MaxFeatures {
    fn is_valid(self) -> bool {
        match self {
            Self::Rule(_) => true,
            Self::Count(count) => count >= 1,
            Self::Share(share) => share > 0.0 && share <= 1.0,
        }
    }
}

/// The number of drawn features as a function of their total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureRule {
    /// Square root, rounded down.
    Sqrt,
    /// Binary logarithm, rounded down.
    Log2,
}

/// Parameters that were checked.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeValidParams {
    pub(super) family: TreeFamily,
    pub(super) n_estimators: u32,
    pub(super) criterion: Criterion,
    pub(super) splitter: Splitter,
    pub(super) max_depth: Option<u32>,
    pub(super) min_samples_split: MinSamples,
    pub(super) min_samples_leaf: MinSamples,
    pub(super) min_weight_fraction_leaf: f64,
    pub(super) max_features: Option<MaxFeatures>,
    pub(super) max_leaf_nodes: Option<u32>,
    pub(super) min_impurity_decrease: f64,
    pub(super) bootstrap: bool,
    pub(super) class_weight: Option<ClassWeight>,
    pub(super) ccp_alpha: f64,
    pub(super) seed: u64,
}

/// Parameters to be checked, by linfa's convention. They start as scikit-learn's defaults for a family, with seed 0.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeParams(pub(super) TreeValidParams);

impl Default for TreeParams {
    fn default() -> Self {
        Self::new(TreeFamily::Tree)
    }
}

impl TreeParams {
    /// scikit-learn's defaults for this family.
    pub fn new(family: TreeFamily) -> Self {
        Self::read(family, &Params::new()).expect("defaults are valid").0
    }

    /// Sets the number of trees of a forest.
    pub fn n_estimators(mut self, n_estimators: u32) -> Self {
        self.0.n_estimators = n_estimators;
        self
    }

    /// Sets how impurity is measured.
    pub fn criterion(mut self, criterion: Criterion) -> Self {
        self.0.criterion = criterion;
        self
    }

    /// Sets the maximum depth of a tree; `None`: unlimited.
    pub fn max_depth(mut self, max_depth: Option<u32>) -> Self {
        self.0.max_depth = max_depth;
        self
    }

    /// Sets the minimum number of rows in a leaf.
    pub fn min_samples_leaf(mut self, min_samples_leaf: MinSamples) -> Self {
        self.0.min_samples_leaf = min_samples_leaf;
        self
    }

    /// Sets how many features are drawn at each node; `None`: all.
    pub fn max_features(mut self, max_features: Option<MaxFeatures>) -> Self {
        self.0.max_features = max_features;
        self
    }

    /// Sets the seed of bootstraps, drawn features and random thresholds.
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }

    /// Reads parameters as a grid gives them; also returns all parameters, completed by defaults.
    pub(crate) fn read(family: TreeFamily, given: &Params) -> Result<(Self, Params), ParamError> {
        let reader = ParamReader::new(family.name(), family.parameters(), given)?;
        let params = Self(TreeValidParams {
            family,
            n_estimators: if family.has("n_estimators") { reader.get("n_estimators")? } else { 1 },
            criterion: reader.get("criterion")?,
            splitter: match family {
                TreeFamily::Tree | TreeFamily::ExtraTree => reader.get("splitter")?,
                TreeFamily::ExtraTrees => Splitter::Random,
                TreeFamily::RandomForest => Splitter::Best,
            },
            max_depth: reader.get("max_depth")?,
            min_samples_split: reader.get("min_samples_split")?,
            min_samples_leaf: reader.get("min_samples_leaf")?,
            min_weight_fraction_leaf: reader.get("min_weight_fraction_leaf")?,
            max_features: reader.get("max_features")?,
            max_leaf_nodes: reader.get("max_leaf_nodes")?,
            min_impurity_decrease: reader.get("min_impurity_decrease")?,
            bootstrap: family.has("bootstrap") && reader.get("bootstrap")?,
            class_weight: reader.get("class_weight")?,
            ccp_alpha: reader.get("ccp_alpha")?,
            seed: 0,
        });
        Ok((params, reader.completed()))
    }
}

impl ParamGuard for TreeParams {
    type Checked = TreeValidParams;
    type Error = ParamError;

    fn check_ref(&self) -> Result<&TreeValidParams, ParamError> {
        let params = &self.0;
        let is_non_negative = |x: &f64| *x >= 0.0 && x.is_finite();
        params.require("n_estimators", params.n_estimators, |trees| *trees >= 1)?;
        params.require("max_depth", params.max_depth, |depth| *depth != Some(0))?;
        params.require("min_samples_split", params.min_samples_split, |split| split.is_valid(2, 1.0))?;
        params.require("min_samples_leaf", params.min_samples_leaf, |leaf| leaf.is_valid(1, 1.0_f64.next_down()))?;
        params.require("min_weight_fraction_leaf", params.min_weight_fraction_leaf, |share| {
            (0.0..=0.5).contains(share)
        })?;
        params.require("max_features", params.max_features, |features| features.is_none_or(MaxFeatures::is_valid))?;
        params.require("max_leaf_nodes", params.max_leaf_nodes, |leaves| leaves.is_none_or(|leaves| leaves >= 2))?;
        params.require("min_impurity_decrease", params.min_impurity_decrease, is_non_negative)?;
        params.require("class_weight", &params.class_weight, |weight| {
            weight.as_ref().is_none_or(ClassWeight::is_valid)
        })?;
        params.require("ccp_alpha", params.ccp_alpha, is_non_negative)?;
        Ok(params)
    }

    fn check(self) -> Result<TreeValidParams, ParamError> {
        self.check_ref()?;
        Ok(self.0)
    }
}

impl TreeValidParams {
    fn require<T: Serialize>(&self, name: &str, value: T, is_valid: impl FnOnce(&T) -> bool) -> Result<(), ParamError> {
        if is_valid(&value) {
            return Ok(());
        }
        let shown = serde_json::to_string(&value).unwrap_or_default();
        Err(bad_value(self.family.name(), self.family.parameters(), name, shown))
    }

    /// How many of the features are drawn at each node.
    pub(super) fn features_per_node(&self, features: usize) -> usize {
        let count = match self.max_features {
            None => features,
            Some(MaxFeatures::Rule(FeatureRule::Sqrt)) => (features as f64).sqrt() as usize,
            Some(MaxFeatures::Rule(FeatureRule::Log2)) => features.max(1).ilog2() as usize,
            Some(MaxFeatures::Count(count)) => count as usize,
            Some(MaxFeatures::Share(share)) => (share * features as f64) as usize,
        };
        count.clamp(1, features.max(1))
    }

    /// Replaces the class weight `balanced` by these weights.
    pub(crate) fn balance_by(&mut self, weights: &[LabelWeights]) {
        if let Some(ClassWeight::Rule(_)) = self.class_weight {
            self.class_weight = Some(ClassWeight::PerLabel(weights.to_vec()));
        }
    }

    /// Canonical parameters: those without effect are set to their defaults.
    pub(crate) fn canonical(&self) -> Self {
        Self { criterion: self.criterion.canonical(), ..self.clone() }
    }

    /// Whether every feature is searched at every node.
    pub(super) fn uses_all_features(&self, features: usize) -> bool {
        self.features_per_node(features) >= features
    }

    /// Whether trees are built level by level and not depth first.
    pub(super) fn builds_by_level(&self, features: usize) -> bool {
        self.splitter == Splitter::Random && self.uses_all_features(features)
    }

    /// Whether both can share trees: they differ only in where trees stop and in what a leaf must have.
    pub(crate) fn shares_work_with(&self, other: &Self, features: usize) -> bool {
        self.family == other.family
            && self.criterion.canonical() == other.criterion.canonical()
            && self.splitter == other.splitter
            && self.features_per_node(features) == other.features_per_node(features)
            && self.bootstrap == other.bootstrap
            && self.class_weight == other.class_weight
            && self.seed == other.seed
    }
}
