//! Activation functions and the log loss, over whole layers.
//!
//! They consist of +, −, ×, ÷ and comparisons only, so that the compiler vectorises their loops and every machine gives
//! the same bits, with or without fused multiply-add.

use serde::{Deserialize, Serialize};

/// The activation function of the hidden units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// x.
    Identity,
    /// 1 / (1 + e^−x).
    Logistic,
    /// tanh x.
    Tanh,
    /// max(x, 0).
    Relu,
}

impl Activation {
    /// Applies the function to the sums of a layer, in place.
    pub(super) fn apply(self, sums: &mut [f32]) {
        match self {
            Self::Identity => {}
            Self::Logistic => map_in_place(sums, logistic),
            Self::Tanh => map_in_place(sums, tanh),
            // Written so that NaN stays NaN.
            Self::Relu => map_in_place(sums, |x| if x < 0.0 { 0.0 } else { x }),
        }
    }

    /// Multiplies the gradient by the derivative, which is a function of the units' values.
    pub(super) fn derive(self, values: &[f32], gradient: &mut [f32]) {
        match self {
            Self::Identity => {}
            Self::Logistic => zip_in_place(values, gradient, |value, gradient| gradient * (value * (1.0 - value))),
            Self::Tanh => zip_in_place(values, gradient, |value, gradient| gradient * (1.0 - value * value)),
            Self::Relu => zip_in_place(values, gradient, |value, gradient| if value == 0.0 { 0.0 } else { gradient }),
        }
    }
}

/// Probabilities of the last layer's sums, in place.
pub(super) fn probabilities(sums: &mut [f32]) {
    map_in_place(sums, logistic);
}

/// The log loss of the logistic outputs against the truth (1 or 0). Replaces each sum by its loss and writes the
/// derivative by the sum, p − truth, to `gradient`. As scikit-learn does in f64, the loss clips p to between ε and 1 − ε.
pub(super) fn log_loss(sums: &mut [f32], truth: &[f32], gradient: &mut [f32]) {
    const MIN_LOSS: f32 = f64::EPSILON as f32;
    const MAX_LOSS: f32 = 36.043_65; // −ln ε
    zip_in_place(sums, gradient, |sum, _| logistic(sum));
    zip_in_place(truth, gradient, |truth, probability| probability - truth);
    zip_in_place(truth, sums, |truth, sum| {
        let wrong = if truth > 0.0 { -sum } else { sum };
        let loss = softplus(wrong);
        let loss = if loss < MIN_LOSS { MIN_LOSS } else { loss };
        if loss > MAX_LOSS { MAX_LOSS } else { loss }
    });
}

/// Runs a loop with the widest vectors of this machine.
#[inline(always)]
pub(super) fn vectorised<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}

#[inline(always)]
fn map_in_place(values: &mut [f32], function: impl Fn(f32) -> f32) {
    vectorised(
        #[inline(always)]
        || values.iter_mut().for_each(|value| *value = function(*value)),
    );
}

#[inline(always)]
fn zip_in_place(left: &[f32], right: &mut [f32], function: impl Fn(f32, f32) -> f32) {
    vectorised(
        #[inline(always)]
        || left.iter().zip(right).for_each(|(left, right)| *right = function(*left, *right)),
    );
}

/// 1 / (1 + e^−x), off by less than 2e-7 of its value.
#[inline(always)]
fn logistic(x: f32) -> f32 {
    let exponential = exp_of_negative(-x.abs());
    let numerator = if x < 0.0 { exponential } else { 1.0 };
    numerator / (1.0 + exponential)
}

/// tanh, off by less than 2e-7 of its value; near 0 the polynomial of Cephes' `tanhf` (Moshier).
#[inline(always)]
fn tanh(x: f32) -> f32 {
    let square = x * x;
    let series = -5.704_988_7e-3 * square + 2.063_909e-2;
    let series = series * square - 5.373_971_6e-2;
    let series = series * square + 1.333_144_2e-1;
    let series = series * square - 3.333_328e-1;
    let near = series * square * x + x;
    let exponential = exp_of_negative(-2.0 * x.abs());
    let far = (1.0 - exponential) / (1.0 + exponential);
    if x.abs() < 0.625 { near } else { far.copysign(x) }
}

/// ln(1 + e^x) = max(x, 0) + ln(1 + t) with t = e^−|x|, off by less than 3e-7 of its value. The logarithm is
/// 2 artanh(t / (2 + t)), whose series converges fast, as its argument is at most 1/3.
#[inline(always)]
fn softplus(x: f32) -> f32 {
    let exponential = exp_of_negative(-x.abs());
    let s = exponential / (2.0 + exponential);
    let square = s * s;
    let series = 1.0 / 15.0 * square + 1.0 / 13.0;
    let series = series * square + 1.0 / 11.0;
    let series = series * square + 1.0 / 9.0;
    let series = series * square + 1.0 / 7.0;
    let series = series * square + 1.0 / 5.0;
    let series = series * square + 1.0 / 3.0;
    let logarithm = 2.0 * (series * square * s + s);
    if x > 0.0 { x + logarithm } else { logarithm }
}

/// e^x for x from −87 to 0, off by less than 2e-7 of its value; below −87 it is e^−87 (1.6e-38). The reduction and the
/// polynomial are those of Cephes' `expf` (Moshier).
#[inline(always)]
fn exp_of_negative(x: f32) -> f32 {
    /// 1.5 × 2²³: adding it to a small number leaves the nearest integer in the last bits.
    const ROUND: f32 = 12_582_912.0;
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let power = shifted - ROUND;
    let rest = x - power * 0.693_359_4 + power * 2.121_944_4e-4;
    let series = 1.987_569_1e-4 * rest + 1.398_2e-3;
    let series = series * rest + 8.333_452e-3;
    let series = series * rest + 4.166_579_6e-2;
    let series = series * rest + 1.666_666_5e-1;
    let series = series * rest + 0.5;
    let fraction = series * (rest * rest) + rest + 1.0;
    fraction * f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(ours: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64, most: f64) {
        for step in -870_000_i32..=870_000 {
            let x = step as f32 * 1e-4;
            let (got, want) = (f64::from(ours(x)), exact(f64::from(x)));
            assert!((got - want).abs() <= most * want.abs(), "{x}: {got} and {want}");
        }
    }

    #[test]
    fn the_functions_are_as_exact_as_they_say() {
        assert_close(|x| exp_of_negative(-x.abs()), |x| libm::exp(-x.abs()), 2e-7);
        assert_close(logistic, |x| 1.0 / (1.0 + libm::exp(-x)), 2e-7);
        assert_close(tanh, libm::tanh, 2e-7);
        assert_close(softplus, |x| x.max(0.0) + libm::log1p(libm::exp(-x.abs())), 3e-7);
    }

    #[test]
    fn nan_stays_nan_and_infinities_saturate() {
        assert!([logistic, tanh, softplus].iter().all(|function| function(f32::NAN).is_nan()));
        let mut values = [f32::NAN];
        Activation::Relu.apply(&mut values);
        assert!(values[0].is_nan());
        assert_eq!((logistic(f32::INFINITY), tanh(f32::NEG_INFINITY)), (1.0, -1.0));
    }

    #[test]
    fn the_loss_is_scikit_learns_and_its_gradient_is_p_minus_truth() {
        let (mut sums, truth) = ([2.0, -1.0, 90.0, -90.0], [1.0, 1.0, 0.0, 0.0]);
        let mut gradient = [0.0; 4];
        log_loss(&mut sums, &truth, &mut gradient);
        let loss = sums.iter().map(|&loss| f64::from(loss)).sum::<f64>();
        let exact = libm::log1p(libm::exp(-2.0)) + libm::log1p(libm::exp(1.0)) - libm::log(f64::EPSILON);
        assert!((loss - exact).abs() < 1e-5, "{loss} and {exact}");
        let expected = [-0.119_202_92, -0.731_058_6, 1.0, 0.0];
        assert!(gradient.iter().zip(expected).all(|(g, e): (&f32, f32)| (g - e).abs() < 1e-6), "{gradient:?}");
    }
}
