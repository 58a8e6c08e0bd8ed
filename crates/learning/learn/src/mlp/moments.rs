//! Adam's running moments and steps (Kingma and Ba 2014).

use std::ops::Range;

use rayon::prelude::*;

use super::MlpValidParams;
use super::activation::vectorised;
use super::panels::PANEL_WIDTH;

/// Parameters with the running moments of their gradient.
pub(super) struct AdamState {
    pub(super) values: Vec<f32>,
    first_moments: Vec<f32>,
    second_moments: Vec<f32>,
}

/// A range of an [`AdamState`].
pub(super) struct AdamSlice<'a> {
    values: &'a mut [f32],
    first_moments: &'a mut [f32],
    second_moments: &'a mut [f32],
}

impl AdamState {
    /// Parameters with these initial values.
    pub(super) fn new(values: &[f64]) -> Self {
        let zeros = || vec![0.0; values.len()];
        Self { values: values.iter().map(|&x| x as f32).collect(), first_moments: zeros(), second_moments: zeros() }
    }

    pub(super) fn slice(&mut self, range: Range<usize>) -> AdamSlice<'_> {
        AdamSlice {
            values: &mut self.values[range.clone()],
            first_moments: &mut self.first_moments[range.clone()],
            second_moments: &mut self.second_moments[range],
        }
    }
}

impl<'a> AdamSlice<'a> {
    /// Split into chunks of a size.
    pub(super) fn chunks(self, size: usize) -> impl IndexedParallelIterator<Item = AdamSlice<'a>> {
        let Self { values, first_moments, second_moments } = self;
        let moments = first_moments.par_chunks_mut(size).zip(second_moments.par_chunks_mut(size));
        values.par_chunks_mut(size).zip(moments).map(|(values, (first_moments, second_moments))| AdamSlice {
            values,
            first_moments,
            second_moments,
        })
    }
}

/// The factors of one step, the same for all parameters of a network.
#[derive(Clone, Copy)]
pub(super) struct AdamStep {
    alpha: f32,
    per_row: f32,
    rate: f32,
    beta_1: f32,
    beta_2: f32,
    epsilon: f32,
}

impl AdamStep {
    /// Step number `steps`, counted from 1, for gradients summed over `rows` rows.
    pub(super) fn new(params: &MlpValidParams, steps: i32, rows: usize) -> Self {
        // The bias corrections of both moments, folded into the rate as in scikit-learn.
        let correction = (1.0 - libm::pow(params.beta_2, f64::from(steps))).sqrt()
            / (1.0 - libm::pow(params.beta_1, f64::from(steps)));
        Self {
            alpha: params.alpha as f32,
            per_row: 1.0 / rows as f32,
            rate: (params.learning_rate_init * correction) as f32,
            beta_1: params.beta_1 as f32,
            beta_2: params.beta_2 as f32,
            // Never 0: for a parameter without gradient it is all there is in the denominator.
            epsilon: (params.epsilon as f32).max(f32::MIN_POSITIVE),
        }
    }

    /// The same step without the penalty, for biases.
    pub(super) fn unpenalised(self) -> Self {
        Self { alpha: 0.0, ..self }
    }

    /// Updates these parameters in one pass. Returns the sum of their squares before the update, which the penalty needs;
    /// 0 without a penalty.
    pub(super) fn apply(
        self,
        AdamSlice { values, first_moments, second_moments }: AdamSlice<'_>,
        gradient: &[f32],
    ) -> f64 {
        let update = |w: &mut f32, m: &mut f32, v: &mut f32, gradient: f32| {
            let gradient = (gradient + self.alpha * *w) * self.per_row;
            *m = flush_to_zero(self.beta_1 * *m + (1.0 - self.beta_1) * gradient);
            *v = self.beta_2 * *v + (1.0 - self.beta_2) * (gradient * gradient);
            *w = flush_to_zero(*w - self.rate * *m / (v.sqrt() + self.epsilon));
        };
        vectorised(
            #[inline(always)]
            || {
                let squares = if self.alpha == 0.0 { 0.0 } else { sum_of_squares(values) };
                let moments = first_moments.iter_mut().zip(second_moments);
                for ((w, (m, v)), gradient) in values.iter_mut().zip(moments).zip(gradient) {
                    update(w, m, v, *gradient);
                }
                squares
            },
        )
    }
}

/// Replaces numbers too small to matter by 0. The penalty shrinks the weights of constant features for ever, and
/// arithmetic with subnormal numbers (below 1.2e-38) is slow on many processors.
#[inline(always)]
fn flush_to_zero(x: f32) -> f32 {
    if x.abs() < 1e-30 { 0.0 } else { x }
}

/// Added in lanes of f32 in a fixed order. That is exact enough for a penalty: a small part of a loss that is only
/// compared with `tol`.
#[inline(always)]
fn sum_of_squares(values: &[f32]) -> f64 {
    let mut lanes = [0.0; PANEL_WIDTH];
    let (lines, rest) = values.as_chunks::<PANEL_WIDTH>();
    for line in lines {
        for lane in 0..PANEL_WIDTH {
            lanes[lane] += line[lane] * line[lane];
        }
    }
    lanes.iter().map(|&sum| f64::from(sum)).sum::<f64>() + rest.iter().map(|&x| f64::from(x * x)).sum::<f64>()
}
