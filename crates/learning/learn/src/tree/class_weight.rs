//! Class weights: the weight of a row as the product over its labels.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

/// scikit-learn's `class_weight` for several labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ClassWeight {
    /// From the frequencies of the labels.
    Rule(WeightRule),
    /// Given, in the order of the labels.
    PerLabel(Vec<LabelWeights>),
}

/// How weights follow from label frequencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightRule {
    /// Both classes of a label get the same total weight. A fit takes the frequencies of the rows it is given; a search
    /// takes those of all training rows, once for all folds.
    Balanced,
}

/// Weights of the two classes of one label.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelWeights {
    /// Weight of rows without the label.
    #[serde(rename = "0", default = "unit_weight")]
    pub without: f64,
    /// Weight of rows with the label.
    #[serde(rename = "1", default = "unit_weight")]
    pub with: f64,
}

fn unit_weight() -> f64 {
    1.0
}

impl ClassWeight {
    pub(super) fn is_valid(&self) -> bool {
        let is_valid = |weight: f64| weight >= 0.0 && weight.is_finite();
        match self {
            Self::Rule(_) => true,
            Self::PerLabel(labels) => labels.iter().all(|label| is_valid(label.without) && is_valid(label.with)),
        }
    }

    /// The weight of each row: the product over its labels.
    pub(super) fn row_weights(&self, labels: ArrayView2<'_, bool>) -> Result<Vec<f64>, String> {
        let balanced;
        let weights = match self {
            Self::Rule(WeightRule::Balanced) => {
                balanced = balanced_weights(labels);
                &balanced
            }
            Self::PerLabel(weights) => weights,
        };
        if weights.len() != labels.ncols() {
            return Err(format!(
                "class_weight is a list for {} labels and there are {}",
                weights.len(),
                labels.ncols()
            ));
        }
        let weight = |(has, label): (&bool, &LabelWeights)| if *has { label.with } else { label.without };
        let mut row_weights: Vec<f64> =
            labels.rows().into_iter().map(|row| row.iter().zip(weights).map(weight).product()).collect();
        if !row_weights.iter().sum::<f64>().is_finite() {
            return Err(
                "class_weight is too large: the weights of the rows, products over their labels, overflow".into()
            );
        }
        // Only ratios matter. Scaling by a power of two changes none, and keeps products over many labels from underflowing.
        let (_, exponent) = libm::frexp(row_weights.iter().copied().fold(0.0, f64::max));
        if exponent.abs() > 400 {
            row_weights.iter_mut().for_each(|weight| *weight = libm::ldexp(*weight, -exponent));
        }
        Ok(row_weights)
    }
}

/// scikit-learn's `balanced`: n / (classes × rows of the class). A label that all rows or none have is a single class.
pub fn balanced_weights(labels: ArrayView2<'_, bool>) -> Vec<LabelWeights> {
    let n = labels.nrows() as f64;
    let label_weights = |column: ndarray::ArrayView1<'_, bool>| {
        let with = column.iter().filter(|has| **has).count() as f64;
        if with == 0.0 || with == n {
            return LabelWeights { without: 1.0, with: 1.0 };
        }
        LabelWeights { without: n / (2.0 * (n - with)), with: n / (2.0 * with) }
    };
    labels.columns().into_iter().map(label_weights).collect()
}
