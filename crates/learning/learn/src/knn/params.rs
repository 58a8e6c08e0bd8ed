//! Parameters of k nearest neighbours.

use linfa::ParamGuard;
use model::search::Params;

use crate::distance::{Algorithm, Distance, Metric, VoteWeights};
use crate::params::{ParamError, ParamReader, Parameter, bad_value};

const FAMILY: &str = "knn";

/// The parameters of the family.
pub const PARAMETERS: &[Parameter] = &[
    Parameter { name: "n_neighbors", default: "5", allowed: "an integer from 1" },
    Parameter { name: "weights", default: "\"uniform\"", allowed: "uniform or distance" },
    Parameter { name: "algorithm", default: "\"auto\"", allowed: "auto, ball_tree, kd_tree or brute" },
    Parameter { name: "leaf_size", default: "30", allowed: "an integer from 1" },
    Parameter { name: "p", default: "2", allowed: "a number above 0" },
    Parameter { name: "metric", default: "\"minkowski\"", allowed: "minkowski, euclidean, manhattan or cosine" },
];

/// Validated parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct KnnValidParams {
    pub(super) n_neighbors: u32,
    pub(super) weights: VoteWeights,
    pub(super) algorithm: Algorithm,
    leaf_size: u32,
    p: f64,
    metric: Metric,
}

/// Unvalidated parameters, in linfa's convention; by default scikit-learn's.
#[derive(Debug, Clone, PartialEq)]
pub struct KnnParams(KnnValidParams);

impl Default for KnnParams {
    fn default() -> Self {
        Self(KnnValidParams {
            n_neighbors: 5,
            weights: VoteWeights::Uniform,
            algorithm: Algorithm::Auto,
            leaf_size: 30,
            p: 2.0,
            metric: Metric::Minkowski,
        })
    }
}

impl KnnParams {
    /// How many neighbours vote.
    pub fn n_neighbors(mut self, n_neighbors: u32) -> Self {
        self.0.n_neighbors = n_neighbors;
        self
    }

    /// How much each neighbour's vote weighs.
    pub fn weights(mut self, weights: VoteWeights) -> Self {
        self.0.weights = weights;
        self
    }

    /// The metric of the distances.
    pub fn metric(mut self, metric: Metric) -> Self {
        self.0.metric = metric;
        self
    }

    /// The power of the Minkowski metric.
    pub fn p(mut self, p: f64) -> Self {
        self.0.p = p;
        self
    }

    /// Reads the parameters of a grid; also returns them with the defaults filled in.
    pub(crate) fn read(given: &Params) -> Result<(Self, Params), ParamError> {
        let reader = ParamReader::new(FAMILY, PARAMETERS, given)?;
        let params = Self(KnnValidParams {
            n_neighbors: reader.get("n_neighbors")?,
            weights: reader.get("weights")?,
            algorithm: reader.get("algorithm")?,
            leaf_size: reader.get("leaf_size")?,
            p: reader.get("p")?,
            metric: reader.get("metric")?,
        });
        Ok((params, reader.completed()))
    }
}

impl ParamGuard for KnnParams {
    type Checked = KnnValidParams;
    type Error = ParamError;

    fn check_ref(&self) -> Result<&KnnValidParams, ParamError> {
        let KnnValidParams { n_neighbors, leaf_size, p, .. } = self.0;
        if n_neighbors == 0 {
            return Err(bad_value(FAMILY, PARAMETERS, "n_neighbors", n_neighbors));
        }
        if leaf_size == 0 {
            return Err(bad_value(FAMILY, PARAMETERS, "leaf_size", leaf_size));
        }
        if !(p > 0.0 && p.is_finite()) {
            return Err(bad_value(FAMILY, PARAMETERS, "p", p));
        }
        Ok(&self.0)
    }

    fn check(self) -> Result<KnnValidParams, ParamError> {
        self.check_ref()?;
        Ok(self.0)
    }
}

impl KnnValidParams {
    /// The distance that metric and `p` define.
    pub fn distance(&self) -> Distance {
        self.metric.distance(self.p)
    }

    /// The canonical parameters: those that change no result are set to their defaults.
    pub(crate) fn canonical(&self) -> Self {
        let distance = self.distance();
        let algorithm = if self.algorithm.allows(distance).is_ok() { Algorithm::Auto } else { self.algorithm };
        let p = if self.metric == Metric::Minkowski { self.p } else { 2.0 };
        Self { algorithm, leaf_size: 30, p, ..self.clone() }
    }
}
