//! Class weights: what a row counts for, from its labels.

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

/// How weights are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightRule {
    /// Both classes of a label weigh the same in total. A fit takes the frequencies of the rows it is given; a search
    /// takes those of all training rows, once for all folds.
    Balanced,
}

/// Weights of the two classes of one label.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelWeights {
    /// Of rows without the label.
    #[serde(rename = "0", default = "one")]
    pub without: f64,
    /// Of rows with it.
    #[serde(rename = "1", default = "one")]
    pub with: f64,
}

fn one() -> f64 {
    1.0
}

impl ClassWeight {
    pub(super) fn fits(&self) -> bool {
        let fits = |weight: f64| weight >= 0.0 && weight.is_finite();
        match self {
            Self::Rule(_) => true,
            Self::PerLabel(labels) => labels.iter().all(|label| fits(label.without) && fits(label.with)),
        }
    }

    /// The weight of each row: the product over its labels.
    pub(super) fn of_rows(&self, labels: ArrayView2<'_, bool>) -> Result<Vec<f64>, String> {
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
        let weight = |(has, of): (&bool, &LabelWeights)| if *has { of.with } else { of.without };
        let mut of_rows: Vec<f64> =
            labels.rows().into_iter().map(|row| row.iter().zip(weights).map(weight).product()).collect();
        if !of_rows.iter().sum::<f64>().is_finite() {
            return Err(
                "class_weight is too large: the weights of the rows, products over their labels, overflow".into()
            );
        }
        // Only their ratios count. A power of two changes none of them, and keeps products of many labels from vanishing.
        let (_, exponent) = libm::frexp(of_rows.iter().copied().fold(0.0, f64::max));
        if exponent.abs() > 400 {
            of_rows.iter_mut().for_each(|weight| *weight = libm::ldexp(*weight, -exponent));
        }
        Ok(of_rows)
    }
}

/// scikit-learn's `balanced`: n / (classes × rows of the class), where a label that all rows or none have is one class.
pub fn balanced_weights(labels: ArrayView2<'_, bool>) -> Vec<LabelWeights> {
    let n = labels.nrows() as f64;
    let of_label = |column: ndarray::ArrayView1<'_, bool>| {
        let with = column.iter().filter(|has| **has).count() as f64;
        if with == 0.0 || with == n {
            return LabelWeights { without: 1.0, with: 1.0 };
        }
        LabelWeights { without: n / (2.0 * (n - with)), with: n / (2.0 * with) }
    };
    labels.columns().into_iter().map(of_label).collect()
}
