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
mod vector;

use std::time::Instant;

use linfa::traits::{Fit, PredictInplace};
use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayBase, ArrayView2, Axis, Data as Storage, Ix2};
use serde::{Deserialize, Serialize};

pub use activation::Activation;
pub use params::{BatchRule, BatchSize, MlpParams, MlpValidParams, PARAMETERS, Solver};

use crate::family::{Trained, decide};
use crate::random::Path;
use crate::{Labelled, LearnError};
use data::Data;
use network::Network;
use panels::Panels;

/// Rows that are predicted at once.
const ROWS: usize = 512;

/// L-BFGS keeps about 250 bytes beside each parameter: more than 4 GB are a slip of the pen. Networks that learn in lockstep
/// have no more together.
const PARAMETERS_AT_MOST: usize = 1 << 24;

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
        let data = Data::new(dataset).map_err(LearnError::Unfittable)?;
        let start = Start::new(self, &data).map_err(LearnError::Unfittable)?;
        let (mlp, _) = fit_together(&[start], &data).remove(0);
        mlp.map_err(LearnError::Unfittable)
    }
}

/// Fits every setting on the same rows, predicts the same others, and judges the probabilities. Settings that differ
/// only in parameters that do not act are one network; those that draw the same minibatches learn in lockstep.
pub(crate) fn train_all<T: Clone + Send>(
    settings: &[&MlpValidParams],
    train: &Labelled,
    rows: ArrayView2<'_, f64>,
    judge: &(impl Fn(ArrayView2<'_, f64>) -> T + Sync),
) -> Vec<Trained<T>> {
    let acting: Vec<MlpValidParams> = settings.iter().map(|params| params.inert()).collect();
    let mut distinct: Vec<&MlpValidParams> = Vec::new();
    for params in &acting {
        if !distinct.contains(&params) {
            distinct.push(params);
        }
    }
    let fitted: Vec<(Result<Mlp, String>, f64)> = match Data::new(train) {
        Ok(data) => fit_all(&distinct, &data),
        Err(error) => distinct.iter().map(|_| (Err(error.clone()), 0.0)).collect(),
    };
    let judge_one = |(mlp, seconds): (Result<Mlp, String>, f64)| {
        let started = Instant::now();
        let outcome = mlp.map(|mlp| judge(mlp.probabilities(rows).view()));
        (outcome, seconds + started.elapsed().as_secs_f64())
    };
    let judged: Vec<_> = fitted.into_par_iter().map(judge_one).collect();
    let of = |params: &MlpValidParams| {
        let (outcome, seconds) = &judged[distinct.iter().position(|of| *of == params).expect("all are there")];
        let sharing = acting.iter().filter(|other| *other == params).count();
        Trained { outcome: outcome.clone(), seconds: *seconds / sharing as f64 }
    };
    acting.iter().map(of).collect()
}

/// Fits distinct settings; each with its part of the seconds.
fn fit_all(settings: &[&MlpValidParams], data: &Data) -> Vec<(Result<Mlp, String>, f64)> {
    let mut fitted: Vec<_> = settings.iter().map(|_| (Err(String::new()), 0.0)).collect();
    let mut groups: Vec<(Vec<usize>, Vec<Start<'_>>)> = Vec::new();
    for (index, params) in settings.iter().enumerate() {
        match Start::new(params, data) {
            Err(error) => fitted[index].0 = Err(error),
            Ok(start) => match groups.iter_mut().find(|(_, group)| start.fits_into(group)) {
                Some((indices, group)) => {
                    indices.push(index);
                    group.push(start);
                }
                None => groups.push((vec![index], vec![start])),
            },
        }
    }
    let fit = |(indices, group): &(Vec<usize>, Vec<Start<'_>>)| -> Vec<_> {
        indices.iter().copied().zip(fit_together(group, data)).collect()
    };
    let of_groups: Vec<_> = groups.par_iter().flat_map_iter(fit).collect();
    of_groups.into_iter().for_each(|(index, result)| fitted[index] = result);
    fitted
}

/// A network and the parameters that it starts from.
struct Start<'a> {
    params: &'a MlpValidParams,
    network: Network,
    first: Vec<f64>,
}

impl<'a> Start<'a> {
    fn new(params: &'a MlpValidParams, data: &Data) -> Result<Self, String> {
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
        let first = network.first(Path::root(params.seed, 0));
        Ok(Self { params, network, first })
    }

    /// Whether it learns in lockstep with these.
    fn fits_into(&self, group: &[Self]) -> bool {
        let parameters: usize = group.iter().map(|of| of.network.parameters).sum();
        let is_room = parameters + self.network.parameters <= PARAMETERS_AT_MOST;
        is_room && group[0].params.draws_as(self.params)
    }
}

/// Fits networks that learn in lockstep, or one; each with its part of the seconds.
fn fit_together(starts: &[Start<'_>], data: &Data) -> Vec<(Result<Mlp, String>, f64)> {
    let started = Instant::now();
    // Inside the pool from here on: the many small pieces of work would each pay for the way in.
    let fitted = rayon::scope(|_| match starts[0].params.solver {
        Solver::Adam => adam::fit(starts, data),
        Solver::Lbfgs => starts.iter().map(|start| batch::fit(start, data)).collect(),
    });
    let epochs = |fitted: &Result<Fitted, String>| fitted.as_ref().map_or(1, |fitted| fitted.losses.len());
    let work: Vec<f64> =
        starts.iter().zip(&fitted).map(|(start, of)| epochs(of) as f64 * start.network.operations()).collect();
    let second = started.elapsed().as_secs_f64() / work.iter().sum::<f64>();
    let model = |((start, fitted), work): ((&Start<'_>, Result<Fitted, String>), f64)| {
        let mlp = fitted.and_then(|Fitted { parameters, losses }| {
            if !parameters.iter().all(|parameter| parameter.is_finite()) {
                return Err(not_finite(losses.len() as u32));
            }
            Ok(Mlp { network: start.network.clone(), parameters, losses })
        });
        (mlp, work * second)
    };
    starts.iter().zip(fitted).zip(work).map(model).collect()
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
        let mut probabilities = Array2::zeros((rows.nrows(), self.network.labels()));
        let into = probabilities.axis_chunks_iter_mut(Axis(0), ROWS).into_par_iter();
        into.zip(rows.axis_chunks_iter(Axis(0), ROWS)).for_each(|(mut into, rows)| {
            let lines = data::by_feature(rows);
            let features = Panels::new(rows.ncols(), rows.nrows(), &lines);
            into.assign(&self.network.predict(&self.parameters, features));
        });
        probabilities
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
        let data = Data::new(&rows()).unwrap();
        for case in reference["exact"].as_array().unwrap() {
            let given = serde_json::from_value(case["params"].clone()).unwrap();
            let params = MlpParams::read(&given).unwrap().0.check().unwrap();
            let numbers = |name: &str| serde_json::from_value::<Vec<f64>>(case[name].clone()).unwrap();
            let network = Network::new(&[8, 4, 3], params.activation);
            let first = network.lay_out(&numbers("first"));
            let start = Start { params: &params, network, first };
            let ours = fit_together(&[start], &data).remove(0).0.unwrap().losses;
            let theirs = numbers("losses");
            assert_eq!(ours.len(), theirs.len(), "{given:?}");
            for (epoch, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                assert!((ours - theirs).abs() < 2e-4 * theirs, "{given:?}, {epoch}: {ours} and {theirs}");
            }
        }
    }

    #[test]
    fn networks_trained_together_are_those_trained_alone() {
        let train = rows();
        let base = MlpParams::default().hidden_layer_sizes(&[5]).max_iter(8).seed(3);
        let lbfgs = base.clone().solver(Solver::Lbfgs);
        let settings = [base.clone(), lbfgs.clone(), base.learning_rate_init(0.1), lbfgs.learning_rate_init(0.1)];
        let settings: Vec<MlpValidParams> = settings.map(|params| params.check().unwrap()).into();
        assert_eq!(settings[1].inert(), settings[3].inert());
        assert_ne!(settings[0].inert(), settings[2].inert());
        let settings: Vec<&MlpValidParams> = settings.iter().collect();
        let together = train_all(&settings, &train, train.records.view(), &|probabilities| probabilities.to_owned());
        for (params, trained) in settings.iter().zip(together) {
            let alone = params.fit(&train).unwrap().probabilities(train.records.view());
            assert_eq!(trained.outcome.unwrap(), alone, "{params:?}");
        }
    }

    #[test]
    fn first_weights_fill_glorots_range_evenly() {
        let first = Network::new(&[30, 20, 10], Activation::Relu).first(Path::root(1, 0));
        let (inner, outer) = ((6.0_f64 / 50.0).sqrt(), (6.0_f64 / 30.0).sqrt());
        let largest = |of: &[f64]| of.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        assert!((0.98 * inner..=inner).contains(&largest(&first[..600])));
        assert!((0.95 * outer..=outer).contains(&largest(&first[600..800])));
        let mean = first[..600].iter().sum::<f64>() / 600.0;
        assert!(mean.abs() < 0.03, "{mean}");
    }
}
