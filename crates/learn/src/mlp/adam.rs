//! Adam (Kingma and Ba 2014), with scikit-learn's minibatches and stopping rule.

use ndarray::{Array2, ArrayView1, s};
use rayon::prelude::*;

use super::activation::vectorised;
use super::data::Data;
use super::network::{Network, Pass};
use super::{Fitted, MlpValidParams, not_finite};
use crate::random::{Path, Pool};

/// Parameters that one task updates.
const CHUNK: usize = 1 << 14;

/// Fits from these first parameters.
pub(super) fn fit(params: &MlpValidParams, network: &Network, data: &Data, first: &[f64]) -> Result<Fitted, String> {
    let n = data.rows();
    let batch = params.batch(n);
    let mut sides = [Side::new(network, data, batch), Side::new(network, data, batch)];
    let mut optimizer = Optimizer::new(params, network, first);
    let (mut order, mut pool): (Vec<u32>, Pool) = ((0..n as u32).collect(), Pool::new(n));
    let (mut losses, mut best, mut unimproved) = (Vec::new(), f64::INFINITY, 0);
    for epoch in 1..=params.max_iter {
        if params.shuffle {
            order.clear();
            pool.begin(Path::root(params.seed, u64::from(epoch)));
            order.extend(std::iter::from_fn(|| pool.next()));
        }
        let mut loss = 0.0;
        for rows in order.chunks(batch) {
            // Always the same halves, so that the sums are the same for any number of threads.
            let (left, right) = rows.split_at(rows.len().div_ceil(2));
            let [a, b] = &mut sides;
            let parameters = &optimizer.parameters;
            let both =
                rayon::join(|| a.learn(network, parameters, data, left), || b.learn(network, parameters, data, right));
            loss += both.0 + both.1 + optimizer.step([&a.pass.gradient, &b.pass.gradient], rows.len());
        }
        let loss = loss / n as f64;
        if !loss.is_finite() {
            return Err(not_finite(epoch));
        }
        losses.push(loss);
        unimproved = if loss > best - params.tol { unimproved + 1 } else { 0 };
        best = best.min(loss);
        if unimproved > params.n_iter_no_change {
            break;
        }
    }
    Ok(Fitted { parameters: optimizer.parameters, losses })
}

/// One half of a minibatch.
struct Side {
    pass: Pass,
    features: Array2<f32>,
    truth: Array2<f32>,
}

impl Side {
    fn new(network: &Network, data: &Data, batch: usize) -> Self {
        let rows = batch.div_ceil(2);
        Self {
            pass: Pass::new(network, rows),
            features: Array2::zeros((rows, data.features.ncols())),
            truth: Array2::zeros((rows, data.truth.ncols())),
        }
    }

    /// Brings the rows together, so that the products read them in a row, and learns from them.
    fn learn(&mut self, network: &Network, parameters: &[f32], data: &Data, rows: &[u32]) -> f64 {
        for (at, &row) in rows.iter().enumerate() {
            let copy = |from: ArrayView1<'_, f32>, into: &mut Array2<f32>| into.row_mut(at).assign(&from);
            copy(data.features.row(row as usize), &mut self.features);
            copy(data.truth.row(row as usize), &mut self.truth);
        }
        let (features, truth) = (self.features.slice(s![..rows.len(), ..]), self.truth.slice(s![..rows.len(), ..]));
        self.pass.learn(network, parameters, features, truth)
    }
}

/// The parameters with their running moments.
struct Optimizer {
    parameters: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
    /// How many of the parameters are weights, which alone are penalised.
    weights: usize,
    alpha: f64,
    rate: f64,
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
    steps: i32,
    /// Σ w² of each chunk of weights.
    squares: Vec<f64>,
}

/// What one step needs of the numbers above.
#[derive(Clone, Copy)]
struct Step {
    alpha: f32,
    per_row: f32,
    rate: f32,
    beta_1: f32,
    beta_2: f32,
    epsilon: f32,
}

impl Optimizer {
    fn new(params: &MlpValidParams, network: &Network, first: &[f64]) -> Self {
        Self {
            parameters: first.iter().map(|&x| x as f32).collect(),
            first: vec![0.0; first.len()],
            second: vec![0.0; first.len()],
            weights: network.weights,
            alpha: params.alpha,
            rate: params.learning_rate_init,
            beta_1: params.beta_1,
            beta_2: params.beta_2,
            epsilon: params.epsilon,
            steps: 0,
            squares: Vec::new(),
        }
    }

    /// Moves by the gradients of both halves, summed over `rows` rows; returns the penalty as it was before.
    fn step(&mut self, gradients: [&[f32]; 2], rows: usize) -> f64 {
        self.steps = self.steps.saturating_add(1);
        // The corrections of both moments' bias, folded into the rate as in scikit-learn.
        let correction = (1.0 - libm::pow(self.beta_2, f64::from(self.steps))).sqrt()
            / (1.0 - libm::pow(self.beta_1, f64::from(self.steps)));
        let step = Step {
            alpha: self.alpha as f32,
            per_row: 1.0 / rows as f32,
            rate: (self.rate * correction) as f32,
            beta_1: self.beta_1 as f32,
            beta_2: self.beta_2 as f32,
            // Never 0: a parameter without gradient has 0 above it.
            epsilon: (self.epsilon as f32).max(f32::MIN_POSITIVE),
        };
        let (weights, biases) = self.parameters.split_at_mut(self.weights);
        let (first, first_biases) = self.first.split_at_mut(self.weights);
        let (second, second_biases) = self.second.split_at_mut(self.weights);
        let (left, left_biases) = gradients[0].split_at(self.weights);
        let (right, right_biases) = gradients[1].split_at(self.weights);
        let chunks = (
            weights.par_chunks_mut(CHUNK),
            first.par_chunks_mut(CHUNK),
            second.par_chunks_mut(CHUNK),
            left.par_chunks(CHUNK),
            right.par_chunks(CHUNK),
        );
        let one = |(weights, first, second, left, right): (&mut [f32], _, _, &[f32], &[f32])| {
            step.take(weights, first, second, [left, right])
        };
        chunks.into_par_iter().map(one).collect_into_vec(&mut self.squares);
        let unpenalised = Step { alpha: 0.0, ..step };
        unpenalised.take(biases, first_biases, second_biases, [left_biases, right_biases]);
        0.5 * self.alpha * self.squares.iter().sum::<f64>()
    }
}

impl Step {
    /// Updates these parameters in one pass; returns the sum of their squares before.
    fn take(self, parameters: &mut [f32], first: &mut [f32], second: &mut [f32], gradients: [&[f32]; 2]) -> f64 {
        let [left, right] = gradients;
        let update = |w: &mut f32, m: &mut f32, v: &mut f32, left: f32, right: f32| {
            let gradient = ((left + right) + self.alpha * *w) * self.per_row;
            *m = settled(self.beta_1 * *m + (1.0 - self.beta_1) * gradient);
            *v = self.beta_2 * *v + (1.0 - self.beta_2) * (gradient * gradient);
            *w = settled(*w - self.rate * *m / (v.sqrt() + self.epsilon));
        };
        vectorised(
            #[inline(always)]
            || {
                let squares = sum_of_squares(parameters);
                let moments = first.iter_mut().zip(second);
                let gradients = left.iter().zip(right);
                for ((w, (m, v)), (left, right)) in parameters.iter_mut().zip(moments).zip(gradients) {
                    update(w, m, v, *left, *right);
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

/// In eight lanes of f64, added in a fixed order.
#[inline(always)]
fn sum_of_squares(values: &[f32]) -> f64 {
    let mut lanes = [0.0_f64; 8];
    let eights = values.chunks_exact(8);
    let rest: f64 = eights.remainder().iter().map(|&x| f64::from(x) * f64::from(x)).sum();
    for eight in eights {
        for lane in 0..8 {
            let x = f64::from(eight[lane]);
            lanes[lane] += x * x;
        }
    }
    lanes.iter().sum::<f64>() + rest
}
