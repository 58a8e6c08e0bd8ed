//! Feature selection: a step before the family that is fitted on the family's training rows only and applied to whatever
//! the family predicts. Fitted on all rows, it would leak the labels of the validation rows, and a search over pure noise
//! would look successful.
//!
//! In a grid it is the parameter `select` of any family, whose values are `"none"` or tables:
//!
//! ```toml
//! [knn]
//! select = ["none", { method = "anova", k = 200 }, { method = "pca", n_components = 0.95 }]
//! ```

mod cost;
mod pca;
mod scores;
mod warnings;

pub use warnings::warnings;

use linfa::ParamGuard;
use model::search::Params;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cancel::Cancelled;
use crate::linalg::matrix_product;
use crate::params::{ParamError, Parameter, bad_value};
use crate::tree::{TreeFamily, TreeParams};
use crate::{Cancel, Labelled, LearnError};

/// The parameter that every family has for the selection.
pub const PARAMETERS: &[Parameter] = &[Parameter {
    name: "select",
    default: "null",
    allowed: "none, { method = \"variance\", threshold = a number from 0 }, { method = \"anova\", \"mutual_info\" or \
              \"tree_importance\", k = an integer from 1 } or { method = \"pca\", n_components = an integer from 1 or a share between 0 and 1 }",
}];

/// How features are selected.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case", deny_unknown_fields)]
pub enum Selection {
    /// The features with a variance above a threshold: scikit-learn's `VarianceThreshold`. On scaled data the default 0
    /// drops constant features.
    Variance {
        /// The variance to exceed.
        #[serde(default)]
        threshold: f64,
    },
    /// The `k` features with the largest F of an analysis of variance, as a mean over the labels: scikit-learn's
    /// `SelectKBest(f_classif)`.
    Anova {
        /// How many; all, if there are fewer.
        k: u32,
    },
    /// The `k` features with the most mutual information with a label, as a mean over the labels, computed from equally
    /// filled bins of the feature.
    MutualInfo {
        /// How many; all, if there are fewer.
        k: u32,
    },
    /// The `k` features with which extremely randomised trees reduce impurity most: scikit-learn's `SelectFromModel` of a
    /// default `ExtraTreesClassifier` with `max_features=k`.
    TreeImportance {
        /// How many; all, if there are fewer.
        k: u32,
        /// Of the trees.
        #[serde(skip)]
        seed: u64,
    },
    /// Principal components instead of features: scikit-learn's `PCA`, exact.
    Pca {
        /// How many.
        n_components: Components,
    },
}

/// How many principal components.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Components {
    /// This many; fewer if the others have no variance, or if there are fewer rows or features.
    Count(u32),
    /// As many as explain more than this share of the variance.
    Share(f64),
}

/// A fitted selection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Selector {
    /// Takes these columns, in ascending order.
    Columns(Vec<u32>),
    /// Projects onto axes.
    Axes {
        /// The origin of the axes, d: the mean of the training rows.
        mean: Array1<f64>,
        /// k × d.
        axes: Array2<f64>,
    },
}

impl Selection {
    /// Splits `select` off the parameters of a candidate; the others are the family's.
    pub fn split(params: &Params) -> Result<(Option<Self>, Params), ParamError> {
        let mut others = params.clone();
        let value = others.remove("select").unwrap_or(Value::Null);
        let read = Option::<Self>::deserialize(&value);
        let selection = read.map_err(|_| bad_value("feature selection", PARAMETERS, "select", &value))?;
        selection.iter().try_for_each(|selection| selection.check_ref().map(|_| ()))?;
        Ok((selection, others))
    }

    /// Sets the seed of a selection that is random.
    pub fn seed(self, seed: u64) -> Self {
        match self {
            Self::TreeImportance { k, .. } => Self::TreeImportance { k, seed },
            other => other,
        }
    }

    /// As it is written in a grid.
    pub(crate) fn to_value(self) -> Value {
        serde_json::to_value(self).expect("a selection is plain data")
    }

    /// Fits n × d rows with their labels.
    pub fn fit(&self, train: &Labelled) -> Result<Selector, LearnError> {
        self.fit_until(train, &Cancel::new())
    }

    /// [`Selection::fit`], which stops when it is cancelled.
    pub(crate) fn fit_until(&self, train: &Labelled, cancel: &Cancel) -> Result<Selector, LearnError> {
        self.check_ref()?;
        let (rows, labels) = (train.records.view(), train.targets.view());
        let best = |scores: Option<Vec<f64>>, k: u32| {
            let scores = scores.ok_or("no label distinguishes rows: each is on all rows or on none")?;
            Ok(Selector::best(&scores, k as usize))
        };
        let selector: Result<Selector, String> = match *self {
            Self::Variance { threshold } => varying_columns(rows, threshold, cancel),
            Self::Anova { k } => best(scores::anova(rows, labels, cancel), k),
            Self::MutualInfo { k } => best(scores::mutual_info(rows, labels, cancel), k),
            Self::TreeImportance { k, seed } => {
                let trees = TreeParams::new(TreeFamily::ExtraTrees).seed(seed).check()?;
                Ok(Selector::best(&trees.feature_importances_until(train, cancel)?, k as usize))
            }
            Self::Pca { n_components } => {
                pca::components(rows, n_components, cancel).map(|(mean, axes)| Selector::Axes { mean, axes })
            }
        };
        cancel.check()?;
        selector.map_err(LearnError::Unfittable)
    }
}

impl ParamGuard for Selection {
    type Checked = Self;
    type Error = ParamError;

    fn check_ref(&self) -> Result<&Self, ParamError> {
        let is_valid = match *self {
            Self::Variance { threshold } => threshold >= 0.0 && threshold.is_finite(),
            Self::Anova { k } | Self::MutualInfo { k } | Self::TreeImportance { k, .. } => k > 0,
            Self::Pca { n_components: Components::Count(count) } => count > 0,
            Self::Pca { n_components: Components::Share(share) } => share > 0.0 && share < 1.0,
        };
        if is_valid { Ok(self) } else { Err(bad_value("feature selection", PARAMETERS, "select", self.to_value())) }
    }

    fn check(self) -> Result<Self, ParamError> {
        self.check_ref()?;
        Ok(self)
    }
}

impl Selector {
    /// Takes the `k` columns with the highest scores, or all; of equal ones the later, as scikit-learn's `SelectKBest`. The
    /// d scores may be of any kind, such as the importances of a tree.
    pub fn best(scores: &[f64], k: usize) -> Self {
        let mut columns: Vec<u32> = (0..scores.len() as u32).collect();
        columns.sort_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]).then(b.cmp(&a)));
        columns.truncate(k);
        columns.sort_unstable();
        Self::Columns(columns)
    }

    /// The selected or projected features of m × d rows.
    pub fn apply(&self, rows: ArrayView2<'_, f64>) -> Array2<f64> {
        self.apply_until(rows, &Cancel::new()).expect("never cancelled")
    }

    /// [`Selector::apply`], which stops when it is cancelled.
    pub(crate) fn apply_until(&self, rows: ArrayView2<'_, f64>, cancel: &Cancel) -> Result<Array2<f64>, Cancelled> {
        match self {
            Self::Columns(columns) => {
                let mut selected = Array2::zeros((rows.nrows(), columns.len()));
                for (row, mut selected) in rows.rows().into_iter().zip(selected.rows_mut()) {
                    cancel.check()?;
                    selected.iter_mut().zip(columns).for_each(|(into, &column)| *into = row[column as usize]);
                }
                Ok(selected)
            }
            Self::Axes { mean, axes } => matrix_product((&rows - mean).view(), axes.view(), cancel),
        }
    }
}

/// The columns whose (population) variance is above a threshold. Rounding can give a constant column a tiny variance, so a
/// column must really vary as well, as in scikit-learn.
fn varying_columns(rows: ArrayView2<'_, f64>, threshold: f64, cancel: &Cancel) -> Result<Selector, String> {
    let varies = |column: ArrayView1<'_, f64>| {
        let mean = column.sum() / column.len() as f64;
        let variance = column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / column.len() as f64;
        variance > threshold && column.iter().any(|x| *x != column[0])
    };
    let candidates = (0..rows.ncols() as u32).take_while(|_| !cancel.is_cancelled());
    let columns: Vec<u32> = candidates.filter(|&column| varies(rows.column(column as usize))).collect();
    if columns.is_empty() {
        return Err(format!("no feature has a variance above {threshold}"));
    }
    Ok(Selector::Columns(columns))
}
