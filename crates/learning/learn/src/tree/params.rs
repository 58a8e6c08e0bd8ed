//! Parameters of decision trees and forests.

use linfa::ParamGuard;
use model::search::Params;
use serde::{Deserialize, Serialize};

use super::criterion::Criterion;
use super::weights::{ClassWeight, LabelWeights};
use crate::family::{CostEstimate, FitSize};
use crate::params::{ParamError, ParamReader, Parameter, bad_value};

/// The four families of trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// scikit-learn's `DecisionTreeClassifier`.
    Tree,
    /// Its `ExtraTreeClassifier`: one tree with random thresholds of √d features.
    ExtraTree,
    /// Its `ExtraTreesClassifier`: a forest of those.
    ExtraTrees,
    /// Its `RandomForestClassifier`: trees with the best thresholds of √d features, each on a bootstrap of the rows.
    RandomForest,
}

impl Kind {
    /// The family's name.
    pub const fn family(self) -> &'static str {
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
        self.parameters().iter().any(|of| of.name == parameter)
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

const TREE: &[Parameter] = &single("\"best\"", "null");
const EXTRA_TREE: &[Parameter] = &single("\"random\"", "\"sqrt\"");
const EXTRA_TREES: &[Parameter] = &forest("false");
const RANDOM_FOREST: &[Parameter] = &forest("true");

const fn single(of_splitter: &'static str, of_max_features: &'static str) -> [Parameter; 11] {
    [
        CRITERION,
        splitter(of_splitter),
        MAX_DEPTH,
        MIN_SAMPLES_SPLIT,
        MIN_SAMPLES_LEAF,
        MIN_WEIGHT_FRACTION_LEAF,
        max_features(of_max_features),
        MAX_LEAF_NODES,
        MIN_IMPURITY_DECREASE,
        CLASS_WEIGHT,
        CCP_ALPHA,
    ]
}

const fn forest(of_bootstrap: &'static str) -> [Parameter; 12] {
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
        bootstrap(of_bootstrap),
        CLASS_WEIGHT,
        CCP_ALPHA,
    ]
}

/// How thresholds are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Splitter {
    /// The best threshold of each drawn feature.
    Best,
    /// One uniform threshold between the node's smallest and largest value of each drawn feature.
    Random,
}

/// A number of rows, or a share of those fitted on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Amount {
    /// Rows.
    Count(u32),
    /// Share, rounded up to rows.
    Share(f64),
}

impl Amount {
    fn fits(self, least: u32, most: f64) -> bool {
        match self {
            Self::Count(count) => count >= least,
            Self::Share(share) => share > 0.0 && share <= most,
        }
    }

    pub(super) fn of(self, rows: usize) -> usize {
        match self {
            Self::Count(count) => count as usize,
            Self::Share(share) => (share * rows as f64).ceil() as usize,
        }
    }
}

/// How many features are drawn at a node.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MaxFeatures {
    /// By a rule.
    Rule(FeatureRule),
    /// So many.
    Count(u32),
    /// Share of all.
    Share(f64),
}

impl MaxFeatures {
    fn fits(self) -> bool {
        match self {
            Self::Rule(_) => true,
            Self::Count(count) => count >= 1,
            Self::Share(share) => share > 0.0 && share <= 1.0,
        }
    }
}

/// A number of features that grows with their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureRule {
    /// Square root, rounded down.
    Sqrt,
    /// Binary logarithm, rounded down.
    Log2,
}

/// Checked parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeValidParams {
    pub(super) kind: Kind,
    pub(super) n_estimators: u32,
    pub(super) criterion: Criterion,
    pub(super) splitter: Splitter,
    pub(super) max_depth: Option<u32>,
    pub(super) min_samples_split: Amount,
    pub(super) min_samples_leaf: Amount,
    pub(super) min_weight_fraction_leaf: f64,
    pub(super) max_features: Option<MaxFeatures>,
    pub(super) max_leaf_nodes: Option<u32>,
    pub(super) min_impurity_decrease: f64,
    pub(super) bootstrap: bool,
    pub(super) class_weight: Option<ClassWeight>,
    pub(super) ccp_alpha: f64,
    pub(super) seed: u64,
}

/// Unchecked parameters, by linfa's custom; they begin as scikit-learn's defaults for a kind, with seed 0.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeParams(TreeValidParams);

impl Default for TreeParams {
    fn default() -> Self {
        Self::new(Kind::Tree)
    }
}

impl TreeParams {
    /// scikit-learn's defaults for this kind.
    pub fn new(kind: Kind) -> Self {
        Self::read(kind, &Params::new()).expect("defaults are right").0
    }

    /// Trees of a forest.
    pub fn n_estimators(mut self, n_estimators: u32) -> Self {
        self.0.n_estimators = n_estimators;
        self
    }

    /// How impurity is measured.
    pub fn criterion(mut self, criterion: Criterion) -> Self {
        self.0.criterion = criterion;
        self
    }

    /// The longest way from the root to a leaf.
    pub fn max_depth(mut self, max_depth: Option<u32>) -> Self {
        self.0.max_depth = max_depth;
        self
    }

    /// The smallest leaf.
    pub fn min_samples_leaf(mut self, min_samples_leaf: Amount) -> Self {
        self.0.min_samples_leaf = min_samples_leaf;
        self
    }

    /// How many features are drawn at a node; `None`: all.
    pub fn max_features(mut self, max_features: Option<MaxFeatures>) -> Self {
        self.0.max_features = max_features;
        self
    }

    /// Where bootstraps, the order of features and random thresholds come from.
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }

    /// Rough seconds that one fit with its predictions takes on one core.
    pub(crate) fn seconds(&self, size: FitSize) -> CostEstimate {
        self.0.seconds(size)
    }

    /// Reads what a grid says; also returns every parameter, completed by the defaults.
    pub(crate) fn read(kind: Kind, given: &Params) -> Result<(Self, Params), ParamError> {
        let reader = ParamReader::new(kind.family(), kind.parameters(), given)?;
        let params = Self(TreeValidParams {
            kind,
            n_estimators: if kind.has("n_estimators") { reader.get("n_estimators")? } else { 1 },
            criterion: reader.get("criterion")?,
            splitter: match kind {
                Kind::Tree | Kind::ExtraTree => reader.get("splitter")?,
                Kind::ExtraTrees => Splitter::Random,
                Kind::RandomForest => Splitter::Best,
            },
            max_depth: reader.get("max_depth")?,
            min_samples_split: reader.get("min_samples_split")?,
            min_samples_leaf: reader.get("min_samples_leaf")?,
            min_weight_fraction_leaf: reader.get("min_weight_fraction_leaf")?,
            max_features: reader.get("max_features")?,
            max_leaf_nodes: reader.get("max_leaf_nodes")?,
            min_impurity_decrease: reader.get("min_impurity_decrease")?,
            bootstrap: kind.has("bootstrap") && reader.get("bootstrap")?,
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
        let of = &self.0;
        let leaves_fit = |leaves: Option<u32>| leaves.is_none_or(|leaves| leaves >= 2);
        let is_amount = |x: f64| x >= 0.0 && x.is_finite();
        of.require("n_estimators", of.n_estimators, |trees| *trees >= 1)?;
        of.require("max_depth", of.max_depth, |depth| *depth != Some(0))?;
        of.require("min_samples_split", of.min_samples_split, |split| split.fits(2, 1.0))?;
        of.require("min_samples_leaf", of.min_samples_leaf, |leaf| leaf.fits(1, 1.0_f64.next_down()))?;
        of.require("min_weight_fraction_leaf", of.min_weight_fraction_leaf, |share| (0.0..=0.5).contains(share))?;
        of.require("max_features", of.max_features, |features| features.is_none_or(MaxFeatures::fits))?;
        of.require("max_leaf_nodes", of.max_leaf_nodes, |leaves| leaves_fit(*leaves))?;
        of.require("min_impurity_decrease", of.min_impurity_decrease, |x| is_amount(*x))?;
        of.require("class_weight", &of.class_weight, |weight| weight.as_ref().is_none_or(ClassWeight::fits))?;
        of.require("ccp_alpha", of.ccp_alpha, |x| is_amount(*x))?;
        Ok(of)
    }

    fn check(self) -> Result<TreeValidParams, ParamError> {
        self.check_ref()?;
        Ok(self.0)
    }
}

impl TreeValidParams {
    fn require<T: Serialize>(&self, name: &str, value: T, fits: impl FnOnce(&T) -> bool) -> Result<(), ParamError> {
        if fits(&value) {
            return Ok(());
        }
        let shown = serde_json::to_string(&value).unwrap_or_default();
        Err(bad_value(self.kind.family(), self.kind.parameters(), name, shown))
    }

    /// How many of `features` features are drawn at a node.
    pub(super) fn drawn(&self, features: usize) -> usize {
        let count = match self.max_features {
            None => features,
            Some(MaxFeatures::Rule(FeatureRule::Sqrt)) => (features as f64).sqrt() as usize,
            Some(MaxFeatures::Rule(FeatureRule::Log2)) => features.max(1).ilog2() as usize,
            Some(MaxFeatures::Count(count)) => count as usize,
            Some(MaxFeatures::Share(share)) => (share * features as f64) as usize,
        };
        count.clamp(1, features.max(1))
    }

    /// Takes these weights where `balanced` was asked for.
    pub(crate) fn balance_by(&mut self, weights: &[LabelWeights]) {
        if let Some(ClassWeight::Rule(_)) = self.class_weight {
            self.class_weight = Some(ClassWeight::PerLabel(weights.to_vec()));
        }
    }

    /// The parameters with those that change nothing set to their defaults.
    pub(crate) fn canonical(&self) -> Self {
        Self { criterion: self.criterion.canonical(), ..self.clone() }
    }

    /// Rough seconds that one fit with its predictions takes on one core, fitted to measured ones; see [`crate::plan`].
    pub(crate) fn seconds(&self, FitSize { rows, queries, features, labels }: FitSize) -> CostEstimate {
        let entropy = self.criterion.canonical() == Criterion::Entropy;
        // Nanoseconds: to lay out a value; of each tree to copy one, of each drawn feature a row on a level, and a node.
        let [layout, copy, row, node] = match (self.splitter, self.takes_all(features), entropy) {
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
        let levels = 1.3 * n.max(2.0).log2();
        let levels = self.max_depth.map_or(levels, |depth| levels.min(f64::from(depth)));
        let nodes = (n / 2.0).min(2.0_f64.powf(levels));
        let looked_at = self.drawn(features) as f64 * (labels as f64 / 10.0).max(1.0);
        let values = n * features as f64;
        let tree = values * copy + looked_at * (n * levels * row + nodes * node);
        let own = queries as f64 * (trees * 100.0 + labels as f64 * 10.0);
        CostEstimate { shared: (values * layout + trees * tree) * 1e-9, own: own * 1e-9 }
    }

    /// Whether every one of so many features is looked at at every node.
    pub(super) fn takes_all(&self, features: usize) -> bool {
        self.drawn(features) >= features
    }

    /// Whether trees on so many features are grown level by level.
    pub(super) fn goes_by_levels(&self, features: usize) -> bool {
        self.splitter == Splitter::Random && self.takes_all(features)
    }

    /// Whether one growth serves both: they differ only in where they stop and in what a leaf must have.
    pub(crate) fn shares_work_with(&self, other: &Self, features: usize) -> bool {
        self.kind == other.kind
            && self.criterion.canonical() == other.criterion.canonical()
            && self.splitter == other.splitter
            && self.drawn(features) == other.drawn(features)
            && self.bootstrap == other.bootstrap
            && self.class_weight == other.class_weight
            && self.seed == other.seed
    }
}
