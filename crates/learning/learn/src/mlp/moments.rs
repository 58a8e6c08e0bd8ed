//! Adam's running moments and steps (Kingma and Ba 2014).

use std::ops::Range;

use rayon::prelude::*;

use super::MlpValidParams;
use super::activation::vectorised;
use super::panels::WIDTH;

/// Parameters with the running moments of their gradient.
pub(super) struct Moving {
    pub(super) values: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
}

/// Some of them.
pub(super) struct Slice<'a> {
    values: &'a mut [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
}

impl Moving {
    /// Parameters that start from these values.
    pub(super) fn new(values: &[f64]) -> Self {
        let zeros = || vec![0.0; values.len()];
        Self { values: values.iter().map(|&x| x as f32).collect(), first: zeros(), second: zeros() }
    }

    pub(super) fn slice(&mut self, range: Range<usize>) -> Slice<'_> {
        Slice {
            values: &mut self.values[range.clone()],
            first: &mut self.first[range.clone()],
            second: &mut self.second[range],
        }
    }
}

impl<'a> Slice<'a> {
    /// Cut into chunks of a size.
    pub(super) fn chunks(self, size: usize) -> impl IndexedParallelIterator<Item = Slice<'a>> {
        let Self { values, first, second } = self;
        let moments = first.par_chunks_mut(size).zip(second.par_chunks_mut(size));
        values.par_chunks_mut(size).zip(moments).map(|(values, (first, second))| Slice { values, first, second })
    }
}

/// What all parameters of a network need in one step.
#[derive(Clone, Copy)]
pub(super) struct Step {
    alpha: f32,
    per_row: f32,
    rate: f32,
    beta_1: f32,
    beta_2: f32,
    epsilon: f32,
}

impl Step {
    /// Step number `steps`, from 1, by gradients summed over `rows` rows.
    pub(super) fn new(params: &MlpValidParams, steps: i32, rows: usize) -> Self {
        // The corrections of both moments' bias, folded into the rate as in scikit-learn.
        let correction = (1.0 - libm::pow(params.beta_2, f64::from(steps))).sqrt()
            / (1.0 - libm::pow(params.beta_1, f64::from(steps)));
        Self {
            alpha: params.alpha as f32,
            per_row: 1.0 / rows as f32,
            rate: (params.learning_rate_init * correction) as f32,
            beta_1: params.beta_1 as f32,
            beta_2: params.beta_2 as f32,
            // Never 0: a parameter without gradient has 0 above it.
            epsilon: (params.epsilon as f32).max(f32::MIN_POSITIVE),
        }
    }

    /// The same without a penalty.
    pub(super) fn unpenalised(self) -> Self {
        Self { alpha: 0.0, ..self }
    }

    /// Updates these parameters in one pass; returns the sum of their squares before, 0 without a penalty, which it is for.
    pub(super) fn take(self, Slice { values, first, second }: Slice<'_>, gradient: &[f32]) -> f64 {
        let update = |w: &mut f32, m: &mut f32, v: &mut f32, gradient: f32| {
            let gradient = (gradient + self.alpha * *w) * self.per_row;
            *m = settled(self.beta_1 * *m + (1.0 - self.beta_1) * gradient);
            *v = self.beta_2 * *v + (1.0 - self.beta_2) * (gradient * gradient);
            *w = settled(*w - self.rate * *m / (v.sqrt() + self.epsilon));
        };
        vectorised(
            #[inline(always)]
            || {
                let squares = if self.alpha == 0.0 { 0.0 } else { sum_of_squares(values) };
                let moments = first.iter_mut().zip(second);
                for ((w, (m, v)), gradient) in values.iter_mut().zip(moments).zip(gradient) {
                    update(w, m, v, *gradient);
                }
                squares
            },
        )
    }
}

/// What is too small to matter is 0. The penalty shrinks the weights of constant features without end, and arithmetic
/// with denormal numbers is slow on many processors.
#[inline(always)]
fn settled(x: f32) -> f32 {
    if x.abs() < 1e-30 { 0.0 } else { x }
}

/// In lanes of f32, added in a fixed order: enough for a penalty, which is a small part of a loss that is compared with
/// `tol`.
#[inline(always)]
fn sum_of_squares(values: &[f32]) -> f64 {
    let mut lanes = [0.0; WIDTH];
    let (lines, rest) = values.as_chunks::<WIDTH>();
    for line in lines {
        for lane in 0..WIDTH {
            lanes[lane] += line[lane] * line[lane];
        }
    }
    lanes.iter().map(|&sum| f64::from(sum)).sum::<f64>() + rest.iter().map(|&x| f64::from(x * x)).sum::<f64>()
}
