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

impl Criterion {
    /// The same criterion by its first name.
    pub(super) fn canonical(self) -> Self {
        match self {
            Self::LogLoss => Self::Entropy,
            other => other,
        }
    }

    /// Impurity of rows of this summed weight, of which those with each label weigh `with`.
    pub(super) fn impurity(self, weight: f64, with: &[f64]) -> f64 {
        with.iter().map(|&with| self.of_label(weight, weight - with, with)).sum::<f64>() / with.len() as f64
    }

    /// What one label contributes to the mean, where the rows without it and those with it weigh so much.
    #[inline(always)]
    pub(super) fn of_label(self, weight: f64, without: f64, with: f64) -> f64 {
        match self {
            Self::Gini => 1.0 - (without * without + with * with) / (weight * weight),
            Self::Entropy | Self::LogLoss => {
                // libm's logarithm, because a platform's own may differ from another's in the last bit.
                let part = |of: f64| if of > 0.0 { of / weight * libm::log2(of / weight) } else { 0.0 };
                -(part(without) + part(with))
            }
        }
    }
}

/// Impurity times weight of one label on one side of a split, where the classes weigh `with` and `without` and `inverse`
/// is 1 over their sum. Splits of a node are compared by its sum over sides and labels; gini's factor 2 is left out.
#[inline(always)]
pub(super) fn mass<const ENTROPY: bool>(with: f32, without: f32, inverse: f32) -> f32 {
    if ENTROPY { -(with * log2(with * inverse) + without * log2(without * inverse)) } else { with * without * inverse }
}

/// Binary logarithm (Cephes' `logf`; error within 2e-7 of it), finite at 0. Only +, − and ×, so that every machine gets the same bits.
#[inline(always)]
#[allow(clippy::excessive_precision, reason = "the coefficients as they were published")]
fn log2(x: f32) -> f32 {
    const ROOT_OF_HALF: i32 = 0x3f35_04f3;
    let bits = x.to_bits() as i32;
    let exponent = (bits.wrapping_sub(ROOT_OF_HALF)) >> 23;
    let f = f32::from_bits(bits.wrapping_sub(exponent << 23) as u32) - 1.0;
    let mut p = 7.037_683_629_2e-2;
    p = p * f - 1.151_461_031_0e-1;
    p = p * f + 1.167_699_874_0e-1;
    p = p * f - 1.242_014_084_6e-1;
    p = p * f + 1.424_932_278_7e-1;
    p = p * f - 1.666_805_766_5e-1;
    p = p * f + 2.000_071_476_5e-1;
    p = p * f - 2.499_999_399_3e-1;
    p = p * f + 3.333_333_117_4e-1;
    let natural = f + (p * f * f * f - 0.5 * f * f);
    natural * std::f32::consts::LOG2_E + exponent as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_one() {
        for step in 1..=10_000 {
            let x = step as f32 / 10_000.0;
            assert!((f64::from(log2(x)) - libm::log2(f64::from(x))).abs() < 2e-6, "{x}: {}", log2(x));
        }
        assert_eq!((log2(1.0), log2(0.25)), (0.0, -2.0));
        assert!(log2(0.0).is_finite());
    }

    #[test]
    fn masses_are_impurities_times_weight() {
        for (with, without) in [(3.0, 5.0), (0.0, 4.0), (2.0, 0.0), (1e6, 1.0)] {
            let weight = with + without;
            let inverse = 1.0 / weight as f32;
            for (criterion, mass) in [
                (Criterion::Gini, 2.0 * mass::<false>(with as f32, without as f32, inverse)),
                (Criterion::Entropy, mass::<true>(with as f32, without as f32, inverse)),
            ] {
                let exact = criterion.impurity(weight, &[with]) * weight;
                assert!((f64::from(mass) - exact).abs() <= 1e-6 * weight, "{criterion:?} {with} {without}");
            }
        }
    }
}
