//! Parameters of a multi-layer perceptron.

use linfa::ParamGuard;
use model::search::Params;
use serde::{Deserialize, Serialize};

use super::activation::Activation;
use super::network::Network;
use crate::family::FitSize;
use crate::params::{ParamError, ParamReader, Parameter, bad_value};

const FAMILY: &str = "mlp";
/// The most units of a hidden layer: a larger number is a mistake in the grid.
const MAX_LAYER_UNITS: u32 = 1 << 16;

/// The parameters of the family.
pub const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "hidden_layer_sizes",
        default: "[100]",
        allowed: "an integer from 1 to 65536, or a list of them (one a layer, the first next to the features)",
    },
    Parameter { name: "activation", default: "\"relu\"", allowed: "identity, logistic, tanh or relu" },
    Parameter { name: "solver", default: "\"adam\"", allowed: "adam or lbfgs (sgd is not offered)" },
    Parameter { name: "alpha", default: "0.0001", allowed: "a number from 0" },
    Parameter { name: "batch_size", default: "\"auto\"", allowed: "auto or an integer from 1" },
    Parameter { name: "learning_rate_init", default: "0.001", allowed: "a number above 0" },
    Parameter { name: "max_iter", default: "200", allowed: "an integer from 1" },
    Parameter { name: "shuffle", default: "true", allowed: "true or false" },
    Parameter { name: "tol", default: "0.0001", allowed: "a number from 0" },
    Parameter { name: "n_iter_no_change", default: "10", allowed: "an integer from 1" },
    Parameter { name: "beta_1", default: "0.9", allowed: "a number from 0 and below 1" },
    Parameter { name: "beta_2", default: "0.999", allowed: "a number from 0 and below 1" },
    Parameter { name: "epsilon", default: "1e-8", allowed: "a number above 0" },
    Parameter { name: "max_fun", default: "15000", allowed: "an integer from 1" },
];

/// The algorithm that minimises the loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Solver {
    /// Minibatches with moment estimates (Kingma and Ba 2014).
    Adam,
    /// The limited-memory quasi-Newton method on all rows.
    Lbfgs,
}

/// Rows in a minibatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum BatchSize {
    /// By a rule.
    Rule(BatchRule),
    /// This many, or all if there are fewer.
    Count(u32),
}

/// A rule for the number of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchRule {
    /// 200, or all if there are fewer.
    Auto,
}

/// A single layer's units, or those of each layer.
#[derive(Deserialize)]
#[serde(untagged)]
enum LayerSizes {
    Single(u32),
    Several(Vec<u32>),
}

/// Validated parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct MlpValidParams {
    pub(super) hidden_layer_sizes: Vec<u32>,
    pub(super) activation: Activation,
    pub(super) solver: Solver,
    pub(super) alpha: f64,
    pub(super) batch_size: BatchSize,
    pub(super) learning_rate_init: f64,
    pub(super) max_iter: u32,
    pub(super) shuffle: bool,
    pub(super) tol: f64,
    pub(super) n_iter_no_change: u32,
    pub(super) beta_1: f64,
    pub(super) beta_2: f64,
    pub(super) epsilon: f64,
    pub(super) max_fun: u32,
    pub(super) seed: u64,
}

/// Unvalidated parameters, in linfa's convention; by default scikit-learn's defaults with seed 0.
#[derive(Debug, Clone, PartialEq)]
pub struct MlpParams(MlpValidParams);

impl Default for MlpParams {
    fn default() -> Self {
        Self::read(&Params::new()).expect("the defaults can be read").0
    }
}

impl MlpParams {
    /// Units of each hidden layer, the first next to the features.
    pub fn hidden_layer_sizes(mut self, sizes: &[u32]) -> Self {
        self.0.hidden_layer_sizes = sizes.to_vec();
        self
    }

    /// The activation function of the hidden units.
    pub fn activation(mut self, activation: Activation) -> Self {
        self.0.activation = activation;
        self
    }

    /// The algorithm that minimises the loss.
    pub fn solver(mut self, solver: Solver) -> Self {
        self.0.solver = solver;
        self
    }

    /// Weight of the squared weights in the loss.
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.0.alpha = alpha;
        self
    }

    /// Adam's learning rate.
    pub fn learning_rate_init(mut self, rate: f64) -> Self {
        self.0.learning_rate_init = rate;
        self
    }

    /// The most epochs of Adam or iterations of L-BFGS.
    pub fn max_iter(mut self, max_iter: u32) -> Self {
        self.0.max_iter = max_iter;
        self
    }

    /// The seed of the initial weights and of the order of rows.
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }

    /// Reads the parameters of a grid; also returns them with the defaults filled in.
    pub(crate) fn read(given: &Params) -> Result<(Self, Params), ParamError> {
        let reader = ParamReader::new(FAMILY, PARAMETERS, given)?;
        let hidden_layer_sizes = match reader.get("hidden_layer_sizes")? {
            LayerSizes::Single(size) => vec![size],
            LayerSizes::Several(sizes) => sizes,
        };
        let params = Self(MlpValidParams {
            hidden_layer_sizes,
            activation: reader.get("activation")?,
            solver: reader.get("solver")?,
            alpha: reader.get("alpha")?,
            batch_size: reader.get("batch_size")?,
            learning_rate_init: reader.get("learning_rate_init")?,
            max_iter: reader.get("max_iter")?,
            shuffle: reader.get("shuffle")?,
            tol: reader.get("tol")?,
            n_iter_no_change: reader.get("n_iter_no_change")?,
            beta_1: reader.get("beta_1")?,
            beta_2: reader.get("beta_2")?,
            epsilon: reader.get("epsilon")?,
            max_fun: reader.get("max_fun")?,
            seed: 0,
        });
        Ok((params, reader.completed()))
    }
}

impl ParamGuard for MlpParams {
    type Checked = MlpValidParams;
    type Error = ParamError;

    fn check_ref(&self) -> Result<&MlpValidParams, ParamError> {
        let params = &self.0;
        let is_from_zero = |x: &f64| *x >= 0.0 && x.is_finite();
        let is_above_zero = |x: &f64| *x > 0.0 && x.is_finite();
        require("hidden_layer_sizes", &params.hidden_layer_sizes, |sizes| {
            sizes.iter().all(|units| (1..=MAX_LAYER_UNITS).contains(units))
        })?;
        require("alpha", params.alpha, is_from_zero)?;
        require("batch_size", params.batch_size, |size| *size != BatchSize::Count(0))?;
        require("learning_rate_init", params.learning_rate_init, is_above_zero)?;
        require("max_iter", params.max_iter, |limit| *limit >= 1)?;
        require("tol", params.tol, is_from_zero)?;
        require("n_iter_no_change", params.n_iter_no_change, |epochs| *epochs >= 1)?;
        require("beta_1", params.beta_1, |beta| (0.0..1.0).contains(beta))?;
        require("beta_2", params.beta_2, |beta| (0.0..1.0).contains(beta))?;
        require("epsilon", params.epsilon, is_above_zero)?;
        require("max_fun", params.max_fun, |limit| *limit >= 1)?;
        Ok(params)
    }

    fn check(self) -> Result<MlpValidParams, ParamError> {
        self.check_ref()?;
        Ok(self.0)
    }
}

fn require<T: Serialize>(name: &str, value: T, fits: impl FnOnce(&T) -> bool) -> Result<(), ParamError> {
    if fits(&value) {
        return Ok(());
    }
    let shown = serde_json::to_string(&value).unwrap_or_default();
    Err(bad_value(FAMILY, PARAMETERS, name, shown))
}

impl MlpValidParams {
    /// The canonical parameters: those that the solver does not use are set to their defaults, so that equal parameters
    /// are the same network.
    pub(crate) fn canonical(&self) -> Self {
        let MlpParams(default) = MlpParams::default();
        match self.solver {
            Solver::Adam => Self { max_fun: default.max_fun, ..self.clone() },
            Solver::Lbfgs => Self {
                hidden_layer_sizes: self.hidden_layer_sizes.clone(),
                activation: self.activation,
                solver: self.solver,
                alpha: self.alpha,
                max_iter: self.max_iter,
                tol: self.tol,
                max_fun: self.max_fun,
                seed: self.seed,
                ..default
            },
        }
    }

    /// Whether both use minibatches and draw the same ones from `rows` rows.
    pub(super) fn draws_same_minibatches(&self, other: &Self, rows: usize) -> bool {
        let draws = |params: &Self| (params.solver, params.seed, params.shuffle, params.batch_rows(rows));
        self.solver == Solver::Adam && draws(self) == draws(other)
    }

    /// Whether both cost less when trained in lockstep: they draw the same minibatches however many rows there are, and
    /// need about the same number of epochs.
    pub(crate) fn learns_in_lockstep_with(&self, other: &Self) -> bool {
        self.draws_same_minibatches(other, usize::MAX) && self.learning_rate_init == other.learning_rate_init
    }

    /// The size of a minibatch drawn from `rows` rows.
    pub(super) fn batch_rows(&self, rows: usize) -> usize {
        let batch_rows = match self.batch_size {
            BatchSize::Rule(BatchRule::Auto) => 200,
            BatchSize::Count(count) => count as usize,
        };
        batch_rows.min(rows)
    }

    /// Estimated seconds of one fit on one core. The factors were fitted to measured fits, the numbers of passes to the
    /// epochs and iterations that generated data needed. To check or refit them: `cargo xtask bench search --only ours
    /// --tables mlp` prints measured beside estimated seconds.
    pub(crate) fn seconds(&self, FitSize { rows, features, labels, .. }: FitSize) -> f64 {
        let hidden = self.hidden_layer_sizes.iter().map(|&units| units as usize);
        let units: Vec<usize> = [features].into_iter().chain(hidden).chain([labels]).collect();
        let network = Network::new(&units, self.activation);
        let pass = rows as f64 * network.flops_per_row() * 1.1e-11;
        let parameters = network.parameters as f64 * 1e-9;
        let (passes, update) = match self.solver {
            Solver::Adam => {
                let batches = rows.div_ceil(self.batch_rows(rows).max(1));
                (22.0 + 1.4 / self.learning_rate_init.sqrt(), batches as f64 * (1.5 * parameters + 5e-6))
            }
            Solver::Lbfgs => (40.0, 40.0 * parameters + 2e-5),
        };
        f64::min(passes, f64::from(self.max_iter)) * (pass + update)
    }
}
