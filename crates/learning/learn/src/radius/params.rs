//! Parameters of radius neighbours.

use linfa::ParamGuard;
use model::search::Params;
use serde::{Deserialize, Serialize};

use crate::distance::{Algorithm, Distance, Metric, VoteWeights};
use crate::params::{ParamError, ParamReader, Parameter, bad_value};

const FAMILY: &str = "radius";

/// The parameters of the family.
pub const PARAMETERS: &[Parameter] = &[
    Parameter { name: "radius", default: "1.0", allowed: "a number from 0" },
    Parameter { name: "weights", default: "\"uniform\"", allowed: "uniform or distance" },
    Parameter { name: "algorithm", default: "\"auto\"", allowed: "auto, ball_tree, kd_tree or brute" },
    Parameter { name: "leaf_size", default: "30", allowed: "an integer from 1" },
    Parameter { name: "p", default: "2", allowed: "a number above 0" },
    Parameter { name: "metric", default: "\"minkowski\"", allowed: "minkowski, euclidean, manhattan or cosine" },
    Parameter { name: "outlier_label", default: "null", allowed: "none or most_frequent" },
];

/// The labels of a row without neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutlierLabel {
    /// Every label that more than half of the training rows have.
    MostFrequent,
}

/// Validated parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct RadiusValidParams {
    pub(super) radius: f64,
    pub(super) weights: VoteWeights,
    pub(super) algorithm: Algorithm,
    leaf_size: u32,
    p: f64,
    metric: Metric,
    pub(super) outlier_label: Option<OutlierLabel>,
}

/// Unvalidated parameters, in linfa's convention; by default scikit-learn's.
#[derive(Debug, Clone, PartialEq)]
pub struct RadiusParams(RadiusValidParams);

impl Default for RadiusParams {
    fn default() -> Self {
        Self(RadiusValidParams {
            radius: 1.0,
            weights: VoteWeights::Uniform,
            algorithm: Algorithm::Auto,
            leaf_size: 30,
            p: 2.0,
            metric: Metric::Minkowski,
            outlier_label: None,
        })
    }
}

impl RadiusParams {
    /// How far away a neighbour may be.
    pub fn radius(mut self, radius: f64) -> Self {
        self.0.radius = radius;
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

    /// The labels of a row without neighbours; with `None` such a row is an error.
    pub fn outlier_label(mut self, outlier_label: Option<OutlierLabel>) -> Self {
        self.0.outlier_label = outlier_label;
        self
    }

    /// Reads the parameters of a grid; also returns them with the defaults filled in.
    pub(crate) fn read(given: &Params) -> Result<(Self, Params), ParamError> {
        let reader = ParamReader::new(FAMILY, PARAMETERS, given)?;
        let params = Self(RadiusValidParams {
            radius: reader.get("radius")?,
            weights: reader.get("weights")?,
            algorithm: reader.get("algorithm")?,
            leaf_size: reader.get("leaf_size")?,
            p: reader.get("p")?,
            metric: reader.get("metric")?,
            outlier_label: reader.get("outlier_label")?,
        });
        Ok((params, reader.completed()))
    }
}

impl ParamGuard for RadiusParams {
    type Checked = RadiusValidParams;
    type Error = ParamError;

    fn check_ref(&self) -> Result<&RadiusValidParams, ParamError> {
        let RadiusValidParams { radius, leaf_size, p, .. } = self.0;
        if !(radius >= 0.0 && radius.is_finite()) {
            return Err(bad_value(FAMILY, PARAMETERS, "radius", radius));
        }
        if leaf_size == 0 {
            return Err(bad_value(FAMILY, PARAMETERS, "leaf_size", leaf_size));
        }
        if !(p > 0.0 && p.is_finite()) {
            return Err(bad_value(FAMILY, PARAMETERS, "p", p));
        }
        Ok(&self.0)
    }

    fn check(self) -> Result<RadiusValidParams, ParamError> {
        self.check_ref()?;
        Ok(self.0)
    }
}

impl RadiusValidParams {
    /// The distance that metric and `p` define.
    pub fn distance(&self) -> Distance {
        self.metric.distance(self.p)
    }
}
