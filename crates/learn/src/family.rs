//! The model families behind one door: a setting of the grid becomes an [`Estimator`], which fits and becomes a
//! [`Model`], which gives probabilities.

use linfa::ParamGuard;
use linfa::traits::Fit;
use model::search::{Params, Setting};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::knn::{self, Knn, KnnParams, KnnValidParams};
use crate::params::ParamError;
use crate::radius::{self, Radius, RadiusParams, RadiusValidParams};
use crate::ridge::{self, Ridge, RidgeParams, RidgeValidParams};
use crate::tree::{self, LabelWeights, Tree, TreeParams, TreeValidParams};
use crate::{Labelled, LearnError};

/// Names of the families, in the order of the default grid.
pub const FAMILIES: &[&str] = &["knn", "tree", "radius", "ridge"];

/// A family with checked parameters, ready to fit.
#[derive(Debug, Clone, PartialEq)]
pub enum Estimator {
    /// k nearest neighbours.
    Knn(KnnValidParams),
    /// A decision tree.
    Tree(TreeValidParams),
    /// Neighbours within a radius.
    Radius(RadiusValidParams),
    /// Ridge regression on the labels.
    Ridge(RidgeValidParams),
}

/// A fitted model of any family.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Model {
    /// k nearest neighbours.
    Knn(Knn),
    /// A decision tree.
    Tree(Tree),
    /// Neighbours within a radius.
    Radius(Radius),
    /// Ridge regression on the labels.
    Ridge(Ridge),
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
        "radius" => {
            let (params, complete) = RadiusParams::read(given)?;
            params.check_ref()?;
            complete
        }
        "ridge" => {
            let (params, complete) = RidgeParams::read(given)?;
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
            "radius" => Ok(Self::Radius(RadiusParams::read(&setting.params)?.0.check()?)),
            "ridge" => Ok(Self::Ridge(RidgeParams::read(&setting.params)?.0.check()?)),
            other => Err(unknown(other)),
        }
    }

    /// Takes these class weights where `balanced` was asked for: the protocol fits them once, on all training rows.
    pub fn balance_by(&mut self, weights: &[LabelWeights]) {
        match self {
            Self::Knn(_) | Self::Radius(_) => {}
            Self::Tree(params) => params.balance_by(weights),
            Self::Ridge(params) => params.balance_by(weights),
        }
    }

    /// Fits.
    pub fn fit(&self, train: &Labelled) -> Result<Model, LearnError> {
        match self {
            Self::Knn(params) => params.fit(train).map(Model::Knn),
            Self::Tree(params) => params.fit(train).map(Model::Tree),
            Self::Radius(params) => params.fit(train).map(Model::Radius),
            Self::Ridge(params) => params.fit(train).map(Model::Ridge),
        }
    }

    /// Whether most of the work of both is the same, and done once if they are trained together.
    pub(crate) fn shares_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Knn(a), Self::Knn(b)) => a.distance() == b.distance(),
            (Self::Radius(a), Self::Radius(b)) => a.distance() == b.distance(),
            (Self::Ridge(a), Self::Ridge(b)) => a.shares_with(b),
            _ => false,
        }
    }

    /// Rough seconds that a fit on `rows` rows and the prediction of `queries` others take on one core.
    pub(crate) fn seconds(&self, rows: usize, queries: usize, features: usize) -> f64 {
        match self {
            Self::Knn(params) => params.distance().seconds(rows, queries, features),
            Self::Tree(params) => params.seconds(rows, features),
            Self::Radius(params) => params.seconds(rows, queries, features),
            Self::Ridge(params) => params.seconds(rows, features),
        }
    }
}

/// Fits all estimators on the same rows and predicts the same others, in the order of the estimators. What they share
/// is computed once; the results are those of each on its own, to the last bit.
pub(crate) fn train_all(estimators: &[Estimator], train: &Labelled, rows: ArrayView2<'_, f64>) -> Vec<Trained> {
    let mut trained: Vec<Option<Trained>> = estimators.iter().map(|_| None).collect();
    type Of<'a, T> = fn(&'a Estimator) -> Option<&'a T>;
    let knn: Of<KnnValidParams> = |of| if let Estimator::Knn(of) = of { Some(of) } else { None };
    let tree: Of<TreeValidParams> = |of| if let Estimator::Tree(of) = of { Some(of) } else { None };
    let radius: Of<RadiusValidParams> = |of| if let Estimator::Radius(of) = of { Some(of) } else { None };
    let ridge: Of<RidgeValidParams> = |of| if let Estimator::Ridge(of) = of { Some(of) } else { None };
    let (all, into) = (estimators, &mut trained);
    in_groups(all, knn, |a, b| a.distance() == b.distance(), |group| knn::train_all(group, train, rows), into);
    in_groups(all, tree, |_, _| true, |group| tree::train_all(group, train, rows), into);
    in_groups(all, radius, |a, b| a.distance() == b.distance(), |group| radius::train_all(group, train, rows), into);
    in_groups(all, ridge, |a, b| a.shares_with(b), |group| ridge::train_all(group, train, rows), into);
    trained.into_iter().map(|result| result.expect("every estimator is of one family")).collect()
}

/// Trains the estimators of one family, those that share their work together.
fn in_groups<'a, T>(
    estimators: &'a [Estimator],
    of: fn(&'a Estimator) -> Option<&'a T>,
    share: impl Fn(&T, &T) -> bool,
    train: impl Fn(&[&T]) -> Vec<Trained>,
    trained: &mut [Option<Trained>],
) {
    let of_family = estimators.iter().enumerate().filter_map(|(index, estimator)| Some((index, of(estimator)?)));
    let mut left: Vec<(usize, &T)> = of_family.collect();
    while let Some(&(_, first)) = left.first() {
        let (group, others): (Vec<_>, Vec<_>) = left.into_iter().partition(|(_, of)| share(first, of));
        let (indices, params): (Vec<usize>, Vec<&T>) = group.into_iter().unzip();
        indices.into_iter().zip(train(&params)).for_each(|(index, result)| trained[index] = Some(result));
        left = others;
    }
}

impl Model {
    /// Probability of each label, m × q, for m rows of d features.
    pub fn probabilities(&self, rows: ArrayView2<'_, f64>) -> Array2<f64> {
        match self {
            Self::Knn(model) => model.probabilities(rows),
            Self::Tree(model) => model.probabilities(rows),
            Self::Radius(model) => model.probabilities(rows),
            Self::Ridge(model) => model.probabilities(rows),
        }
    }
}

/// Labels of these probabilities: above one half; a tie is a no, as for scikit-learn's arg max.
pub fn decide(probabilities: &Array2<f64>) -> Array2<bool> {
    probabilities.mapv(|probability| probability > 0.5)
}
