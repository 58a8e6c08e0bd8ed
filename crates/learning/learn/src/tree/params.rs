//! Parameters of decision trees and forests, and the cost of fitting them.

use linfa::ParamGuard;
use model::search::Params;
use serde::{Deserialize, Serialize};

use super::class_weight::{ClassWeight, LabelWeights};
use super::criterion::Criterion;
use crate::family::{CostEstimate, FitSize};
use crate::params::{ParamError, ParamReader, Parameter, bad_value};

/// The four families of trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreeFamily {
    /// scikit-learn's `DecisionTreeClassifier`.
    Tree,
    /// scikit-learn's `ExtraTreeClassifier`: one tree with random thresholds of √d features.
    ExtraTree,
    /// scikit-learn's `ExtraTreesClassifier`: a forest of extra trees.
    ExtraTrees,
    /// scikit-learn's `RandomForestClassifier`: trees with the best thresholds of √d features, each on a bootstrap of the rows.
    RandomForest,
}

impl TreeFamily {
    /// The name of the family in grids and results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tree => "tree",
            Self::ExtraTree => "extra_tree",
            Self::ExtraTrees => "extra_trees",
            Self::RandomForest => "random_forest",
        }
    }

    /// The parameters of the family.
    pub const fn parameters(self) -> &'static [Parameter] {
        match self {
            Self::Tree => TREE,
            Self::ExtraTree => EXTRA_TREE,
            Self::ExtraTrees => EXTRA_TREES,
            Self::RandomForest => RANDOM_FOREST,
        }
    }

    fn has(self, parameter: &str) -> bool {
        self.parameters().iter().any(|known| known.name == parameter)
    }
}

const CRITERION: Parameter = Parameter { name: "criterion", default: "\"gini\"", allowed: "gini, entropy or log_loss" };
const MAX_DEPTH: Parameter = Parameter { name: "max_depth", default: "null", allowed: "none or an integer from 1" };
const MIN_SAMPLES_SPLIT: Parameter = Parameter {
    name: "min_samples_split",
    default: "2",
    allowed: "an integer from 2, or a share of the rows above 0.0 and up to 1.0",
};
const MIN_SAMPLES_LEAF: Parameter = Parameter {
    name: "min_samples_leaf",
    default: "1",
    allowed: "an integer from 1, or a share of the rows between 0.0 and 1.0",
};
const MIN_WEIGHT_FRACTION_LEAF: Parameter =
    Parameter { name: "min_weight_fraction_leaf", default: "0.0", allowed: "a number from 0 to 0.5" };
const MAX_LEAF_NODES: Parameter =
    Parameter { name: "max_leaf_nodes", default: "null", allowed: "none or an integer from 2" };
const MIN_IMPURITY_DECREASE: Parameter =
    Parameter { name: "min_impurity_decrease", default: "0.0", allowed: "a number from 0" };
const CLASS_WEIGHT: Parameter = Parameter {
    name: "class_weight",
    default: "null",
    allowed: "none, balanced, or a list with {\"0\": weight, \"1\": weight} for each label",
};
const CCP_ALPHA: Parameter = Parameter { name: "ccp_alpha", default: "0.0", allowed: "a number from 0" };
const N_ESTIMATORS: Parameter = Parameter { name: "n_estimators", default: "100", allowed: "an integer from 1" };

const fn splitter(default: &'static str) -> Parameter {
    Parameter { name: "splitter", default, allowed: "best or random" }
}

const fn max_features(default: &'static str) -> Parameter {
    let allowed = "none, sqrt, log2, an integer from 1, or a share of the features above 0.0 and up to 1.0";
    Parameter { name: "max_features", default, allowed }
}

const fn bootstrap(default: &'static str) -> Parameter {
    Parameter { name: "bootstrap", default, allowed: "true or false" }
}

const TREE: &[Parameter] = &single_tree("\"best\"", "null");
const EXTRA_TREE: &[Parameter] = &single_tree("\"random\"", "\"sqrt\"");
const EXTRA_TREES: &[Parameter] = &forest("false");
const RANDOM_FOREST: &[Parameter] = &forest("true");

const fn single_tree(default_splitter: &'static str, default_max_features: &'static str) -> [Parameter; 11] {
    [
        CRITERION,
        splitter(default_splitter),
        MAX_DEPTH,
        MIN_SAMPLES_SPLIT,
        MIN_SAMPLES_LEAF,
        MIN_WEIGHT_FRACTION_LEAF,
        max_features(default_max_features),
        MAX_LEAF_NODES,
        MIN_IMPURITY_DECREASE,
        CLASS_WEIGHT,
        CCP_ALPHA,
    ]
}

const fn forest(default_bootstrap: &'static str) -> [Parameter; 12] {
    [
        N_ESTIMATORS,
        CRITERION,
        MAX_DEPTH,
        MIN_SAMPLES_SPLIT,
        MIN_SAMPLES_LEAF,
        MIN_WEIGHT_FRACTION_LEAF,
        max_features("\"sqrt\""),
        MAX_LEAF_NODES,
        MIN_IMPURITY_DECREASE,
        bootstrap(default_bootstrap),
        CLASS_WEIGHT,
        CCP_ALPHA,
    ]
}

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
pub struct TreeParams(TreeValidParams);

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

    /// Estimates the seconds that a fit and its predictions take on one core.
    pub(crate) fn seconds(&self, size: FitSize) -> CostEstimate {
        self.0.seconds(size)
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

    /// Estimates the seconds that a fit and its predictions take on one core.
    ///
    /// The nanoseconds were fitted to the measured processor times of the study's tables. `cargo xtask bench search
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
