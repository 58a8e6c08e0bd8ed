//! The model families behind one door: a setting of the grid becomes an [`Estimator`], which fits and becomes a
//! [`Model`], which gives probabilities.

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
use crate::tree::{self, Forest, Kind, LabelWeights, TreeParams, TreeValidParams};
use crate::{Cancel, Labelled, LearnError};

/// Names of the families: the five of the study, and three small ones.
pub const FAMILIES: &[&str] = &["knn", "tree", "extra_trees", "random_forest", "mlp", "extra_tree", "radius", "ridge"];

/// The families of trees.
const TREES: [Kind; 4] = [Kind::Tree, Kind::ExtraTrees, Kind::RandomForest, Kind::ExtraTree];

/// A family with checked parameters, ready to fit.
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

/// What came of one setting on one fold.
pub struct Trained<T> {
    /// What was made of its probabilities for the validation rows, or why it cannot be fitted on this data.
    pub outcome: Result<T, String>,
    /// Wall time of fit and predict; work shared by several settings is divided evenly, that of
    /// networks that learn in lockstep by what each needs.
    pub seconds: f64,
}

/// Checks parameters and completes them by scikit-learn's defaults. `select` stays out of them where nothing is selected.
pub fn complete(family: &str, given: &Params) -> Result<Candidate, ParamError> {
    let (selection, given) = Selection::split(given)?;
    let given = &given;
    let mut params = match (family, kind(family)) {
        ("knn", _) => checked(KnnParams::read(given)?)?,
        ("mlp", _) => checked(MlpParams::read(given)?)?,
        ("radius", _) => checked(RadiusParams::read(given)?)?,
        ("ridge", _) => checked(RidgeParams::read(given)?)?,
        (_, Some(kind)) => checked(TreeParams::read(kind, given)?)?,
        (other, None) => return Err(unknown(other)),
    };
    params.extend(selection.map(|selection| ("select".to_owned(), selection.to_value())));
    Ok(Candidate { family: family.to_owned(), params })
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
    /// The estimator of a setting without `select`; `seed` is for what is random in it.
    pub fn new(setting: &Candidate, seed: u64) -> Result<Self, ParamError> {
        let params = &setting.params;
        match (setting.family.as_str(), kind(&setting.family)) {
            ("knn", _) => Ok(Self::Knn(KnnParams::read(params)?.0.check()?)),
            ("mlp", _) => Ok(Self::Mlp(MlpParams::read(params)?.0.seed(seed).check()?)),
            ("radius", _) => Ok(Self::Radius(RadiusParams::read(params)?.0.check()?)),
            ("ridge", _) => Ok(Self::Ridge(RidgeParams::read(params)?.0.check()?)),
            (_, Some(kind)) => Ok(Self::Tree(TreeParams::read(kind, params)?.0.seed(seed).check()?)),
            (other, None) => Err(unknown(other)),
        }
    }

    /// Takes these class weights where `balanced` was asked for: the protocol fits them once, on all training rows.
    pub fn balance_by(&mut self, weights: &[LabelWeights]) {
        match self {
            Self::Knn(_) | Self::Mlp(_) | Self::Radius(_) => {}
            Self::Tree(params) => params.balance_by(weights),
            Self::Ridge(params) => params.balance_by(weights),
        }
    }

    /// Fits.
    pub fn fit(&self, train: &Labelled) -> Result<Model, LearnError> {
        self.fit_until(train, &Cancel::new())
    }

    /// [`Estimator::fit`], until it is cancelled.
    pub(crate) fn fit_until(&self, train: &Labelled, cancel: &Cancel) -> Result<Model, LearnError> {
        match self {
            // These two keep the rows, and that is all.
            Self::Knn(params) => params.fit(train).map(Model::Knn),
            Self::Radius(params) => params.fit(train).map(Model::Radius),
            Self::Tree(params) => params.fit_until(train, cancel).map(Model::Tree),
            Self::Mlp(params) => params.fit_until(train, cancel).map(Model::Mlp),
            Self::Ridge(params) => params.fit_until(train, cancel).map(Model::Ridge),
        }
    }

    /// The setting with every parameter that changes nothing set to its default: equal ones are one fit.
    pub(crate) fn essential(&self) -> Self {
        match self {
            Self::Knn(params) => Self::Knn(params.essential()),
            Self::Tree(params) => Self::Tree(params.essential()),
            Self::Mlp(params) => Self::Mlp(params.inert()),
            Self::Radius(_) | Self::Ridge(_) => self.clone(),
        }
    }

    /// Whether most of the work of both is the same, and done once if they are trained together on so many features.
    pub(crate) fn shares_with(&self, other: &Self, features: usize) -> bool {
        match (self, other) {
            (Self::Knn(a), Self::Knn(b)) => a.distance() == b.distance(),
            (Self::Tree(a), Self::Tree(b)) => a.shares_with(b, features),
            (Self::Mlp(a), Self::Mlp(b)) => a.inert() == b.inert(),
            (Self::Radius(a), Self::Radius(b)) => a.distance() == b.distance(),
            (Self::Ridge(a), Self::Ridge(b)) => a.shares_with(b),
            _ => false,
        }
    }

    /// Whether both cost less if they are trained together, though each does its own work.
    pub(crate) fn learns_beside(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Mlp(a), Self::Mlp(b)) if a.learns_beside(b))
    }

    /// Rough seconds that a fit and its predictions take on one core.
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

/// Seconds that a fit and its predictions take.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CostEstimate {
    /// What settings that share work with this one have in common with it.
    pub(crate) shared: f64,
    /// What each has to do itself.
    pub(crate) own: f64,
}

impl CostEstimate {
    /// Of a family in which little is left to do when what is shared is done.
    fn mostly_shared(all: f64) -> Self {
        const OWN: f64 = 0.001;
        Self { shared: (1.0 - OWN) * all, own: OWN * all }
    }

    pub(crate) fn sum(self) -> f64 {
        self.shared + self.own
    }
}

/// How large a fit is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FitSize {
    /// Rows that are fitted on.
    pub(crate) rows: usize,
    /// Rows that are predicted.
    pub(crate) queries: usize,
    pub(crate) features: usize,
    pub(crate) labels: usize,
}

/// Fits all estimators on the same rows, predicts the same others and judges the probabilities, in the order of the
/// estimators. What they share is computed once; the results are those of each on its own, to the last bit.
///
/// # Errors
/// [`LearnError::Cancelled`], and no other: why an estimator cannot be fitted is its own outcome.
pub fn train_all<T: Clone + Send>(
    estimators: &[Estimator],
    train: &Labelled,
    rows: ArrayView2<'_, f64>,
    judge: &(impl Fn(ArrayView2<'_, f64>) -> T + Sync),
    cancel: &Cancel,
) -> Result<Vec<Trained<T>>, LearnError> {
    type Of<'a, P> = fn(&'a Estimator) -> Option<&'a P>;
    let knn: Of<KnnValidParams> = |of| if let Estimator::Knn(of) = of { Some(of) } else { None };
    let tree: Of<TreeValidParams> = |of| if let Estimator::Tree(of) = of { Some(of) } else { None };
    let mlp: Of<MlpValidParams> = |of| if let Estimator::Mlp(of) = of { Some(of) } else { None };
    let radius: Of<RadiusValidParams> = |of| if let Estimator::Radius(of) = of { Some(of) } else { None };
    let ridge: Of<RidgeValidParams> = |of| if let Estimator::Ridge(of) = of { Some(of) } else { None };
    let mut trained: Vec<Option<Trained<T>>> = estimators.iter().map(|_| None).collect();
    let (all, into) = (estimators, &mut trained);
    let judged = |of: Vec<Trained<Array2<f64>>>| of.into_iter().map(|of| of.judge(judge)).collect();
    // Trees judge as they go: all their probabilities at once would not fit into memory.
    in_groups(all, tree, |_, _| true, |group| tree::train_all(group, train, rows, judge, cancel), into);
    in_groups(all, mlp, |_, _| true, |group| mlp::train_all(group, train, rows, judge, cancel), into);
    let same = |a: &KnnValidParams, b: &KnnValidParams| a.distance() == b.distance();
    in_groups(all, knn, same, |group| judged(knn::train_all(group, train, rows, cancel)), into);
    let same = |a: &RadiusValidParams, b: &RadiusValidParams| a.distance() == b.distance();
    in_groups(all, radius, same, |group| judged(radius::train_all(group, train, rows, cancel)), into);
    in_groups(all, ridge, |a, b| a.shares_with(b), |group| judged(ridge::train_all(group, train, rows, cancel)), into);
    cancel.check()?;
    Ok(trained.into_iter().map(|result| result.expect("every estimator is of one family")).collect())
}

/// Trains the estimators of one family, those that share their work together.
fn in_groups<'a, P, T>(
    estimators: &'a [Estimator],
    of: fn(&'a Estimator) -> Option<&'a P>,
    share: impl Fn(&P, &P) -> bool,
    train: impl Fn(&[&P]) -> Vec<Trained<T>>,
    trained: &mut [Option<Trained<T>>],
) {
    let of_family = estimators.iter().enumerate().filter_map(|(index, estimator)| Some((index, of(estimator)?)));
    let mut left: Vec<(usize, &P)> = of_family.collect();
    while let Some(&(_, first)) = left.first() {
        let (group, others): (Vec<_>, Vec<_>) = left.into_iter().partition(|(_, of)| share(first, of));
        let (indices, params): (Vec<usize>, Vec<&P>) = group.into_iter().unzip();
        indices.into_iter().zip(train(&params)).for_each(|(index, result)| trained[index] = Some(result));
        left = others;
    }
}

impl Trained<Array2<f64>> {
    /// Makes what is wanted of the probabilities.
    fn judge<T>(self, judge: &impl Fn(ArrayView2<'_, f64>) -> T) -> Trained<T> {
        let started = Instant::now();
        let outcome = self.outcome.map(|probabilities| judge(probabilities.view()));
        Trained { outcome, seconds: self.seconds + started.elapsed().as_secs_f64() }
    }
}

impl Model {
    /// Probability of each label, m × q, for m rows of d features.
    pub fn probabilities(&self, rows: ArrayView2<'_, f64>) -> Array2<f64> {
        self.probabilities_until(rows, &Cancel::new()).expect("nobody cancels it")
    }

    /// [`Model::probabilities`], until it is cancelled.
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

/// Labels of these probabilities: above a threshold for each.
pub fn decide_above(thresholds: &[f64], probabilities: ArrayView2<'_, f64>) -> Array2<bool> {
    Array2::from_shape_fn(probabilities.dim(), |(row, label)| probabilities[(row, label)] > thresholds[label])
}

/// Labels of these probabilities: above one half; a tie is a no, as for scikit-learn's arg max.
pub fn decide(probabilities: ArrayView2<'_, f64>) -> Array2<bool> {
    probabilities.mapv(|probability| probability > 0.5)
}
