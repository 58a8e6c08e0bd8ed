//! The model families behind one door: a setting of the grid becomes an [`Estimator`], which fits and becomes a
//! [`Model`], which gives probabilities.

use linfa::ParamGuard;
use linfa::traits::Fit;
use model::search::{Params, Setting};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::knn::{self, Distance, Knn, KnnParams, KnnValidParams};
use crate::mlp::{self, Mlp, MlpParams, MlpValidParams};
use crate::params::ParamError;
use crate::tree::{self, LabelWeights, Tree, TreeParams, TreeValidParams};
use crate::{Labelled, LearnError};

/// Names of the families, in the order of the default grid.
pub const FAMILIES: &[&str] = &["knn", "tree", "mlp"];

/// Labels that costs are estimated for; the number hardly matters to them.
const LABELS: usize = 10;

/// A family with checked parameters, ready to fit.
#[derive(Debug, Clone, PartialEq)]
pub enum Estimator {
    /// k nearest neighbours.
    Knn(KnnValidParams),
    /// A decision tree.
    Tree(TreeValidParams),
    /// A multi-layer perceptron.
    Mlp(MlpValidParams),
}

/// A fitted model of any family.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Model {
    /// k nearest neighbours.
    Knn(Knn),
    /// A decision tree.
    Tree(Tree),
    /// A multi-layer perceptron.
    Mlp(Mlp),
}

/// What came of one setting on one fold.
pub(crate) struct Trained {
    /// Validation rows × labels, or why it cannot be fitted on this data.
    pub(crate) probabilities: Result<Array2<f64>, String>,
    /// Wall time of fit and predict; work shared by several settings is divided evenly.
    pub(crate) seconds: f64,
}

/// Checks parameters and completes them by scikit-learn's defaults.
pub fn complete(family: &str, given: &Params) -> Result<Setting, ParamError> {
    let params = match family {
        "knn" => {
            let (params, complete) = KnnParams::read(given)?;
            params.check_ref()?;
            complete
        }
        "tree" => {
            let (params, complete) = TreeParams::read(given)?;
            params.check_ref()?;
            complete
        }
        "mlp" => {
            let (params, complete) = MlpParams::read(given)?;
            params.check_ref()?;
            complete
        }
        other => return Err(unknown(other)),
    };
    Ok(Setting { family: family.to_owned(), params })
}

pub(crate) fn unknown(family: &str) -> ParamError {
    ParamError::UnknownFamily { family: family.to_owned(), known: FAMILIES.join(", ") }
}

impl Estimator {
    /// The estimator of a setting; `seed` is for what is random in it.
    pub fn new(setting: &Setting, seed: u64) -> Result<Self, ParamError> {
        match setting.family.as_str() {
            "knn" => Ok(Self::Knn(KnnParams::read(&setting.params)?.0.check()?)),
            "tree" => Ok(Self::Tree(TreeParams::read(&setting.params)?.0.seed(seed).check()?)),
            "mlp" => Ok(Self::Mlp(MlpParams::read(&setting.params)?.0.seed(seed).check()?)),
            other => Err(unknown(other)),
        }
    }

    /// Takes these class weights where `balanced` was asked for: the protocol fits them once, on all training rows.
    pub fn balance_by(&mut self, weights: &[LabelWeights]) {
        match self {
            Self::Knn(_) | Self::Mlp(_) => {}
            Self::Tree(params) => params.balance_by(weights),
        }
    }

    /// Fits.
    pub fn fit(&self, train: &Labelled) -> Result<Model, LearnError> {
        match self {
            Self::Knn(params) => params.fit(train).map(Model::Knn),
            Self::Tree(params) => params.fit(train).map(Model::Tree),
            Self::Mlp(params) => params.fit(train).map(Model::Mlp),
        }
    }

    /// Whether most of the work of both is the same, and done once if they are trained together.
    pub(crate) fn shares_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Knn(a), Self::Knn(b)) => a.distance() == b.distance(),
            (Self::Mlp(a), Self::Mlp(b)) => a.inert() == b.inert(),
            _ => false,
        }
    }

    /// Rough seconds that a fit on `rows` rows and the prediction of `queries` others take on one core.
    pub(crate) fn seconds(&self, rows: usize, queries: usize, features: usize) -> f64 {
        match self {
            Self::Knn(params) => {
                let nanoseconds = if matches!(params.distance(), Distance::Minkowski(_)) { 10.0 } else { 0.5 };
                rows as f64 * queries as f64 * features as f64 * nanoseconds * 1e-9
            }
            Self::Tree(params) => params.seconds(rows, features),
            Self::Mlp(params) => params.seconds(rows, features, LABELS),
        }
    }
}

/// Fits all estimators on the same rows and predicts the same others, in the order of the estimators. What they share
/// is computed once; the results are those of each on its own, to the last bit.
pub(crate) fn train_all(estimators: &[Estimator], train: &Labelled, rows: ArrayView2<'_, f64>) -> Vec<Trained> {
    let mut trained: Vec<Option<Trained>> = estimators.iter().map(|_| None).collect();
    let mut keep = |indices: &[usize], results: Vec<Trained>| {
        indices.iter().zip(results).for_each(|(&index, result)| trained[index] = Some(result));
    };
    let trees: Vec<(usize, &TreeValidParams)> = chosen(estimators, |of| match of {
        Estimator::Tree(params) => Some(params),
        _ => None,
    });
    if !trees.is_empty() {
        let (indices, params): (Vec<usize>, Vec<&TreeValidParams>) = trees.into_iter().unzip();
        keep(&indices, tree::train_all(&params, train, rows));
    }
    let networks: Vec<(usize, &MlpValidParams)> = chosen(estimators, |of| match of {
        Estimator::Mlp(params) => Some(params),
        _ => None,
    });
    if !networks.is_empty() {
        let (indices, params): (Vec<usize>, Vec<&MlpValidParams>) = networks.into_iter().unzip();
        keep(&indices, mlp::train_all(&params, train, rows));
    }
    let mut left: Vec<(usize, &KnnValidParams)> = chosen(estimators, |of| match of {
        Estimator::Knn(params) => Some(params),
        _ => None,
    });
    while let Some(distance) = left.first().map(|(_, params)| params.distance()) {
        let (group, others): (Vec<_>, Vec<_>) = left.into_iter().partition(|(_, of)| of.distance() == distance);
        let (indices, params): (Vec<usize>, Vec<&KnnValidParams>) = group.into_iter().unzip();
        keep(&indices, knn::train_all(&params, train, rows));
        left = others;
    }
    trained.into_iter().map(|result| result.expect("every estimator is of one family")).collect()
}

fn chosen<'a, T>(estimators: &'a [Estimator], of: impl Fn(&'a Estimator) -> Option<&'a T>) -> Vec<(usize, &'a T)> {
    estimators.iter().enumerate().filter_map(|(index, estimator)| Some((index, of(estimator)?))).collect()
}

impl Model {
    /// Probability of each label, m × q, for m rows of d features.
    pub fn probabilities(&self, rows: ArrayView2<'_, f64>) -> Array2<f64> {
        match self {
            Self::Knn(model) => model.probabilities(rows),
            Self::Tree(model) => model.probabilities(rows),
            Self::Mlp(model) => model.probabilities(rows),
        }
    }
}

/// Labels of these probabilities: above one half; a tie is a no, as for scikit-learn's arg max.
pub fn decide(probabilities: &Array2<f64>) -> Array2<bool> {
    probabilities.mapv(|probability| probability > 0.5)
}
