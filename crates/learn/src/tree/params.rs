//! Parameters of a decision tree.

use linfa::ParamGuard;
use model::search::Params;
use serde::{Deserialize, Serialize};

use super::criterion::Criterion;
use super::weights::{ClassWeight, LabelWeights};
use crate::params::{Fields, ParamError, Parameter, bad_value};

const FAMILY: &str = "tree";

/// The parameters of the family.
pub const PARAMETERS: &[Parameter] = &[
    Parameter { name: "criterion", default: "\"gini\"", allowed: "gini, entropy or log_loss" },
    Parameter { name: "splitter", default: "\"best\"", allowed: "best or random" },
    Parameter { name: "max_depth", default: "null", allowed: "none or an integer from 1" },
    Parameter {
        name: "min_samples_split",
        default: "2",
        allowed: "an integer from 2, or a share of the rows above 0.0 and up to 1.0",
    },
    Parameter {
        name: "min_samples_leaf",
        default: "1",
        allowed: "an integer from 1, or a share of the rows between 0.0 and 1.0",
    },
    Parameter { name: "min_weight_fraction_leaf", default: "0.0", allowed: "a number from 0 to 0.5" },
    Parameter {
        name: "max_features",
        default: "null",
        allowed: "none, sqrt, log2, an integer from 1, or a share of the features above 0.0 and up to 1.0",
    },
    Parameter { name: "max_leaf_nodes", default: "null", allowed: "none or an integer from 2" },
    Parameter { name: "min_impurity_decrease", default: "0.0", allowed: "a number from 0" },
    Parameter {
        name: "class_weight",
        default: "null",
        allowed: "none, balanced, or a list with {\"0\": weight, \"1\": weight} for each label",
    },
    Parameter { name: "ccp_alpha", default: "0.0", allowed: "a number from 0" },
];

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
    pub(super) criterion: Criterion,
    pub(super) splitter: Splitter,
    pub(super) max_depth: Option<u32>,
    pub(super) min_samples_split: Amount,
    pub(super) min_samples_leaf: Amount,
    pub(super) min_weight_fraction_leaf: f64,
    pub(super) max_features: Option<MaxFeatures>,
    pub(super) max_leaf_nodes: Option<u32>,
    pub(super) min_impurity_decrease: f64,
    pub(super) class_weight: Option<ClassWeight>,
    pub(super) ccp_alpha: f64,
    pub(super) seed: u64,
}

/// Unchecked parameters, by linfa's custom; they begin as scikit-learn's defaults with seed 0.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeParams(TreeValidParams);

impl Default for TreeParams {
    fn default() -> Self {
        Self(TreeValidParams {
            criterion: Criterion::Gini,
            splitter: Splitter::Best,
            max_depth: None,
            min_samples_split: Amount::Count(2),
            min_samples_leaf: Amount::Count(1),
            min_weight_fraction_leaf: 0.0,
            max_features: None,
            max_leaf_nodes: None,
            min_impurity_decrease: 0.0,
            class_weight: None,
            ccp_alpha: 0.0,
            seed: 0,
        })
    }
}

impl TreeParams {
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

    /// Where the order of features and random thresholds come from.
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }

    /// Reads what a grid says; also returns every parameter, completed by the defaults.
    pub(crate) fn read(given: &Params) -> Result<(Self, Params), ParamError> {
        let fields = Fields::new(FAMILY, PARAMETERS, given)?;
        let params = Self(TreeValidParams {
            criterion: fields.get("criterion")?,
            splitter: fields.get("splitter")?,
            max_depth: fields.get("max_depth")?,
            min_samples_split: fields.get("min_samples_split")?,
            min_samples_leaf: fields.get("min_samples_leaf")?,
            min_weight_fraction_leaf: fields.get("min_weight_fraction_leaf")?,
            max_features: fields.get("max_features")?,
            max_leaf_nodes: fields.get("max_leaf_nodes")?,
            min_impurity_decrease: fields.get("min_impurity_decrease")?,
            class_weight: fields.get("class_weight")?,
            ccp_alpha: fields.get("ccp_alpha")?,
            seed: 0,
        });
        Ok((params, fields.complete()))
    }
}

impl ParamGuard for TreeParams {
    type Checked = TreeValidParams;
    type Error = ParamError;

    fn check_ref(&self) -> Result<&TreeValidParams, ParamError> {
        let of = &self.0;
        require("max_depth", of.max_depth, |depth| *depth != Some(0))?;
        require("min_samples_split", of.min_samples_split, |split| split.fits(2, 1.0))?;
        require("min_samples_leaf", of.min_samples_leaf, |leaf| leaf.fits(1, 1.0_f64.next_down()))?;
        require("min_weight_fraction_leaf", of.min_weight_fraction_leaf, |share| (0.0..=0.5).contains(share))?;
        require("max_features", of.max_features, |features| features.is_none_or(MaxFeatures::fits))?;
        require("max_leaf_nodes", of.max_leaf_nodes, |leaves| leaves.is_none_or(|leaves| leaves >= 2))?;
        require("min_impurity_decrease", of.min_impurity_decrease, |x| *x >= 0.0 && x.is_finite())?;
        require("class_weight", &of.class_weight, |weight| weight.as_ref().is_none_or(ClassWeight::fits))?;
        require("ccp_alpha", of.ccp_alpha, |x| *x >= 0.0 && x.is_finite())?;
        Ok(of)
    }

    fn check(self) -> Result<TreeValidParams, ParamError> {
        self.check_ref()?;
        Ok(self.0)
    }
}

fn require<T: Serialize>(name: &str, value: T, fits: impl FnOnce(&T) -> bool) -> Result<(), ParamError> {
    if fits(&value) {
        return Ok(());
    }
    let shown = serde_json::to_string(&value).unwrap_or_default();
    Err(bad_value(FAMILY, PARAMETERS, name, shown))
}

impl TreeValidParams {
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

    /// Rough seconds that one fit takes on one core; see [`crate::plan`].
    pub(crate) fn seconds(&self, rows: usize, features: usize) -> f64 {
        let levels = (rows as f64).log2() + 6.0;
        let levels = self.max_depth.map_or(levels, |depth| levels.min(f64::from(depth)));
        let nanoseconds = match (self.splitter, self.criterion) {
            (Splitter::Random, _) => 14.0,
            (Splitter::Best, Criterion::Gini) => 60.0,
            (Splitter::Best, Criterion::Entropy | Criterion::LogLoss) => 480.0,
        };
        levels * rows as f64 * self.drawn(features) as f64 * nanoseconds * 1e-9
    }
}
