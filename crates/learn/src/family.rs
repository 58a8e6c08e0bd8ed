//! The model families behind one door: a setting of the grid becomes an [`Estimator`], which fits and becomes a
//! [`Model`], which gives probabilities.

use linfa::ParamGuard;
use linfa::traits::Fit;
use model::search::{Params, Setting};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::knn::{self, Distance, Knn, KnnParams, KnnValidParams};
use crate::params::ParamError;
use crate::tree::{self, Forest, Kind, LabelWeights, TreeParams, TreeValidParams};
use crate::{Labelled, LearnError};

/// Names of the families, in the order of the default grid.
pub const FAMILIES: &[&str] = &["knn", "tree", "extra_trees", "random_forest", "extra_tree"];

/// The families of trees.
const TREES: [Kind; 4] = [Kind::Tree, Kind::ExtraTrees, Kind::RandomForest, Kind::ExtraTree];

/// A family with checked parameters, ready to fit.
#[derive(Debug, Clone, PartialEq)]
pub enum Estimator {
    /// k nearest neighbours.
    Knn(KnnValidParams),
    /// A decision tree or a forest.
    Tree(TreeValidParams),
}

/// A fitted model of any family.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Model {
    /// k nearest neighbours.
    Knn(Knn),
    /// A decision tree or a forest.
    Tree(Forest),
}

/// What came of one setting on one fold.
pub struct Trained<T> {
    /// What was made of its probabilities for the validation rows, or why it cannot be fitted on this data.
    pub outcome: Result<T, String>,
    /// Wall time of fit and predict; work shared by several settings is divided evenly.
    pub seconds: f64,
}

/// Checks parameters and completes them by scikit-learn's defaults.
pub fn complete(family: &str, given: &Params) -> Result<Setting, ParamError> {
    let params = match (family, kind(family)) {
        ("knn", _) => checked(KnnParams::read(given)?)?,
        (_, Some(kind)) => checked(TreeParams::read(kind, given)?)?,
        (other, None) => return Err(unknown(other)),
    };
    Ok(Setting { family: family.to_owned(), params })
}

fn kind(family: &str) -> Option<Kind> {
    TREES.into_iter().find(|kind| kind.family() == family)
}

fn checked(read: (impl ParamGuard<Error = ParamError>, Params)) -> Result<Params, ParamError> {
    read.0.check_ref()?;
    Ok(read.1)
}

pub(crate) fn unknown(family: &str) -> ParamError {
    ParamError::UnknownFamily { family: family.to_owned(), known: FAMILIES.join(", ") }
}

impl Estimator {
    /// The estimator of a setting; `seed` is for what is random in it.
    pub fn new(setting: &Setting, seed: u64) -> Result<Self, ParamError> {
        match (setting.family.as_str(), kind(&setting.family)) {
            ("knn", _) => Ok(Self::Knn(KnnParams::read(&setting.params)?.0.check()?)),
            (_, Some(kind)) => Ok(Self::Tree(TreeParams::read(kind, &setting.params)?.0.seed(seed).check()?)),
            (other, None) => Err(unknown(other)),
        }
    }

    /// Takes these class weights where `balanced` was asked for: the protocol fits them once, on all training rows.
    pub fn balance_by(&mut self, weights: &[LabelWeights]) {
        match self {
            Self::Knn(_) => {}
            Self::Tree(params) => params.balance_by(weights),
        }
    }

    /// Fits.
    pub fn fit(&self, train: &Labelled) -> Result<Model, LearnError> {
        match self {
            Self::Knn(params) => params.fit(train).map(Model::Knn),
            Self::Tree(params) => params.fit(train).map(Model::Tree),
        }
    }

    /// Whether most of the work of both is the same, and done once if they are trained together on so many features.
    pub(crate) fn shares_with(&self, other: &Self, features: usize) -> bool {
        match (self, other) {
            (Self::Knn(a), Self::Knn(b)) => a.distance() == b.distance(),
            (Self::Tree(a), Self::Tree(b)) => a.shares_with(b, features),
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
        }
    }
}

/// Fits all estimators on the same rows, predicts the same others and judges the probabilities, in the order of the
/// estimators. What they share is computed once; the results are those of each on its own, to the last bit.
pub fn train_all<T: Clone + Send>(
    estimators: &[Estimator],
    train: &Labelled,
    rows: ArrayView2<'_, f64>,
    judge: &(impl Fn(ArrayView2<'_, f64>) -> T + Sync),
) -> Vec<Trained<T>> {
    let mut trained: Vec<Option<Trained<T>>> = estimators.iter().map(|_| None).collect();
    let mut keep = |indices: &[usize], results: Vec<Trained<T>>| {
        indices.iter().zip(results).for_each(|(&index, result)| trained[index] = Some(result));
    };
    let (indices, trees): (Vec<usize>, Vec<&TreeValidParams>) = chosen(estimators, |of| match of {
        Estimator::Tree(params) => Some(params),
        _ => None,
    });
    if !trees.is_empty() {
        keep(&indices, tree::train_all(&trees, train, rows, judge));
    }
    let (indices, neighbours): (Vec<usize>, Vec<&KnnValidParams>) = chosen(estimators, |of| match of {
        Estimator::Knn(params) => Some(params),
        _ => None,
    });
    if !neighbours.is_empty() {
        keep(&indices, knn::train_all(&neighbours, train, rows, judge));
    }
    trained.into_iter().map(|result| result.expect("every estimator is of one family")).collect()
}

fn chosen<'a, T>(estimators: &'a [Estimator], of: impl Fn(&'a Estimator) -> Option<&'a T>) -> (Vec<usize>, Vec<&'a T>) {
    estimators.iter().enumerate().filter_map(|(index, estimator)| Some((index, of(estimator)?))).unzip()
}

impl Model {
    /// Probability of each label, m × q, for m rows of d features.
    pub fn probabilities(&self, rows: ArrayView2<'_, f64>) -> Array2<f64> {
        match self {
            Self::Knn(model) => model.probabilities(rows),
            Self::Tree(model) => model.probabilities(rows),
        }
    }
}

/// Labels of these probabilities: above one half; a tie is a no, as for scikit-learn's arg max.
pub fn decide(probabilities: ArrayView2<'_, f64>) -> Array2<bool> {
    probabilities.mapv(|probability| probability > 0.5)
}
