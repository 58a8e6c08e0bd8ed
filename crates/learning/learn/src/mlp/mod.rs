//! Multi-layer perceptrons, scikit-learn's `MLPClassifier` for several labels: one logistic output per label, log loss
//! with a penalty on squared weights, Adam on minibatches or L-BFGS on all rows.
//!
//! Features, weights and products are f32 (scikit-learn keeps the type of the features, usually f64); losses and the
//! vectors of L-BFGS are f64. The initial weights and the order of rows are functions of the seed: they come from
//! scikit-learn's distributions but are other numbers. Results are the same bits on every machine, with any number of
//! threads, and whichever networks are trained together.

mod activation;
mod adam;
mod data;
mod full_batch;
mod lbfgs;
mod line_search;
mod moments;
mod network;
mod panels;
mod params;
mod transpose;
mod vector;

use std::time::Instant;

use linfa::traits::{Fit, PredictInplace};
use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayBase, ArrayView2, Axis, Data as Storage, Ix2};
use serde::{Deserialize, Serialize};

pub use activation::Activation;
pub use params::{BatchRule, BatchSize, MlpParams, MlpValidParams, PARAMETERS, Solver};

use crate::cancel::Cancelled;
use crate::family::{FitResult, decide};
use crate::random::RandomKey;
use crate::{Cancel, Labelled, LearnError};
use data::TrainingData;
use network::Network;
use panels::Panels;

/// Rows of a batch of predictions.
const PREDICT_BATCH_ROWS: usize = 512;

/// L-BFGS keeps about 250 bytes per parameter: a network that needs more than 4 GB is a mistake in the grid.
const MAX_PARAMETERS: usize = 1 << 24;

/// The parameters and the unit values for a minibatch that all networks in lockstep may have together: about 250 MB with
/// gradients and moments.
const MAX_LOCKSTEP_VALUES: usize = 1 << 24;

/// The fitted model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mlp {
    network: Network,
    parameters: Vec<f32>,
    losses: Vec<f64>,
}

/// What a solver found.
struct Solution {
    parameters: Vec<f32>,
    losses: Vec<f64>,
}

impl Fit<Array2<f64>, Array2<bool>, LearnError> for MlpValidParams {
    type Object = Mlp;

    fn fit(&self, dataset: &Labelled) -> Result<Mlp, LearnError> {
        self.fit_until(dataset, &Cancel::new())
    }
}

impl MlpValidParams {
    /// [`Fit::fit`], which stops when it is cancelled.
    pub(crate) fn fit_until(&self, dataset: &Labelled, cancel: &Cancel) -> Result<Mlp, LearnError> {
        let fitted = TrainingData::new(dataset, &[self], cancel).and_then(|data| {
            let task = FitTask::new(0, self, &data)?;
            fit_lockstep(&[task], &data, cancel).remove(0).0
        });
        cancel.check()?;
        fitted.map_err(LearnError::Unfittable)
    }
}

/// Fits every candidate on the same rows, predicts the same other rows and evaluates the probabilities. Candidates with
/// equal canonical parameters are one network; networks that draw the same minibatches learn in lockstep.
pub(crate) fn train_all<T: Clone + Send>(
    candidates: &[&MlpValidParams],
    train: &Labelled,
    rows: ArrayView2<'_, f64>,
    evaluate: &(impl Fn(ArrayView2<'_, f64>) -> T + Sync),
    cancel: &Cancel,
) -> Vec<FitResult<T>> {
    let canonical: Vec<MlpValidParams> = candidates.iter().map(|params| params.canonical()).collect();
    let mut distinct: Vec<&MlpValidParams> = Vec::new();
    for params in &canonical {
        if !distinct.contains(&params) {
            distinct.push(params);
        }
    }
    let evaluate_fit = |mlp: Result<Mlp, String>| Ok(evaluate(mlp?.probabilities_until(rows, cancel)?.view()));
    let trained = match TrainingData::new(train, &distinct, cancel) {
        Ok(data) => fit_all(&distinct, &data, &evaluate_fit, cancel),
        Err(error) => distinct.iter().map(|_| (evaluate_fit(Err(error.clone())), 0.0)).collect(),
    };
    let result = |params: &MlpValidParams| {
        let position = distinct.iter().position(|other| *other == params).expect("every network is among them");
        let (outcome, seconds) = &trained[position];
        let sharing = canonical.iter().filter(|other| *other == params).count();
        FitResult { outcome: outcome.clone(), seconds: *seconds / sharing as f64 }
    };
    canonical.iter().map(result).collect()
}

/// Fits distinct candidates and evaluates each; returned with its share of the seconds.
fn fit_all<T: Send>(
    candidates: &[&MlpValidParams],
    data: &TrainingData,
    evaluate: &(impl Fn(Result<Mlp, String>) -> T + Sync),
    cancel: &Cancel,
) -> Vec<(T, f64)> {
    let mut evaluated: Vec<Option<(T, f64)>> = candidates.iter().map(|_| None).collect();
    let mut groups: Vec<Vec<FitTask<'_>>> = Vec::new();
    for (index, params) in candidates.iter().enumerate() {
        match FitTask::new(index, params, data) {
            Err(error) => evaluated[index] = Some((evaluate(Err(error)), 0.0)),
            Ok(task) => match groups.iter_mut().find(|group| task.can_join(group, data)) {
                Some(group) => group.push(task),
                None => groups.push(vec![task]),
            },
        }
    }
    let fit_group = |group: &Vec<FitTask<'_>>| -> Vec<_> {
        let fitted = group.iter().zip(fit_lockstep(group, data, cancel));
        fitted.map(|(task, (mlp, seconds))| (task.index, (evaluate(mlp), seconds))).collect()
    };
    let results: Vec<_> = groups.par_iter().flat_map_iter(fit_group).collect();
    results.into_iter().for_each(|(index, result)| evaluated[index] = Some(result));
    evaluated.into_iter().map(|result| result.expect("every candidate is in a group or cannot be fitted")).collect()
}

/// A network to fit.
struct FitTask<'a> {
    /// The position of its candidate.
    index: usize,
    params: &'a MlpValidParams,
    network: Network,
}

impl<'a> FitTask<'a> {
    fn new(index: usize, params: &'a MlpValidParams, data: &TrainingData) -> Result<Self, String> {
        let hidden = params.hidden_layer_sizes.iter().map(|&units| units as usize);
        let units: Vec<usize> = [data.features].into_iter().chain(hidden).chain([data.labels]).collect();
        let network = Network::new(&units, params.activation);
        if network.parameters > MAX_PARAMETERS {
            return Err(format!(
                "the network has {} parameters, at most {MAX_PARAMETERS} are allowed: use smaller hidden_layer_sizes",
                network.parameters
            ));
        }
        Ok(Self { index, params, network })
    }

    /// Random weights and biases to start from.
    fn initial_parameters(&self) -> Vec<f64> {
        self.network.initial_parameters(RandomKey::root(self.params.seed, 0))
    }

    /// Whether it can learn in lockstep with these: it draws the same minibatches, and memory allows it.
    fn can_join(&self, group: &[Self], data: &TrainingData) -> bool {
        let size = |task: &Self| task.network.parameters + task.network.values(task.params.batch_rows(data.rows));
        let fits_into_memory = group.iter().map(size).sum::<usize>() + size(self) <= MAX_LOCKSTEP_VALUES;
        fits_into_memory && group[0].params.draws_same_minibatches(self.params, data.rows)
    }
}

/// Fits a single network or several in lockstep; each is returned with its share of the seconds.
fn fit_lockstep(group: &[FitTask<'_>], data: &TrainingData, cancel: &Cancel) -> Vec<(Result<Mlp, String>, f64)> {
    let starts = group.iter().map(|task| (task, task.initial_parameters())).collect();
    fit_from_initial(starts, data, cancel)
}

/// [`fit_lockstep`] from these initial parameters.
fn fit_from_initial(
    starts: Vec<(&FitTask<'_>, Vec<f64>)>,
    data: &TrainingData,
    cancel: &Cancel,
) -> Vec<(Result<Mlp, String>, f64)> {
    let started = Instant::now();
    let group: Vec<&FitTask<'_>> = starts.iter().map(|(task, _)| *task).collect();
    // Inside the thread pool from here on: otherwise every one of the many small parallel loops would have to enter it.
    let fitted = rayon::scope(|_| match group[0].params.solver {
        Solver::Adam => adam::fit(&starts, data, cancel),
        Solver::Lbfgs => {
            starts.into_iter().map(|(task, initial)| full_batch::fit(task, initial, data, cancel)).collect()
        }
    });
    let epochs = |fitted: &Result<Solution, String>| fitted.as_ref().map_or(1, |solution| solution.losses.len());
    let work = |(task, fitted): (&&FitTask<'_>, _)| epochs(fitted) as f64 * task.network.flops_per_row().max(1.0);
    let work: Vec<f64> = group.iter().zip(&fitted).map(work).collect();
    let seconds_per_work = started.elapsed().as_secs_f64() / work.iter().sum::<f64>();
    let model = |((task, fitted), work): ((&FitTask<'_>, Result<Solution, String>), f64)| {
        let mlp = fitted.and_then(|Solution { parameters, losses }| {
            if !parameters.iter().all(|parameter| parameter.is_finite()) {
                return Err(not_finite(losses.len() as u32));
            }
            Ok(Mlp { network: task.network.clone(), parameters, losses })
        });
        (mlp, work * seconds_per_work)
    };
    group.into_iter().zip(fitted).zip(work).map(model).collect()
}

fn not_finite(iteration: u32) -> String {
    format!(
        "the loss or a weight is not finite in iteration {iteration}: scale the features, or use a smaller \
         learning_rate_init"
    )
}

impl Mlp {
    /// The training loss: of each epoch with Adam, at the start and after each iteration with L-BFGS.
    pub fn losses(&self) -> &[f64] {
        &self.losses
    }

    /// The probability of each label, m × q, for m rows of d features.
    pub fn probabilities(&self, rows: ArrayView2<'_, f64>) -> Array2<f64> {
        self.probabilities_until(rows, &Cancel::new()).expect("never cancelled")
    }

    /// [`Mlp::probabilities`], which stops when it is cancelled.
    pub(crate) fn probabilities_until(
        &self,
        rows: ArrayView2<'_, f64>,
        cancel: &Cancel,
    ) -> Result<Array2<f64>, Cancelled> {
        let mut probabilities = Array2::zeros((rows.nrows(), self.network.labels()));
        let into = probabilities.axis_chunks_iter_mut(Axis(0), PREDICT_BATCH_ROWS).into_par_iter();
        into.zip(rows.axis_chunks_iter(Axis(0), PREDICT_BATCH_ROWS)).try_for_each(|(mut into, rows)| {
            cancel.check()?;
            let lines = data::by_feature(rows);
            let features = Panels::new(rows.ncols(), rows.nrows(), &lines);
            into.assign(&self.network.predict(&self.parameters, features, cancel));
            cancel.check()
        })?;
        Ok(probabilities)
    }
}

impl<D: Storage<Elem = f64>> PredictInplace<ArrayBase<D, Ix2>, Array2<bool>> for Mlp {
    fn predict_inplace<'a>(&'a self, rows: &'a ArrayBase<D, Ix2>, labels: &mut Array2<bool>) {
        labels.assign(&decide(self.probabilities(rows.view()).view()));
    }

    fn default_target(&self, rows: &ArrayBase<D, Ix2>) -> Array2<bool> {
        Array2::default((rows.nrows(), self.network.labels()))
    }
}

#[cfg(test)]
mod tests {
    use linfa::ParamGuard;
    use serde_json::Value;

    use super::*;

    /// The rows of `tests/sklearn/mlp.py`, function `exact`.
    fn rows() -> Labelled {
        let x = Array2::from_shape_fn((60, 8), |(i, j)| ((7 * i + 13 * j + 5 * i * j) % 17) as f64 / 8.0 - 1.0);
        let y = Array2::from_shape_fn((60, 3), |(i, k)| x[(i, k)] + 0.5 * x[(i, k + 1)] > 0.2);
        Labelled::new(x, y)
    }

    #[test]
    fn from_scikit_learns_initial_weights_the_losses_are_scikit_learns() {
        let reference: Value = serde_json::from_str(include_str!("../../tests/sklearn/mlp.json")).unwrap();
        for case in reference["exact"].as_array().unwrap() {
            let given = serde_json::from_value(case["params"].clone()).unwrap();
            let params = MlpParams::read(&given).unwrap().0.check().unwrap();
            let numbers = |name: &str| serde_json::from_value::<Vec<f64>>(case[name].clone()).unwrap();
            let network = Network::new(&[8, 4, 3], params.activation);
            let initial_parameters = network.parameters_from_sklearn(&numbers("first"));
            let data = TrainingData::new(&rows(), &[&params], &Cancel::new()).unwrap();
            let task = FitTask { index: 0, params: &params, network };
            let ours =
                fit_from_initial(vec![(&task, initial_parameters)], &data, &Cancel::new()).remove(0).0.unwrap().losses;
            let theirs = numbers("losses");
            assert_eq!(ours.len(), theirs.len(), "{given:?}");
            for (epoch, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                assert!((ours - theirs).abs() < 2e-4 * theirs, "{given:?}, {epoch}: {ours} and {theirs}");
            }
        }
    }

    #[test]
    fn networks_of_all_lengths_learn_together_as_each_does_alone() {
        let train = rows();
        let given = serde_json::json!({"batch_size": 25, "tol": 0.01, "learning_rate_init": 0.01});
        let base = MlpParams::read(&serde_json::from_value(given).unwrap()).unwrap().0.seed(3);
        let mut candidates = Vec::new();
        for (sizes, activation) in
            [(vec![], Activation::Relu), (vec![17], Activation::Tanh), (vec![33, 5], Activation::Relu)]
        {
            let params = base.clone().hidden_layer_sizes(&sizes).activation(activation);
            candidates.extend([1, 3, 200].map(|epochs| params.clone().max_iter(epochs)));
            candidates.extend([params.clone().solver(Solver::Lbfgs), params.learning_rate_init(1e35)]);
        }
        let candidates: Vec<MlpValidParams> = candidates.into_iter().map(|params| params.check().unwrap()).collect();
        let candidates: Vec<&MlpValidParams> = candidates.iter().collect();
        let data = TrainingData::new(&train, &candidates, &Cancel::new()).unwrap();
        for threads in [1, 4] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let together = pool.install(|| fit_all(&candidates, &data, &|mlp| mlp, &Cancel::new()));
            let epochs: Vec<_> =
                together.iter().map(|(mlp, _)| mlp.as_ref().map_or(0, |mlp| mlp.losses.len())).collect();
            assert!(epochs[2] > 3 && epochs[2] < 200 && epochs[4] == 0, "they end at different times: {epochs:?}");
            for (params, (mlp, seconds)) in candidates.iter().zip(together) {
                let alone = params.fit(&train).map_err(|error| error.to_string());
                assert_eq!(mlp.map_err(|reason| LearnError::Unfittable(reason).to_string()), alone, "{params:?}");
                assert!(seconds.is_finite());
            }
        }
    }
}
