//! Impurity: the mean over labels of what each label's two classes have.

use serde::{Deserialize, Serialize};

/// How impurity is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// 1 − Σ share².
    Gini,
    /// −Σ share log₂ share.
    Entropy,
    /// Another name of [`Criterion::Entropy`].
    LogLoss,
}

/// Summed weight of some rows, and for each label that of the rows which have it.
#[derive(Debug, Clone, Default)]
pub(super) struct Sums {
    pub(super) weight: f64,
    pub(super) with: Vec<f64>,
}

impl Sums {
    pub(super) fn zero(labels: usize) -> Self {
        Self { weight: 0.0, with: vec![0.0; labels] }
    }

    pub(super) fn clear(&mut self) {
        self.weight = 0.0;
        self.with.fill(0.0);
    }

    /// Adds a row of this weight; `with` has that weight for each label of the row and 0 for the others.
    #[inline]
    pub(super) fn add(&mut self, weight: f64, with: &[f64]) {
        self.weight += weight;
        self.with.iter_mut().zip(with).for_each(|(sum, weight)| *sum += weight);
    }

    /// Makes this `all` without `part`.
    #[inline]
    pub(super) fn rest(&mut self, all: &Sums, part: &Sums) {
        self.weight = all.weight - part.weight;
        for (rest, (all, part)) in self.with.iter_mut().zip(all.with.iter().zip(&part.with)) {
            *rest = all - part;
        }
    }
}

impl Criterion {
    /// Impurity of these rows. The arithmetic goes in scikit-learn's order, so that equally good splits stay equal.
    #[inline]
    pub(super) fn impurity(self, sums: &Sums) -> f64 {
        let total: f64 = match self {
            Self::Gini => sums.with.iter().map(|&with| gini(sums.weight, with)).sum(),
            Self::Entropy | Self::LogLoss => sums.with.iter().map(|&with| entropy(sums.weight, with)).sum(),
        };
        total / sums.with.len() as f64
    }
}

#[inline]
fn gini(weight: f64, with: f64) -> f64 {
    let without = weight - with;
    1.0 - (without * without + with * with) / (weight * weight)
}

fn entropy(weight: f64, with: f64) -> f64 {
    // libm's logarithm, because a platform's own may differ from another's in the last bit.
    let part = |of: f64| if of > 0.0 { of / weight * libm::log2(of / weight) } else { 0.0 };
    -(part(weight - with) + part(with))
}
