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

/// Binary logarithm (a minimax polynomial of log2(1 + f) / f; relative error below 4e-7), finite at 0. Every step is
/// rounded in one way, so that all machines get the same bits.
#[inline(always)]
#[allow(clippy::excessive_precision, reason = "enough digits to name one f32")]
fn log2(x: f32) -> f32 {
    const ROOT_OF_HALF: i32 = 0x3f35_04f3;
    let bits = x.to_bits() as i32;
    let exponent = (bits.wrapping_sub(ROOT_OF_HALF)) >> 23;
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
    fn the_logarithm_is_one() {
        for step in 1..=10_000 {
            let x = step as f32 / 10_000.0;
            assert!((f64::from(log2(x)) - libm::log2(f64::from(x))).abs() < 1e-6, "{x}: {}", log2(x));
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
