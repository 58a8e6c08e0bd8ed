//! All model families behind one interface: a candidate of the grid becomes an [`Estimator`]; fitting it gives a
//! [`Model`], which predicts probabilities.

use std::time::Instant;

use linfa::ParamGuard;
use linfa::traits::Fit;
use model::search::{Candidate, Params};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::cancel::Cancelled;
use crate::knn::{self, Knn, KnnParams, KnnValidParams};
use crate::mlp::{self, Mlp, MlpParams, MlpValidParams};
use crate::params::ParamError;
use crate::radius::{self, Radius, RadiusParams, RadiusValidParams};
use crate::ridge::{self, Ridge, RidgeParams, RidgeValidParams};
use crate::select::Selection;
use crate::tree::{self, Forest, LabelWeights, TreeFamily, TreeParams, TreeValidParams};
use crate::{Cancel, Labelled, LearnError};

/// Names of the families: the five of the original study, then three small ones.
pub const FAMILIES: &[&str] = &["knn", "tree", "extra_trees", "random_forest", "mlp", "extra_tree", "radius", "ridge"];

/// The families that are made of trees.
const TREE_FAMILIES: [TreeFamily; 4] =
    [TreeFamily::Tree, TreeFamily::ExtraTrees, TreeFamily::RandomForest, TreeFamily::ExtraTree];

/// A family with validated parameters, ready to fit.
#[derive(Debug, Clone, PartialEq)]
pub enum Estimator {
    /// k nearest neighbours.
    Knn(KnnValidParams),
    /// A decision tree or a forest.
    Tree(TreeValidParams),
    /// A multi-layer perceptron.
    Mlp(MlpValidParams),
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
    /// A decision tree or a forest.
    Tree(Forest),
    /// A multi-layer perceptron.
    Mlp(Mlp),
    /// Neighbours within a radius.
    Radius(Radius),
    /// Ridge regression on the labels.
    Ridge(Ridge),
}

/// What became of one candidate on one fold.
pub struct FitResult<T> {
    /// The evaluation of its probabilities for the validation rows, or why it cannot be fitted on this data.
    pub outcome: Result<T, String>,
    /// Wall time of fitting and predicting. Work shared by several candidates is divided evenly; that of networks
    /// trained in lockstep, in proportion to the arithmetic each needs.
    pub seconds: f64,
}

/// Checks parameters and fills in scikit-learn's defaults. `select` is left out where nothing is selected.
pub fn complete(family: &str, given: &Params) -> Result<Candidate, ParamError> {
    let (selection, given) = Selection::split(given)?;
    let given = &given;
    let mut params = match (family, tree_family(family)) {
        ("knn", _) => check_params(KnnParams::read(given)?)?,
        ("mlp", _) => check_params(MlpParams::read(given)?)?,
        ("radius", _) => check_params(RadiusParams::read(given)?)?,
        ("ridge", _) => check_params(RidgeParams::read(given)?)?,
        (_, Some(tree)) => check_params(TreeParams::read(tree, given)?)?,
        (other, None) => return Err(unknown_family(other)),
    };
    params.extend(selection.map(|selection| ("select".to_owned(), selection.to_value())));
    Ok(Candidate { family: family.to_owned(), params })
}

fn tree_family(family: &str) -> Option<TreeFamily> {
    TREE_FAMILIES.into_iter().find(|tree| tree.name() == family)
}

/// The completed parameters, if the family accepts them.
fn check_params((params, completed): (impl ParamGuard<Error = ParamError>, Params)) -> Result<Params, ParamError> {
    params.check_ref()?;
    Ok(completed)
}

fn unknown_family(family: &str) -> ParamError {
    ParamError::UnknownFamily { family: family.to_owned(), known: FAMILIES.join(", ") }
}

impl Estimator {
    /// The estimator of a candidate, whose `select` must have been split off; `seed` drives everything random in it.
    pub fn new(candidate: &Candidate, seed: u64) -> Result<Self, ParamError> {
        let params = &candidate.params;
        match (candidate.family.as_str(), tree_family(&candidate.family)) {
            ("knn", _) => Ok(Self::Knn(KnnParams::read(params)?.0.check()?)),
            ("mlp", _) => Ok(Self::Mlp(MlpParams::read(params)?.0.seed(seed).check()?)),
            ("radius", _) => Ok(Self::Radius(RadiusParams::read(params)?.0.check()?)),
            ("ridge", _) => Ok(Self::Ridge(RidgeParams::read(params)?.0.check()?)),
            (_, Some(tree)) => Ok(Self::Tree(TreeParams::read(tree, params)?.0.seed(seed).check()?)),
            (other, None) => Err(unknown_family(other)),
        }
    }

    /// Uses these class weights where `balanced` was asked for: the protocol fits them once, on all training rows.
    pub fn balance_by(&mut self, weights: &[LabelWeights]) {
        match self {
            Self::Knn(_) | Self::Mlp(_) | Self::Radius(_) => {}
            Self::Tree(params) => params.balance_by(weights),
            Self::Ridge(params) => params.balance_by(weights),
        }
    }

    /// Fits the rows.
    pub fn fit(&self, train: &Labelled) -> Result<Model, LearnError> {
        self.fit_until(train, &Cancel::new())
    }

    /// [`Estimator::fit`], which stops when it is cancelled.
    pub(crate) fn fit_until(&self, train: &Labelled, cancel: &Cancel) -> Result<Model, LearnError> {
        match self {
            // These two only keep the rows: there is nothing to cancel.
            Self::Knn(params) => params.fit(train).map(Model::Knn),
            Self::Radius(params) => params.fit(train).map(Model::Radius),
            Self::Tree(params) => params.fit_until(train, cancel).map(Model::Tree),
            Self::Mlp(params) => params.fit_until(train, cancel).map(Model::Mlp),
            Self::Ridge(params) => params.fit_until(train, cancel).map(Model::Ridge),
        }
    }

    /// The same estimator in canonical parameters: those without effect are set to their defaults, so equal estimators
    /// need one fit.
    pub(crate) fn canonical(&self) -> Self {
        match self {
            Self::Knn(params) => Self::Knn(params.canonical()),
            Self::Tree(params) => Self::Tree(params.canonical()),
            Self::Mlp(params) => Self::Mlp(params.canonical()),
            Self::Radius(_) | Self::Ridge(_) => self.clone(),
        }
    }

    /// Whether most of the work of both is the same and is done once if they are trained together on this many features.
    pub(crate) fn shares_work_with(&self, other: &Self, features: usize) -> bool {
        match (self, other) {
            (Self::Knn(a), Self::Knn(b)) => a.distance() == b.distance(),
            (Self::Tree(a), Self::Tree(b)) => a.shares_work_with(b, features),
            (Self::Mlp(a), Self::Mlp(b)) => a.canonical() == b.canonical(),
            (Self::Radius(a), Self::Radius(b)) => a.distance() == b.distance(),
            (Self::Ridge(a), Self::Ridge(b)) => a.shares_work_with(b),
            _ => false,
        }
    }

    /// Whether training both together costs less although each does its own work: they are networks that draw the same
    /// minibatches.
    pub(crate) fn learns_in_lockstep_with(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Mlp(a), Self::Mlp(b)) if a.learns_in_lockstep_with(b))
    }

    /// Estimated cost of a fit and its predictions on one core.
    pub(crate) fn seconds(&self, size: FitSize) -> CostEstimate {
        let FitSize { rows, queries, features, .. } = size;
        match self {
            Self::Knn(params) => CostEstimate::mostly_shared(params.distance().seconds(rows, queries, features)),
            Self::Tree(params) => params.seconds(size),
            Self::Mlp(params) => CostEstimate { shared: params.seconds(size), own: 0.0 },
            Self::Radius(params) => CostEstimate::mostly_shared(params.seconds(rows, queries, features)),
            Self::Ridge(params) => CostEstimate::mostly_shared(params.seconds(rows, features)),
        }
    }
}

/// Estimated seconds of a fit and its predictions on one core.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CostEstimate {
    /// Work that is done once for all candidates that share it.
    pub(crate) shared: f64,
    /// Work that every candidate does for itself.
    pub(crate) own: f64,
}

impl CostEstimate {
    /// For a family in which next to nothing remains to be done once the shared work is.
    fn mostly_shared(seconds: f64) -> Self {
        // Only has to be more than nothing, so that a thousand candidates that share a pass cost about two.
        const OWN_SHARE: f64 = 0.001;
        Self { shared: (1.0 - OWN_SHARE) * seconds, own: OWN_SHARE * seconds }
    }

    pub(crate) fn total(self) -> f64 {
        self.shared + self.own
    }
}

/// The size of a fit, from which its cost is estimated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FitSize {
    /// Rows to fit on.
    pub(crate) rows: usize,
    /// Rows to predict.
    pub(crate) queries: usize,
    pub(crate) features: usize,
    pub(crate) labels: usize,
}

/// Fits all estimators on the same rows, predicts the same other rows and evaluates the probabilities, in the order of
/// the estimators. Shared work is done once; every result is what the estimator gives on its own, to the last bit.
///
/// # Errors
/// [`LearnError::Cancelled`] and no other: why an estimator cannot be fitted is part of its outcome.
pub fn train_all<T: Clone + Send>(
    estimators: &[Estimator],
    train: &Labelled,
    rows: ArrayView2<'_, f64>,
    evaluate: &(impl Fn(ArrayView2<'_, f64>) -> T + Sync),
    cancel: &Cancel,
) -> Result<Vec<FitResult<T>>, LearnError> {
    type ParamsOf<'a, P> = fn(&'a Estimator) -> Option<&'a P>;
    let knn: ParamsOf<KnnValidParams> = |any| if let Estimator::Knn(params) = any { Some(params) } else { None };
    let tree: ParamsOf<TreeValidParams> = |any| if let Estimator::Tree(params) = any { Some(params) } else { None };
    let mlp: ParamsOf<MlpValidParams> = |any| if let Estimator::Mlp(params) = any { Some(params) } else { None };
    let radius: ParamsOf<RadiusValidParams> =
        |any| if let Estimator::Radius(params) = any { Some(params) } else { None };
    let ridge: ParamsOf<RidgeValidParams> = |any| if let Estimator::Ridge(params) = any { Some(params) } else { None };
    let mut results: Vec<Option<FitResult<T>>> = estimators.iter().map(|_| None).collect();
    let (all, into) = (estimators, &mut results);
    let evaluated =
        |fits: Vec<FitResult<Array2<f64>>>| fits.into_iter().map(|fit| fit.evaluate(evaluate)).collect::<Vec<_>>();
    // Trees and networks evaluate as they go: all their probabilities at once would not fit into memory.
    train_in_groups(all, tree, |_, _| true, |group| tree::train_all(group, train, rows, evaluate, cancel), into);
    train_in_groups(all, mlp, |_, _| true, |group| mlp::train_all(group, train, rows, evaluate, cancel), into);
    let same = |a: &KnnValidParams, b: &KnnValidParams| a.distance() == b.distance();
    train_in_groups(all, knn, same, |group| evaluated(knn::train_all(group, train, rows, cancel)), into);
    let same = |a: &RadiusValidParams, b: &RadiusValidParams| a.distance() == b.distance();
    train_in_groups(all, radius, same, |group| evaluated(radius::train_all(group, train, rows, cancel)), into);
    let same = RidgeValidParams::shares_work_with;
    train_in_groups(all, ridge, same, |group| evaluated(ridge::train_all(group, train, rows, cancel)), into);
    cancel.check()?;
    Ok(results.into_iter().map(|result| result.expect("every estimator is of one family")).collect())
}

/// Trains the estimators of one family, together where `share` says that they share their work.
fn train_in_groups<'a, P, T>(
    estimators: &'a [Estimator],
    params_of: fn(&'a Estimator) -> Option<&'a P>,
    share: impl Fn(&P, &P) -> bool,
    train: impl Fn(&[&P]) -> Vec<FitResult<T>>,
    results: &mut [Option<FitResult<T>>],
) {
    let indexed = estimators.iter().enumerate().filter_map(|(index, any)| Some((index, params_of(any)?)));
    let mut remaining: Vec<(usize, &P)> = indexed.collect();
    while let Some(&(_, first)) = remaining.first() {
        let (group, others): (Vec<_>, Vec<_>) = remaining.into_iter().partition(|(_, params)| share(first, params));
        let (indices, params): (Vec<usize>, Vec<&P>) = group.into_iter().unzip();
        indices.into_iter().zip(train(&params)).for_each(|(index, result)| results[index] = Some(result));
        remaining = others;
    }
}

impl FitResult<Array2<f64>> {
    /// Replaces the probabilities by their evaluation.
    fn evaluate<T>(self, evaluate: &impl Fn(ArrayView2<'_, f64>) -> T) -> FitResult<T> {
        let started = Instant::now();
        let outcome = self.outcome.map(|probabilities| evaluate(probabilities.view()));
        FitResult { outcome, seconds: self.seconds + started.elapsed().as_secs_f64() }
    }
}

impl Model {
    /// Probability of each label, m × q, for m rows of d features.
    pub fn probabilities(&self, rows: ArrayView2<'_, f64>) -> Array2<f64> {
        self.probabilities_until(rows, &Cancel::new()).expect("never cancelled")
    }

    /// [`Model::probabilities`], which stops when it is cancelled.
    pub(crate) fn probabilities_until(
        &self,
        rows: ArrayView2<'_, f64>,
        cancel: &Cancel,
    ) -> Result<Array2<f64>, Cancelled> {
        match self {
            Self::Knn(model) => model.probabilities_until(rows, cancel),
            Self::Tree(model) => model.probabilities_until(rows, cancel),
            Self::Mlp(model) => model.probabilities_until(rows, cancel),
            Self::Radius(model) => model.probabilities_until(rows, cancel),
            Self::Ridge(model) => model.probabilities_until(rows, cancel),
        }
    }
}

/// The labels whose probability is above their own threshold.
pub fn decide_above(thresholds: &[f64], probabilities: ArrayView2<'_, f64>) -> Array2<bool> {
    Array2::from_shape_fn(probabilities.dim(), |(row, label)| probabilities[(row, label)] > thresholds[label])
}

/// The labels whose probability is above one half; a tie is a no, as in scikit-learn's arg max.
pub fn decide(probabilities: ArrayView2<'_, f64>) -> Array2<bool> {
    probabilities.mapv(|probability| probability > 0.5)
}
