//! Layers, and one pass of rows through them, forward and back.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};
use serde::{Deserialize, Serialize};

use super::activation::{self, Activation};
use super::gemm;
use crate::random::Path;

/// Sizes of the layers, and where their parameters lie in one flat vector: the weights of all layers (inputs × outputs
/// each, row-major), then the biases of all layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Network {
    pub(super) activation: Activation,
    layers: Vec<Layer>,
    /// Number of weights.
    pub(super) weights: usize,
    /// Number of weights and biases.
    pub(super) parameters: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Layer {
    inputs: usize,
    outputs: usize,
    weights: Range<usize>,
    biases: Range<usize>,
}

impl Layer {
    fn weights<'a>(&self, parameters: &'a [f32]) -> ArrayView2<'a, f32> {
        let of = &parameters[self.weights.clone()];
        ArrayView2::from_shape((self.inputs, self.outputs), of).expect("one weight for each input and output")
    }

    fn weights_mut<'a>(&self, parameters: &'a mut [f32]) -> ArrayViewMut2<'a, f32> {
        let of = &mut parameters[self.weights.clone()];
        ArrayViewMut2::from_shape((self.inputs, self.outputs), of).expect("one weight for each input and output")
    }
}

impl Network {
    /// Units of each layer: features, hidden layers, labels.
    pub(super) fn new(units: &[usize], activation: Activation) -> Self {
        let pairs = || units.iter().zip(&units[1..]);
        let weights = pairs().map(|(inputs, outputs)| inputs * outputs).sum();
        let (mut weight, mut bias) = (0, weights);
        let take = |from: &mut usize, count: usize| {
            *from += count;
            *from - count..*from
        };
        let layer = |(&inputs, &outputs)| Layer {
            inputs,
            outputs,
            weights: take(&mut weight, inputs * outputs),
            biases: take(&mut bias, outputs),
        };
        let layers = pairs().map(layer).collect();
        Self { activation, layers, weights, parameters: bias }
    }

    pub(super) fn labels(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.outputs)
    }

    /// Random first parameters, uniform within √(6 / (inputs + outputs)) of 0, biases too (Glorot and Bengio 2010); for
    /// the logistic function within √(2 / …).
    pub(super) fn first(&self, random: Path) -> Vec<f64> {
        let factor = if self.activation == Activation::Logistic { 2.0 } else { 6.0 };
        let mut first = vec![0.0; self.parameters];
        for layer in &self.layers {
            let bound = (factor / (layer.inputs + layer.outputs) as f64).sqrt();
            for at in layer.weights.clone().chain(layer.biases.clone()) {
                first[at] = bound * (2.0 * f64::from(random.draw(at as u32).uniform) - 1.0);
            }
        }
        first
    }

    /// Rough floating-point operations to learn from one row once.
    pub(super) fn operations(&self) -> f64 {
        let first = self.layers.first().map_or(0, |layer| layer.weights.len());
        // Forward, gradient of the weights, gradient of the inputs; nobody needs the gradient of the features.
        (6 * self.weights - 2 * first) as f64
    }
}

/// Room for a pass of up to so many rows.
pub(super) struct Pass {
    /// Values of each layer's units, rows × outputs.
    values: Vec<Array2<f32>>,
    /// Derivatives of the loss by each layer's sums, rows × outputs.
    deltas: Vec<Array2<f32>>,
    /// Derivatives of the summed loss by the parameters, as they lie in the flat vector.
    pub(super) gradient: Vec<f32>,
}

impl Pass {
    /// Room to learn.
    pub(super) fn new(network: &Network, rows: usize) -> Self {
        Self {
            deltas: layers(network, rows),
            gradient: vec![0.0; network.parameters],
            ..Self::forward_only(network, rows)
        }
    }

    /// Room to predict.
    pub(super) fn forward_only(network: &Network, rows: usize) -> Self {
        Self { values: layers(network, rows), deltas: Vec::new(), gradient: Vec::new() }
    }

    /// Probabilities of the labels, m × q, for m rows.
    pub(super) fn predict(
        &mut self,
        network: &Network,
        parameters: &[f32],
        rows: ArrayView2<'_, f32>,
    ) -> ArrayView2<'_, f32> {
        self.forward(network, parameters, rows);
        let last = self.values.last_mut().expect("a network has an output layer");
        activation::probabilities(prefix(last, rows.nrows()));
        last.slice(s![..rows.nrows(), ..])
    }

    /// Passes rows forward and back: leaves the gradient of the log loss, summed over rows, without the penalty, and
    /// returns that loss. `truth` is 1 or 0, rows × labels.
    pub(super) fn learn(
        &mut self,
        network: &Network,
        parameters: &[f32],
        rows: ArrayView2<'_, f32>,
        truth: ArrayView2<'_, f32>,
    ) -> f64 {
        self.forward(network, parameters, rows);
        let n = rows.nrows();
        let last = network.layers.len() - 1;
        let truth = truth.to_slice().expect("the labels of successive rows lie in a row");
        let loss = activation::log_loss(prefix(&mut self.values[last], n), truth, prefix(&mut self.deltas[last], n));
        for (index, layer) in network.layers.iter().enumerate().rev() {
            let (before, delta) = self.deltas.split_at_mut(index);
            let delta = delta[0].slice(s![..n, ..]);
            let below = index.checked_sub(1);
            let input = below.map_or(rows.view(), |below| self.values[below].slice(s![..n, ..]));
            gemm::product(input.t(), delta, layer.weights_mut(&mut self.gradient));
            sum_rows(delta, &mut self.gradient[layer.biases.clone()]);
            if let Some(below) = below {
                let into = &mut before[below];
                gemm::product(delta, layer.weights(parameters).t(), into.slice_mut(s![..n, ..]));
                network.activation.derive(prefix(&mut self.values[below], n), prefix(into, n));
            }
        }
        loss
    }

    /// Leaves the values of the hidden layers and the sums of the last.
    fn forward(&mut self, network: &Network, parameters: &[f32], rows: ArrayView2<'_, f32>) {
        let n = rows.nrows();
        for (index, layer) in network.layers.iter().enumerate() {
            let (before, values) = self.values.split_at_mut(index);
            let input = before.last().map_or(rows.view(), |before| before.slice(s![..n, ..]));
            let sums = prefix(&mut values[0], n);
            let biases = &parameters[layer.biases.clone()];
            sums.chunks_exact_mut(layer.outputs).for_each(|sums| sums.copy_from_slice(biases));
            gemm::add_product(input, layer.weights(parameters), values[0].slice_mut(s![..n, ..]));
            if index + 1 < network.layers.len() {
                network.activation.apply(prefix(&mut values[0], n));
            }
        }
    }
}

fn layers(network: &Network, rows: usize) -> Vec<Array2<f32>> {
    network.layers.iter().map(|layer| Array2::zeros((rows, layer.outputs))).collect()
}

/// The first `rows` rows, one after the other.
fn prefix(of: &mut Array2<f32>, rows: usize) -> &mut [f32] {
    let width = of.ncols();
    &mut of.as_slice_mut().expect("made in standard layout")[..rows * width]
}

fn sum_rows(rows: ArrayView2<'_, f32>, into: &mut [f32]) {
    into.fill(0.0);
    for row in rows.rows() {
        into.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
}
