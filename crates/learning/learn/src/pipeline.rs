//! What a setting of the grid is when it is fitted: a selection of features, or none, and the family behind it. Both are
//! fitted on the same rows.

use std::time::Instant;

use model::search::Candidate;
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::cancel::Cancelled;
use crate::family::{self, CostEstimate, Estimator, FitSize, Model, Trained};
use crate::params::ParamError;
use crate::select::{Selection, Selector};
use crate::tree::LabelWeights;
use crate::{Cancel, Labelled, LearnError};

/// A setting, ready to fit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pipeline {
    selection: Option<Selection>,
    estimator: Estimator,
}

/// A fitted setting.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Fitted {
    selector: Option<Selector>,
    model: Model,
}

impl Pipeline {
    /// The pipeline of a setting; `seed` is for what is random in it.
    pub(crate) fn new(setting: &Candidate, seed: u64) -> Result<Self, ParamError> {
        let (selection, params) = Selection::split(&setting.params)?;
        let estimator = Estimator::new(&Candidate { family: setting.family.clone(), params }, seed)?;
        Ok(Self { selection: selection.map(|selection| selection.seed(seed)), estimator })
    }

    /// Takes these class weights where `balanced` was asked for.
    pub(crate) fn balance_by(&mut self, weights: &[LabelWeights]) {
        self.estimator.balance_by(weights);
    }

    /// Fits both.
    pub(crate) fn fit(&self, train: &Labelled, cancel: &Cancel) -> Result<Fitted, LearnError> {
        let Some(selection) = &self.selection else {
            return Ok(Fitted { selector: None, model: self.estimator.fit_until(train, cancel)? });
        };
        let selector = selection.fit_until(train, cancel)?;
        let selected = selector.apply_until(train.records.view(), cancel)?;
        let model = self.estimator.fit_until(&Labelled::new(selected, train.targets.clone()), cancel)?;
        Ok(Fitted { model, selector: Some(selector) })
    }

    /// The pipeline with every parameter that changes nothing set to its default: equal ones are one fit.
    pub(crate) fn essential(&self) -> Self {
        Self { estimator: self.estimator.essential(), ..self.clone() }
    }

    /// Whether most of the work of both is the same, and done once if they are trained together on so many features.
    pub(crate) fn shares_with(&self, other: &Self, features: usize) -> bool {
        self.selection == other.selection && self.estimator.shares_with(&other.estimator, self.selected(features))
    }

    /// Whether both cost less if they are trained together, though each does its own work.
    pub(crate) fn learns_beside(&self, other: &Self) -> bool {
        self.selection == other.selection && self.estimator.learns_beside(&other.estimator)
    }

    /// Rough seconds that a fit and its predictions take on one core.
    pub(crate) fn seconds(&self, size: FitSize) -> CostEstimate {
        let selection = self.selection.map_or(0.0, |selection| selection.seconds(size));
        let CostEstimate { shared, own } =
            self.estimator.seconds(FitSize { features: self.selected(size.features), ..size });
        CostEstimate { shared: selection + shared, own }
    }

    /// Rough seconds that the prediction of one row takes on one core, after a fit of this size.
    pub(crate) fn row_seconds(&self, size: FitSize) -> f64 {
        let of_rows =
            |queries| self.estimator.seconds(FitSize { queries, features: self.selected(size.features), ..size }).sum();
        // Families that predict quickly still have to read the row.
        let reading = size.features as f64 * 5e-9;
        (of_rows(1_000) - of_rows(0)) / 1_000.0 + reading
    }

    /// How many of `features` features the family sees, at most.
    fn selected(&self, features: usize) -> usize {
        self.selection.map_or(features, |selection| selection.selected(features))
    }
}

impl Fitted {
    /// Probability of each label, m × q, for m rows of d features.
    pub(crate) fn probabilities(&self, rows: ArrayView2<'_, f64>, cancel: &Cancel) -> Result<Array2<f64>, Cancelled> {
        match &self.selector {
            None => self.model.probabilities_until(rows, cancel),
            Some(selector) => self.model.probabilities_until(selector.apply_until(rows, cancel)?.view(), cancel),
        }
    }
}

/// Fits all pipelines on the same rows, predicts the same others and judges the probabilities, in the order of the
/// pipelines. Each distinct selection is fitted once, and what the families behind it share is computed once; the results
/// are those of each on its own, to the last bit. The only error is [`LearnError::Cancelled`].
pub(crate) fn train_all<T: Clone + Send>(
    pipelines: &[Pipeline],
    train: &Labelled,
    rows: ArrayView2<'_, f64>,
    judge: &(impl Fn(ArrayView2<'_, f64>) -> T + Sync),
    cancel: &Cancel,
) -> Result<Vec<Trained<T>>, LearnError> {
    let mut groups: Vec<(Option<Selection>, Vec<usize>)> = Vec::new();
    for (index, pipeline) in pipelines.iter().enumerate() {
        match groups.iter_mut().find(|(selection, _)| *selection == pipeline.selection) {
            Some((_, group)) => group.push(index),
            None => groups.push((pipeline.selection, vec![index])),
        }
    }
    let mut all: Vec<(usize, Trained<T>)> = Vec::new();
    for (selection, group) in groups {
        let estimators: Vec<Estimator> = group.iter().map(|&index| pipelines[index].estimator.clone()).collect();
        let trained = match selection {
            None => family::train_all(&estimators, train, rows, judge, cancel)?,
            Some(selection) => train_selected(selection, &estimators, train, rows, judge, cancel)?,
        };
        all.extend(group.into_iter().zip(trained));
    }
    all.sort_by_key(|(index, _)| *index);
    Ok(all.into_iter().map(|(_, trained)| trained).collect())
}

/// Trains the estimators behind one selection; where it cannot be fitted on these rows, neither can they.
fn train_selected<T: Clone + Send>(
    selection: Selection,
    estimators: &[Estimator],
    train: &Labelled,
    rows: ArrayView2<'_, f64>,
    judge: &(impl Fn(ArrayView2<'_, f64>) -> T + Sync),
    cancel: &Cancel,
) -> Result<Vec<Trained<T>>, LearnError> {
    let started = Instant::now();
    let selected = selection.fit_until(train, cancel).and_then(|selector| {
        let selected = selector.apply_until(train.records.view(), cancel)?;
        Ok((Labelled::new(selected, train.targets.clone()), selector.apply_until(rows, cancel)?))
    });
    let shared = started.elapsed().as_secs_f64() / estimators.len() as f64;
    let mut trained = match selected {
        Ok((train, rows)) => family::train_all(estimators, &train, rows.view(), judge, cancel)?,
        Err(LearnError::Cancelled) => return Err(LearnError::Cancelled),
        Err(reason) => {
            let fails = |_: &Estimator| Trained { outcome: Err(reason.to_string()), seconds: 0.0 };
            estimators.iter().map(fails).collect()
        }
    };
    trained.iter_mut().for_each(|of| of.seconds += shared);
    Ok(trained)
}
