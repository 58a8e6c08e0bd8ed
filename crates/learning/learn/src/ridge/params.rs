//! Parameters of the ridge classifier.

use linfa::ParamGuard;
use model::search::Params;

use crate::params::{ParamError, ParamReader, Parameter, bad_value};
use crate::tree::{LabelWeights, WeightRule};

const FAMILY: &str = "ridge";

/// The parameters of the family.
pub const PARAMETERS: &[Parameter] = &[
    Parameter { name: "alpha", default: "1.0", allowed: "a number from 0" },
    Parameter { name: "fit_intercept", default: "true", allowed: "true or false" },
    Parameter { name: "class_weight", default: "null", allowed: "none or balanced" },
];

/// Validated parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct RidgeValidParams {
    pub(super) alpha: f64,
    pub(super) fit_intercept: bool,
    pub(super) class_weight: Option<WeightRule>,
    /// The weights that `balanced` stands for, if they were fitted elsewhere.
    pub(super) balanced: Option<Vec<LabelWeights>>,
}

/// Unvalidated parameters, in linfa's convention; by default scikit-learn's.
#[derive(Debug, Clone, PartialEq)]
pub struct RidgeParams(RidgeValidParams);

impl Default for RidgeParams {
    fn default() -> Self {
        Self(RidgeValidParams { alpha: 1.0, fit_intercept: true, class_weight: None, balanced: None })
    }
}

impl RidgeParams {
    /// Weight of the penalty on squared coefficients.
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.0.alpha = alpha;
        self
    }

    /// Whether to fit a constant as well.
    pub fn fit_intercept(mut self, fit_intercept: bool) -> Self {
        self.0.fit_intercept = fit_intercept;
        self
    }

    /// How the labels of a row weight it.
    pub fn class_weight(mut self, class_weight: Option<WeightRule>) -> Self {
        self.0.class_weight = class_weight;
        self
    }

    /// Reads the parameters of a grid; also returns them with the defaults filled in.
    pub(crate) fn read(given: &Params) -> Result<(Self, Params), ParamError> {
        let reader = ParamReader::new(FAMILY, PARAMETERS, given)?;
        let params = Self(RidgeValidParams {
            alpha: reader.get("alpha")?,
            fit_intercept: reader.get("fit_intercept")?,
            class_weight: reader.get("class_weight")?,
            balanced: None,
        });
        Ok((params, reader.completed()))
    }
}

impl ParamGuard for RidgeParams {
    type Checked = RidgeValidParams;
    type Error = ParamError;

    fn check_ref(&self) -> Result<&RidgeValidParams, ParamError> {
        let alpha = self.0.alpha;
        if !(alpha >= 0.0 && alpha.is_finite()) {
            return Err(bad_value(FAMILY, PARAMETERS, "alpha", alpha));
        }
        Ok(&self.0)
    }

    fn check(self) -> Result<RidgeValidParams, ParamError> {
        self.check_ref()?;
        Ok(self.0)
    }
}

impl RidgeValidParams {
    /// Uses these weights where `balanced` was asked for.
    pub(crate) fn balance_by(&mut self, weights: &[LabelWeights]) {
        if self.class_weight.is_some() {
            self.balanced = Some(weights.to_vec());
        }
    }

    /// Whether both have the same normal equations: they differ in alpha at most.
    pub(crate) fn shares_work_with(&self, other: &Self) -> bool {
        let equations = |params: &Self| (params.fit_intercept, params.class_weight, params.balanced.clone());
        equations(self) == equations(other)
    }
}
