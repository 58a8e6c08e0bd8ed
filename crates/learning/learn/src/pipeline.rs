//! A candidate of the grid as it is fitted: an optional feature selection, then the family. Both are fitted on the same
//! rows.

use std::time::Instant;

use model::search::Candidate;
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::cancel::Cancelled;
use crate::family::{self, CostEstimate, Estimator, FitResult, FitSize, Model};
use crate::params::ParamError;
use crate::select::{Selection, Selector};
use crate::tree::LabelWeights;
use crate::{Cancel, Labelled, LearnError};

/// A candidate, ready to fit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pipeline {
    selection: Option<Selection>,
    estimator: Estimator,
}

/// A fitted candidate.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FittedPipeline {
    selector: Option<Selector>,
    model: Model,
}

impl Pipeline {
    /// The pipeline of a candidate; `seed` drives everything random in it.
    pub(crate) fn new(candidate: &Candidate, seed: u64) -> Result<Self, ParamError> {
        let (selection, params) = Selection::split(&candidate.params)?;
        let estimator = Estimator::new(&Candidate { family: candidate.family.clone(), params }, seed)?;
        Ok(Self { selection: selection.map(|selection| selection.seed(seed)), estimator })
    }

    /// Uses these class weights where `balanced` was asked for.
    pub(crate) fn balance_by(&mut self, weights: &[LabelWeights]) {
        self.estimator.balance_by(weights);
    }

    /// Fits the selection, then the family on what it selects.
    pub(crate) fn fit(&self, train: &Labelled, cancel: &Cancel) -> Result<FittedPipeline, LearnError> {
        let Some(selection) = &self.selection else {
            return Ok(FittedPipeline { selector: None, model: self.estimator.fit_until(train, cancel)? });
        };
        let selector = selection.fit_until(train, cancel)?;
        let selected = selector.apply_until(train.records.view(), cancel)?;
        let model = self.estimator.fit_until(&Labelled::new(selected, train.targets.clone()), cancel)?;
        Ok(FittedPipeline { model, selector: Some(selector) })
    }

    /// The same pipeline in canonical parameters; equal pipelines need one fit.
    pub(crate) fn canonical(&self) -> Self {
        Self { estimator: self.estimator.canonical(), ..self.clone() }
    }

    /// Whether most of the work of both is the same and is done once if they are trained together on this many features.
    pub(crate) fn shares_work_with(&self, other: &Self, features: usize) -> bool {
        self.selection == other.selection && self.estimator.shares_work_with(&other.estimator, self.selected(features))
    }

    /// Whether training both together costs less although each does its own work.
    pub(crate) fn learns_in_lockstep_with(&self, other: &Self) -> bool {
        self.selection == other.selection && self.estimator.learns_in_lockstep_with(&other.estimator)
    }

    /// Estimated cost of a fit and its predictions on one core.
    pub(crate) fn seconds(&self, size: FitSize) -> CostEstimate {
        let selection = self.selection.map_or(0.0, |selection| selection.seconds(size));
        let CostEstimate { shared, own } =
            self.estimator.seconds(FitSize { features: self.selected(size.features), ..size });
        CostEstimate { shared: selection + shared, own }
    }

    /// Estimated seconds to predict one row on one core, after a fit of this size.
    pub(crate) fn row_seconds(&self, size: FitSize) -> f64 {
        let predicting = |queries| {
            self.estimator.seconds(FitSize { queries, features: self.selected(size.features), ..size }).total()
        };
        // Families that predict quickly still have to read the row: about 5 ns a value, an order of magnitude.
        let reading = size.features as f64 * 5e-9;
        (predicting(1_000) - predicting(0)) / 1_000.0 + reading
    }

    /// The most of `features` features that the family gets to see.
    fn selected(&self, features: usize) -> usize {
        self.selection.map_or(features, |selection| selection.selected(features))
    }
}

impl FittedPipeline {
    /// Probability of each label, m × q, for m rows of d features.
    pub(crate) fn probabilities(&self, rows: ArrayView2<'_, f64>, cancel: &Cancel) -> Result<Array2<f64>, Cancelled> {
        match &self.selector {
            None => self.model.probabilities_until(rows, cancel),
            Some(selector) => self.model.probabilities_until(selector.apply_until(rows, cancel)?.view(), cancel),
        }
    }
}

/// Fits all pipelines on the same rows, predicts the same other rows and evaluates the probabilities, in the order of the
/// pipelines. Each distinct selection is fitted once, and so is what the families behind it share; every result is what
/// the pipeline gives on its own, to the last bit. The only error is [`LearnError::Cancelled`].
pub(crate) fn train_all<T: Clone + Send>(
    pipelines: &[Pipeline],
    train: &Labelled,
    rows: ArrayView2<'_, f64>,
    evaluate: &(impl Fn(ArrayView2<'_, f64>) -> T + Sync),
    cancel: &Cancel,
) -> Result<Vec<FitResult<T>>, LearnError> {
    let mut groups: Vec<(Option<Selection>, Vec<usize>)> = Vec::new();
    for (index, pipeline) in pipelines.iter().enumerate() {
        match groups.iter_mut().find(|(selection, _)| *selection == pipeline.selection) {
            Some((_, group)) => group.push(index),
            None => groups.push((pipeline.selection, vec![index])),
        }
    }
    let mut results: Vec<(usize, FitResult<T>)> = Vec::new();
    for (selection, group) in groups {
        let estimators: Vec<Estimator> = group.iter().map(|&index| pipelines[index].estimator.clone()).collect();
        let trained = match selection {
            None => family::train_all(&estimators, train, rows, evaluate, cancel)?,
            Some(selection) => train_selected(selection, &estimators, train, rows, evaluate, cancel)?,
        };
        results.extend(group.into_iter().zip(trained));
    }
    results.sort_by_key(|(index, _)| *index);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

/// Trains the estimators behind one selection; if the selection cannot be fitted on these rows, neither can they.
fn train_selected<T: Clone + Send>(
    selection: Selection,
    estimators: &[Estimator],
    train: &Labelled,
    rows: ArrayView2<'_, f64>,
    evaluate: &(impl Fn(ArrayView2<'_, f64>) -> T + Sync),
    cancel: &Cancel,
) -> Result<Vec<FitResult<T>>, LearnError> {
    let started = Instant::now();
    let selected = selection.fit_until(train, cancel).and_then(|selector| {
        let selected = selector.apply_until(train.records.view(), cancel)?;
        Ok((Labelled::new(selected, train.targets.clone()), selector.apply_until(rows, cancel)?))
    });
    let shared = started.elapsed().as_secs_f64() / estimators.len() as f64;
    let mut trained = match selected {
        Ok((train, rows)) => family::train_all(estimators, &train, rows.view(), evaluate, cancel)?,
        Err(LearnError::Cancelled) => return Err(LearnError::Cancelled),
        Err(reason) => {
            let fails = |_: &Estimator| FitResult { outcome: Err(reason.to_string()), seconds: 0.0 };
            estimators.iter().map(fails).collect()
        }
    };
    trained.iter_mut().for_each(|result| result.seconds += shared);
    Ok(trained)
}
