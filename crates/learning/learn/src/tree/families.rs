//! The four families of trees, with their parameters and scikit-learn's defaults.

use crate::params::Parameter;

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

    pub(super) fn has(self, parameter: &str) -> bool {
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
