//! Multi-layer perceptrons, scikit-learn's `MLPClassifier` for several labels: one logistic output a label, log loss
//! with a penalty on squared weights, Adam on minibatches or L-BFGS on all rows.
//!
//! Features, weights and products are f32 (scikit-learn keeps the type of the features, as a rule f64); losses and
//! the vectors of L-BFGS are f64. What is random (first weights, order of rows) is a function of the seed and of the
//! place, so it draws other numbers than scikit-learn, from the same distributions. Any number of threads, whatever else
//! is fitted beside it, and every machine give the same bits.

mod activation;
mod adam;
mod batch;
mod data;
mod lbfgs;
mod line_search;
mod moments;
mod network;
mod panels;
mod params;
mod turn;
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
use data::Data;
use network::Network;
use panels::Panels;

/// Rows that are predicted at once.
const ROWS: usize = 512;

/// L-BFGS keeps about 250 bytes beside each parameter: more than 4 GB are a slip of the pen.
const PARAMETERS_AT_MOST: usize = 1 << 24;

/// Most numbers, parameters and values of units for a minibatch, of networks that learn in lockstep: some 250 MB.
const TOGETHER: usize = 1 << 24;

/// The fitted model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mlp {
    network: Network,
    parameters: Vec<f32>,
    losses: Vec<f64>,
}

/// What a solver makes.
struct Fitted {
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
    /// [`Fit::fit`], until it is cancelled.
    pub(crate) fn fit_until(&self, dataset: &Labelled, cancel: &Cancel) -> Result<Mlp, LearnError> {
        let fitted = Data::new(dataset, &[self], cancel).and_then(|data| {
            let wanted = Wanted::new(0, self, &data)?;
            fit_together(&[wanted], &data, cancel).remove(0).0
        });
        cancel.check()?;
        fitted.map_err(LearnError::Unfittable)
    }
}

/// Fits every setting on the same rows, predicts the same others, and judges the probabilities. Settings that differ
/// only in parameters that do not act are one network; those that draw the same minibatches learn in lockstep.
pub(crate) fn train_all<T: Clone + Send>(
    settings: &[&MlpValidParams],
    train: &Labelled,
    rows: ArrayView2<'_, f64>,
    judge: &(impl Fn(ArrayView2<'_, f64>) -> T + Sync),
    cancel: &Cancel,
) -> Vec<FitResult<T>> {
    let acting: Vec<MlpValidParams> = settings.iter().map(|params| params.canonical()).collect();
    let mut distinct: Vec<&MlpValidParams> = Vec::new();
    for params in &acting {
        if !distinct.contains(&params) {
            distinct.push(params);
        }
    }
    let judge_one = |mlp: Result<Mlp, String>| Ok(judge(mlp?.probabilities_until(rows, cancel)?.view()));
    let trained = match Data::new(train, &distinct, cancel) {
        Ok(data) => fit_all(&distinct, &data, &judge_one, cancel),
        Err(error) => distinct.iter().map(|_| (judge_one(Err(error.clone())), 0.0)).collect(),
    };
    let of = |params: &MlpValidParams| {
        let (outcome, seconds) = &trained[distinct.iter().position(|of| *of == params).expect("all are there")];
        let sharing = acting.iter().filter(|other| *other == params).count();
        FitResult { outcome: outcome.clone(), seconds: *seconds / sharing as f64 }
    };
    acting.iter().map(of).collect()
}

/// Fits distinct settings and judges each, with its part of the seconds.
fn fit_all<T: Send>(
    settings: &[&MlpValidParams],
    data: &Data,
    judge: &(impl Fn(Result<Mlp, String>) -> T + Sync),
    cancel: &Cancel,
) -> Vec<(T, f64)> {
    let mut judged: Vec<Option<(T, f64)>> = settings.iter().map(|_| None).collect();
    let mut groups: Vec<Vec<Wanted<'_>>> = Vec::new();
    for (index, params) in settings.iter().enumerate() {
        match Wanted::new(index, params, data) {
            Err(error) => judged[index] = Some((judge(Err(error)), 0.0)),
            Ok(wanted) => match groups.iter_mut().find(|group| wanted.fits_into(group, data)) {
                Some(group) => group.push(wanted),
                None => groups.push(vec![wanted]),
            },
        }
    }
    let of_group = |group: &Vec<Wanted<'_>>| -> Vec<_> {
        let fitted = group.iter().zip(fit_together(group, data, cancel));
        fitted.map(|(wanted, (mlp, seconds))| (wanted.index, (judge(mlp), seconds))).collect()
    };
    let of_groups: Vec<_> = groups.par_iter().flat_map_iter(of_group).collect();
    of_groups.into_iter().for_each(|(index, of)| judged[index] = Some(of));
    judged.into_iter().map(|of| of.expect("every setting is in a group or cannot be fitted")).collect()
}

/// A network to be fitted.
struct Wanted<'a> {
    /// Among the settings.
    index: usize,
    params: &'a MlpValidParams,
    network: Network,
}

impl<'a> Wanted<'a> {
    fn new(index: usize, params: &'a MlpValidParams, data: &Data) -> Result<Self, String> {
        let hidden = params.hidden_layer_sizes.iter().map(|&units| units as usize);
        let units: Vec<usize> = [data.features].into_iter().chain(hidden).chain([data.labels]).collect();
        let network = Network::new(&units, params.activation);
        if network.parameters > PARAMETERS_AT_MOST {
            return Err(format!(
                "a network of {} parameters is larger than the {PARAMETERS_AT_MOST} that are allowed: use smaller \
                 hidden_layer_sizes",
                network.parameters
            ));
        }
        Ok(Self { index, params, network })
    }

    /// Its first parameters.
    fn first(&self) -> Vec<f64> {
        self.network.first(RandomKey::root(self.params.seed, 0))
    }

    /// Whether it learns in lockstep with these: it draws the same minibatches, and there is room for it.
    fn fits_into(&self, group: &[Self], data: &Data) -> bool {
        let size = |of: &Self| of.network.parameters + of.network.values(of.params.batch(data.rows));
        let is_room = group.iter().map(size).sum::<usize>() + size(self) <= TOGETHER;
        is_room && group[0].params.draws_as(self.params, data.rows)
    }
}

/// Fits networks that learn in lockstep, or one; each with its part of the seconds.
fn fit_together(group: &[Wanted<'_>], data: &Data, cancel: &Cancel) -> Vec<(Result<Mlp, String>, f64)> {
    let starts = group.iter().map(|wanted| (wanted, wanted.first())).collect();
    fit_from(starts, data, cancel)
}

/// From these first parameters.
fn fit_from(starts: Vec<(&Wanted<'_>, Vec<f64>)>, data: &Data, cancel: &Cancel) -> Vec<(Result<Mlp, String>, f64)> {
    let started = Instant::now();
    let group: Vec<&Wanted<'_>> = starts.iter().map(|(wanted, _)| *wanted).collect();
    // Inside the pool from here on: the many small pieces of work would each pay for the way in.
    let fitted = rayon::scope(|_| match group[0].params.solver {
        Solver::Adam => adam::fit(&starts, data, cancel),
        Solver::Lbfgs => starts.into_iter().map(|(wanted, first)| batch::fit(wanted, first, data, cancel)).collect(),
    });
    let epochs = |fitted: &Result<Fitted, String>| fitted.as_ref().map_or(1, |fitted| fitted.losses.len());
    let work = |(wanted, of): (&&Wanted<'_>, _)| epochs(of) as f64 * wanted.network.operations().max(1.0);
    let work: Vec<f64> = group.iter().zip(&fitted).map(work).collect();
    let second = started.elapsed().as_secs_f64() / work.iter().sum::<f64>();
    let model = |((wanted, fitted), work): ((&Wanted<'_>, Result<Fitted, String>), f64)| {
        let mlp = fitted.and_then(|Fitted { parameters, losses }| {
            if !parameters.iter().all(|parameter| parameter.is_finite()) {
                return Err(not_finite(losses.len() as u32));
            }
            Ok(Mlp { network: wanted.network.clone(), parameters, losses })
        });
        (mlp, work * second)
    };
    group.into_iter().zip(fitted).zip(work).map(model).collect()
}

fn not_finite(iteration: u32) -> String {
    format!(
        "the network is not finite any more in iteration {iteration}: scale the features, or use a smaller \
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
        self.probabilities_until(rows, &Cancel::new()).expect("nobody cancels it")
    }

    /// [`Mlp::probabilities`], until it is cancelled.
    pub(crate) fn probabilities_until(
        &self,
        rows: ArrayView2<'_, f64>,
        cancel: &Cancel,
    ) -> Result<Array2<f64>, Cancelled> {
        let mut probabilities = Array2::zeros((rows.nrows(), self.network.labels()));
        let into = probabilities.axis_chunks_iter_mut(Axis(0), ROWS).into_par_iter();
        into.zip(rows.axis_chunks_iter(Axis(0), ROWS)).try_for_each(|(mut into, rows)| {
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
    fn from_scikit_learns_first_weights_the_losses_are_scikit_learns() {
        let reference: Value = serde_json::from_str(include_str!("../../tests/sklearn/mlp.json")).unwrap();
        for case in reference["exact"].as_array().unwrap() {
            let given = serde_json::from_value(case["params"].clone()).unwrap();
            let params = MlpParams::read(&given).unwrap().0.check().unwrap();
            let numbers = |name: &str| serde_json::from_value::<Vec<f64>>(case[name].clone()).unwrap();
            let network = Network::new(&[8, 4, 3], params.activation);
            let first = network.lay_out(&numbers("first"));
            let data = Data::new(&rows(), &[&params], &Cancel::new()).unwrap();
            let wanted = Wanted { index: 0, params: &params, network };
            let ours = fit_from(vec![(&wanted, first)], &data, &Cancel::new()).remove(0).0.unwrap().losses;
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
        let mut settings = Vec::new();
        for (sizes, activation) in
            [(vec![], Activation::Relu), (vec![17], Activation::Tanh), (vec![33, 5], Activation::Relu)]
        {
            let of = base.clone().hidden_layer_sizes(&sizes).activation(activation);
            settings.extend([1, 3, 200].map(|epochs| of.clone().max_iter(epochs)));
            settings.extend([of.clone().solver(Solver::Lbfgs), of.learning_rate_init(1e35)]);
        }
        let settings: Vec<MlpValidParams> = settings.into_iter().map(|params| params.check().unwrap()).collect();
        let settings: Vec<&MlpValidParams> = settings.iter().collect();
        let data = Data::new(&train, &settings, &Cancel::new()).unwrap();
        for threads in [1, 4] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let together = pool.install(|| fit_all(&settings, &data, &|mlp| mlp, &Cancel::new()));
            let epochs: Vec<_> =
                together.iter().map(|(mlp, _)| mlp.as_ref().map_or(0, |mlp| mlp.losses.len())).collect();
            assert!(epochs[2] > 3 && epochs[2] < 200 && epochs[4] == 0, "they end at different times: {epochs:?}");
            for (params, (mlp, seconds)) in settings.iter().zip(together) {
                let alone = params.fit(&train).map_err(|error| error.to_string());
                assert_eq!(mlp.map_err(|reason| LearnError::Unfittable(reason).to_string()), alone, "{params:?}");
                assert!(seconds.is_finite());
            }
        }
    }
}
