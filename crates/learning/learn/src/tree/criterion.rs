//! Impurity criteria of a node with several labels: the mean over labels of each label's two-class impurity.

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

impl Criterion {
    /// The criterion without its second name.
    pub(super) fn canonical(self) -> Self {
        match self {
            Self::LogLoss => Self::Entropy,
            other => other,
        }
    }

    /// The impurity of rows with this total weight; `label_weights` are the weights of the rows with each label.
    pub(super) fn impurity(self, weight: f64, label_weights: &[f64]) -> f64 {
        let label_impurities = label_weights.iter().map(|&with| self.label_impurity(weight, weight - with, with));
        label_impurities.sum::<f64>() / label_weights.len() as f64
    }

    /// The impurity of one label, from the total weight and that of the rows without it and with it.
    #[inline(always)]
    pub(super) fn label_impurity(self, weight: f64, without: f64, with: f64) -> f64 {
        match self {
            Self::Gini => 1.0 - (without * without + with * with) / (weight * weight),
            Self::Entropy | Self::LogLoss => {
                // libm's logarithm, because those of platforms differ in the last bit.
                let term = |class: f64| if class > 0.0 { class / weight * libm::log2(class / weight) } else { 0.0 };
                -(term(without) + term(with))
            }
        }
    }
}

/// Impurity × weight of one label on one side of a split; `inverse` is 1 / (`with` + `without`). Splits of a node compare by
/// its sum over sides and labels. Gini's factor 2 is left out.
#[inline(always)]
pub(super) fn weighted_impurity<const ENTROPY: bool>(with: f32, without: f32, inverse: f32) -> f32 {
    if ENTROPY { -(with * log2(with * inverse) + without * log2(without * inverse)) } else { with * without * inverse }
}

/// Binary logarithm, finite at 0. The coefficients are a minimax polynomial of log2(1 + f) / f between √½ and √2, with a
/// relative error below 4e-7 (a Remez fit of degree 7 finds them again). Every operation has one rounding, so all machines
/// compute the same bits.
#[inline(always)]
#[allow(clippy::excessive_precision, reason = "enough digits to name one f32")]
fn log2(x: f32) -> f32 {
    /// The bits of √½.
    const SQRT_HALF_BITS: i32 = 0x3f35_04f3;
    let bits = x.to_bits() as i32;
    let exponent = (bits.wrapping_sub(SQRT_HALF_BITS)) >> 23;
    let f = f32::from_bits(bits.wrapping_sub(exponent << 23) as u32) - 1.0;
    let mut p = -0.145_812_18;
    p = f32::mul_add(p, f, 0.234_043_08);
    p = f32::mul_add(p, f, -0.248_877);
    p = f32::mul_add(p, f, 0.287_098_62);
    p = f32::mul_add(p, f, -0.360_239_62);
    p = f32::mul_add(p, f, 0.480_923_24);
    p = f32::mul_add(p, f, -0.721_352_8);
    p = f32::mul_add(p, f, 1.442_694_9);
    f32::mul_add(p, f, exponent as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log2_is_close_to_the_exact_logarithm() {
        for step in 1..=10_000 {
            let x = step as f32 / 10_000.0;
            assert!((f64::from(log2(x)) - libm::log2(f64::from(x))).abs() < 1e-6, "{x}: {}", log2(x));
        }
        assert_eq!((log2(1.0), log2(0.25)), (0.0, -2.0));
        assert!(log2(0.0).is_finite());
    }

    #[test]
    fn weighted_impurities_are_impurities_times_weight() {
        for (with, without) in [(3.0, 5.0), (0.0, 4.0), (2.0, 0.0), (1e6, 1.0)] {
            let weight = with + without;
            let inverse = 1.0 / weight as f32;
            for (criterion, weighted_impurity) in [
                (Criterion::Gini, 2.0 * weighted_impurity::<false>(with as f32, without as f32, inverse)),
                (Criterion::Entropy, weighted_impurity::<true>(with as f32, without as f32, inverse)),
            ] {
                let exact = criterion.impurity(weight, &[with]) * weight;
                assert!(
                    (f64::from(weighted_impurity) - exact).abs() <= 1e-6 * weight,
                    "{criterion:?} {with} {without}"
                );
            }
        }
    }
}
