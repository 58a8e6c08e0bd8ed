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

/// Checked parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct RidgeValidParams {
    pub(super) alpha: f64,
    pub(super) fit_intercept: bool,
    pub(super) class_weight: Option<WeightRule>,
    /// What `balanced` means, if it was fitted elsewhere.
    pub(super) balanced: Option<Vec<LabelWeights>>,
}

/// Unchecked parameters, by linfa's custom; they begin as scikit-learn's defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct RidgeParams(RidgeValidParams);

impl Default for RidgeParams {
    fn default() -> Self {
        Self(RidgeValidParams { alpha: 1.0, fit_intercept: true, class_weight: None, balanced: None })
    }
}

impl RidgeParams {
    /// What the squares of the coefficients cost.
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.0.alpha = alpha;
        self
    }

    /// Whether a constant is fitted beside the coefficients.
    pub fn fit_intercept(mut self, fit_intercept: bool) -> Self {
        self.0.fit_intercept = fit_intercept;
        self
    }

    /// Weights of the rows from their labels.
    pub fn class_weight(mut self, class_weight: Option<WeightRule>) -> Self {
        self.0.class_weight = class_weight;
        self
    }

    /// Reads what a grid says; also returns every parameter, completed by the defaults.
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
    /// Takes these weights where `balanced` was asked for.
    pub(crate) fn balance_by(&mut self, weights: &[LabelWeights]) {
        if self.class_weight.is_some() {
            self.balanced = Some(weights.to_vec());
        }
    }

    /// Whether both ask for the same equations, but for alpha.
    pub(crate) fn shares_work_with(&self, other: &Self) -> bool {
        let parts = |of: &Self| (of.fit_intercept, of.class_weight, of.balanced.clone());
        parts(self) == parts(other)
    }
}
