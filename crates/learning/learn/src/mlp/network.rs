//! The layers of a network, and the forward and backward passes.
//!
//! The values of a layer's units are a matrix of units × rows; its weights are outputs × inputs.

use std::ops::Range;

use ndarray::Array2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::activation::{self, Activation};
use super::data::Batch;
use super::panels::{Line, PANEL_WIDTH, Panels, add_product, multiply, panel_count, panels_per_thread};
use super::transpose::transpose;
use crate::Cancel;
use crate::random::RandomKey;

/// The sizes of the layers, and the positions of their parameters in one flat vector: first the weights of all layers,
/// each as [`Panels`] of outputs × inputs, then the biases of all layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Network {
    pub(super) activation: Activation,
    layers: Vec<Layer>,
    /// Number of weights, including the zeros that pad panels.
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
    /// outputs × inputs.
    fn weights<'a>(&self, parameters: &'a [f32]) -> Panels<'a> {
        let (lines, _) = parameters[self.weights.clone()].as_chunks();
        Panels::new(self.outputs, self.inputs, lines)
    }

    /// The position in the flat vector of the weight from an input to an output.
    fn weight_index(&self, output: usize, input: usize) -> usize {
        self.weights.start + (input / PANEL_WIDTH * self.outputs + output) * PANEL_WIDTH + input % PANEL_WIDTH
    }
}

impl Network {
    /// A network with these numbers of units: features, hidden layers, labels.
    pub(super) fn new(units: &[usize], activation: Activation) -> Self {
        let pairs = || units.iter().zip(&units[1..]);
        let stored_weights = |(inputs, outputs): (&usize, &usize)| panel_count(*inputs) * PANEL_WIDTH * outputs;
        let weights = pairs().map(stored_weights).sum();
        let (mut weight, mut bias) = (0, weights);
        let take = |from: &mut usize, count: usize| {
            *from += count;
            *from - count..*from
        };
        let layer = |(&inputs, &outputs)| Layer {
            inputs,
            outputs,
            weights: take(&mut weight, stored_weights((&inputs, &outputs))),
            biases: take(&mut bias, outputs),
        };
        let layers = pairs().map(layer).collect();
        Self { activation, layers, weights, parameters: bias }
    }

    pub(super) fn labels(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.outputs)
    }

    /// Number of values that all units have for this many rows.
    pub(super) fn values(&self, rows: usize) -> usize {
        self.layers.iter().map(|layer| layer.outputs * rows).sum()
    }

    /// Random weights and biases, uniform within ±√(6 / (inputs + outputs)) (Glorot and Bengio 2010), or within
    /// ±√(2 / (inputs + outputs)) for the logistic function.
    pub(super) fn initial_parameters(&self, random: RandomKey) -> Vec<f64> {
        let factor = if self.activation == Activation::Logistic { 2.0 } else { 6.0 };
        let mut initial_parameters = vec![0.0; self.parameters];
        for layer in &self.layers {
            let bound = (factor / (layer.inputs + layer.outputs) as f64).sqrt();
            let pairs = (0..layer.outputs * layer.inputs).map(|pair| (pair / layer.inputs, pair % layer.inputs));
            let weights = pairs.map(|(output, input)| layer.weight_index(output, input));
            for at in weights.chain(layer.biases.clone()) {
                initial_parameters[at] = bound * (2.0 * f64::from(random.draw(at as u32).uniform) - 1.0);
            }
        }
        initial_parameters
    }

    /// scikit-learn's weights (inputs × outputs of each layer, row-major) and biases in the order of this network.
    #[cfg(test)]
    pub(super) fn parameters_from_sklearn(&self, theirs: &[f64]) -> Vec<f64> {
        let (mut ours, mut theirs) = (vec![0.0; self.parameters], theirs.iter());
        for layer in &self.layers {
            for pair in 0..layer.inputs * layer.outputs {
                ours[layer.weight_index(pair % layer.outputs, pair / layer.outputs)] = *theirs.next().unwrap();
            }
        }
        ours[self.weights..].copy_from_slice(theirs.as_slice());
        ours
    }

    /// Floating-point operations of one forward and backward pass of a row, without activations.
    pub(super) fn flops_per_row(&self) -> f64 {
        let first_layer = self.layers.first().map_or(0, |layer| layer.weights.len());
        // Forward, gradient of the weights, gradient of the inputs; the gradient of the features is not needed.
        (6 * self.weights - 2 * first_layer) as f64
    }

    /// Probabilities of the labels, m × q, for d × m features; unfinished if cancelled.
    pub(super) fn predict(&self, parameters: &[f32], features: Panels<'_>, cancel: &Cancel) -> Array2<f64> {
        let mut values = self.layer_buffers(features.columns);
        let mut layers: Vec<&mut [Line]> = values.iter_mut().map(Vec::as_mut_slice).collect();
        self.forward(parameters, features, &mut layers, cancel);
        let mut last = values.pop().expect("a network has an output layer");
        activation::probabilities(last.as_flattened_mut());
        let labels = self.labels();
        Array2::from_shape_fn((features.columns, labels), |(row, label)| {
            f64::from(last[row / PANEL_WIDTH * labels + label][row % PANEL_WIDTH])
        })
    }

    /// Computes the values of the hidden layers and the sums of the last layer.
    fn forward(&self, parameters: &[f32], features: Panels<'_>, values: &mut [&mut [Line]], cancel: &Cancel) {
        for (index, layer) in self.layers.iter().enumerate() {
            let (before, values) = values.split_at_mut(index);
            let input = before.last().map_or(features, |lines| Panels::new(layer.inputs, features.columns, lines));
            let biases = &parameters[layer.biases.clone()];
            for panel in values[0].chunks_exact_mut(layer.outputs) {
                panel.iter_mut().zip(biases).for_each(|(line, &bias)| *line = [bias; PANEL_WIDTH]);
            }
            add_product(layer.weights(parameters), input, values[0], cancel);
            if index + 1 < self.layers.len() {
                self.activation.apply(values[0].as_flattened_mut());
            }
        }
    }

    /// A buffer for the values of each layer.
    fn layer_buffers(&self, rows: usize) -> Vec<Vec<Line>> {
        self.layers.iter().map(|layer| vec![[0.0; PANEL_WIDTH]; layer.outputs * panel_count(rows)]).collect()
    }
}

/// The buffers of forward and backward passes, reused from batch to batch.
#[derive(Default)]
pub(super) struct PassBuffers {
    /// Values of each layer's units.
    values: Vec<Vec<Line>>,
    /// Derivatives of the loss by each layer's sums.
    deltas: Vec<Vec<Line>>,
    /// The weights of each layer but the first, inputs × outputs.
    transposed_weights: Vec<Vec<Line>>,
    /// The values of each layer but the last, rows × units.
    transposed_values: Vec<Vec<Line>>,
}

impl PassBuffers {
    /// Passes rows forward and back. Returns the log loss, summed over rows, without the penalty; any number if cancelled.
    pub(super) fn forward_backward(
        &mut self,
        network: &Network,
        parameters: &[f32],
        rows: &Batch,
        cancel: &Cancel,
    ) -> f64 {
        let layers = &network.layers;
        for buffers in [&mut self.values, &mut self.deltas] {
            buffers.resize(layers.len(), Vec::new());
            for (layer, lines) in layers.iter().zip(buffers) {
                lines.resize(layer.outputs * panel_count(rows.count), [0.0; PANEL_WIDTH]);
            }
        }
        self.transposed_weights.resize(layers.len() - 1, Vec::new());
        self.transposed_values.resize(layers.len() - 1, Vec::new());
        let upper = layers[1..].iter().zip(&mut self.transposed_weights);
        upper.for_each(|(layer, into)| transpose(layer.weights(parameters), into));
        let chunks = row_chunks(network, rows, &mut self.values, &mut self.deltas);
        let transposed = &self.transposed_weights;
        let losses: Vec<_> = chunks
            .into_par_iter()
            .map(|chunk| chunk.forward_backward(network, parameters, transposed, cancel))
            .collect();
        for ((layer, values), into) in layers.iter().zip(&self.values).zip(&mut self.transposed_values) {
            transpose(Panels::new(layer.outputs, rows.count, values), into);
        }
        // Added in the order of the rows, whatever the number of threads.
        losses.iter().flatten().sum()
    }

    /// The gradients of the pass just made, layer by layer.
    pub(super) fn gradients<'a>(
        &'a self,
        network: &'a Network,
        rows: &'a Batch,
        cancel: &'a Cancel,
    ) -> impl Iterator<Item = LayerGradient<'a>> {
        network.layers.iter().enumerate().map(move |(index, layer)| LayerGradient {
            cancel,
            weights: layer.weights.clone(),
            biases: layer.biases.clone(),
            delta: Panels::new(layer.outputs, rows.count, &self.deltas[index]),
            input: match index.checked_sub(1) {
                None => rows.by_row(),
                Some(below) => Panels::new(rows.count, layer.inputs, &self.transposed_values[below]),
            },
        })
    }
}

/// The gradient of the log loss, summed over rows, by the parameters of a layer; without the penalty. It is computed
/// panel by panel where it is used.
pub(super) struct LayerGradient<'a> {
    /// The positions of the parameters in the flat vector.
    pub(super) weights: Range<usize>,
    pub(super) biases: Range<usize>,
    /// outputs × m.
    delta: Panels<'a>,
    /// m × inputs.
    input: Panels<'a>,
    cancel: &'a Cancel,
}

impl LayerGradient<'_> {
    /// Number of weights in a panel.
    pub(super) fn panel_weights(&self) -> usize {
        self.delta.rows * PANEL_WIDTH
    }

    /// Calls `with` with each panel of weights and its gradient while the gradient is in the cache.
    pub(super) fn map_weight_panels<T: Send, R: Send>(
        &self,
        panels: impl IndexedParallelIterator<Item = T>,
        with: impl Fn(T, &[f32]) -> R + Sync,
    ) -> Vec<R> {
        let inputs = self.input.chunks(1).zip(panels).with_min_len(panels_per_thread(self.input.columns));
        let map_panel = |gradient: &mut Vec<Line>, (input, panel)| {
            multiply(self.delta, input, gradient, self.cancel);
            with(panel, gradient.as_flattened())
        };
        inputs.map_init(|| vec![[0.0; PANEL_WIDTH]; self.delta.rows], map_panel).collect()
    }

    pub(super) fn bias_gradient(&self) -> Vec<f32> {
        let mut sums = vec![[0.0; PANEL_WIDTH]; self.delta.rows];
        for panel in self.delta.lines.chunks_exact(self.delta.rows) {
            for (sum, line) in sums.iter_mut().zip(panel) {
                sum.iter_mut().zip(line).for_each(|(sum, x)| *sum += x);
            }
        }
        sums.iter().map(|sum| sum.iter().sum()).collect()
    }
}

/// The panels of rows that one thread works on.
struct RowChunk<'a> {
    /// d × m.
    features: Panels<'a>,
    /// q × m.
    truth: Panels<'a>,
    values: Vec<&'a mut [Line]>,
    deltas: Vec<&'a mut [Line]>,
}

/// Splits rows into a chunk for each thread.
fn row_chunks<'a>(
    network: &Network,
    rows: &'a Batch,
    values: &'a mut [Vec<Line>],
    deltas: &'a mut [Vec<Line>],
) -> Vec<RowChunk<'a>> {
    let count = panels_per_thread(rows.count);
    let chunk = |chunk| RowChunk {
        features: rows.by_feature().chunk(chunk, count),
        truth: rows.truth().chunk(chunk, count),
        values: Vec::new(),
        deltas: Vec::new(),
    };
    let mut chunks: Vec<_> = (0..panel_count(rows.count).div_ceil(count)).map(chunk).collect();
    for (layer, (values, deltas)) in network.layers.iter().zip(values.iter_mut().zip(deltas)) {
        let lines = count * layer.outputs;
        for (chunk, (values, deltas)) in chunks.iter_mut().zip(values.chunks_mut(lines).zip(deltas.chunks_mut(lines))) {
            chunk.values.push(values);
            chunk.deltas.push(deltas);
        }
    }
    chunks
}

impl RowChunk<'_> {
    /// Computes the values of the hidden layers and the derivatives by the sums of all layers; returns the log loss of
    /// each panel of rows, summed over rows and labels. Beyond the last row all derivatives are 0: those of the last layer
    /// are set to 0, and backpropagating 0 gives 0.
    fn forward_backward(
        self,
        network: &Network,
        parameters: &[f32],
        transposed: &[Vec<Line>],
        cancel: &Cancel,
    ) -> Vec<f64> {
        let Self { features, truth, mut values, mut deltas } = self;
        network.forward(parameters, features, &mut values, cancel);
        let last = network.layers.len() - 1;
        let losses = log_loss(truth, values[last], deltas[last]);
        for (below, (layer, transposed)) in network.layers[1..].iter().zip(transposed).enumerate().rev() {
            let (before, delta) = deltas.split_at_mut(below + 1);
            let delta = Panels::new(layer.outputs, features.columns, delta[0]);
            multiply(Panels::new(layer.inputs, layer.outputs, transposed), delta, before[below], cancel);
            network.activation.derive(values[below].as_flattened(), before[below].as_flattened_mut());
        }
        losses
    }
}

/// The loss of each panel of rows; writes the derivatives by the sums to `delta`, 0 beyond the last row.
fn log_loss(truth: Panels<'_>, sums: &mut [Line], delta: &mut [Line]) -> Vec<f64> {
    activation::log_loss(sums.as_flattened_mut(), truth.lines.as_flattened(), delta.as_flattened_mut());
    let panels = sums.chunks_exact(truth.rows).zip(delta.chunks_exact_mut(truth.rows)).enumerate();
    let loss = |(panel, (losses, delta)): (usize, (&[Line], &mut [Line]))| {
        let rows = (truth.columns - panel * PANEL_WIDTH).min(PANEL_WIDTH);
        delta.iter_mut().for_each(|line| line[rows..].fill(0.0));
        losses.iter().flat_map(|line| &line[..rows]).map(|&loss| f64::from(loss)).sum()
    };
    panels.map(loss).collect()
}

#[cfg(test)]
mod tests {
    use linfa::ParamGuard;
    use ndarray::Array2;

    use super::super::data::TrainingData;
    use super::super::{MlpParams, Solver};
    use super::*;
    use crate::Labelled;

    #[test]
    fn initial_weights_fill_glorots_range_evenly_and_padding_is_0() {
        let network = Network::new(&[30, 20, 10], Activation::Relu);
        let mut initial_parameters = network.initial_parameters(RandomKey::root(1, 0));
        let bounds = [(6.0_f64 / 50.0).sqrt(), (6.0_f64 / 30.0).sqrt()];
        for (layer, bound) in network.layers.iter().zip(bounds) {
            let mut taken = Vec::new();
            for output in 0..layer.outputs {
                taken.extend(
                    (0..layer.inputs)
                        .map(|input| std::mem::take(&mut initial_parameters[layer.weight_index(output, input)])),
                );
            }
            let largest = taken.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
            assert!((0.95 * bound..=bound).contains(&largest), "{largest} of {bound}");
            let mean = taken.iter().sum::<f64>() / taken.len() as f64;
            assert!(mean.abs() < 0.1 * bound && taken.iter().all(|x| *x != 0.0));
        }
        assert!(initial_parameters[..network.weights].iter().all(|x| *x == 0.0));
        assert!(initial_parameters[network.weights..].iter().all(|x| *x != 0.0));
    }

    /// Rows of 20 features and 3 labels.
    fn rows(count: usize) -> TrainingData {
        let draw = |at: usize| f64::from(RandomKey::root(5, 0).draw(at as u32).uniform) - 0.5;
        let records = Array2::from_shape_fn((count, 20), |(i, j)| draw(20 * i + j));
        let targets = Array2::from_shape_fn((count, 3), |(i, k)| draw(20 * i + k) + draw(20 * i + k + 1) > 0.1);
        let params = MlpParams::default().solver(Solver::Lbfgs).check().unwrap();
        TrainingData::new(&Labelled::new(records, targets), &[&params], &Cancel::new()).unwrap()
    }

    /// The loss of all rows with its gradient.
    fn forward_backward(
        pass: &mut PassBuffers,
        network: &Network,
        parameters: &[f32],
        rows: &Batch,
    ) -> (f64, Vec<f32>) {
        let cancel = Cancel::new();
        let loss = pass.forward_backward(network, parameters, rows, &cancel);
        let mut all = vec![0.0; network.parameters];
        for gradient in pass.gradients(network, rows, &cancel) {
            let into = all[gradient.weights.clone()].par_chunks_mut(gradient.panel_weights());
            gradient.map_weight_panels(into, |into, panel_weights| into.copy_from_slice(panel_weights));
            all[gradient.biases.clone()].copy_from_slice(&gradient.bias_gradient());
        }
        (loss, all)
    }

    #[test]
    fn gradients_are_the_slopes_of_the_loss() {
        for activation in [Activation::Identity, Activation::Logistic, Activation::Tanh, Activation::Relu] {
            let network = Network::new(&[20, 18, 17, 3], activation);
            let initial_parameters: Vec<f32> =
                network.initial_parameters(RandomKey::root(2, 0)).iter().map(|&x| x as f32).collect();
            let data = rows(21);
            let mut pass = PassBuffers::default();
            let (_, gradient) = forward_backward(&mut pass, &network, &initial_parameters, &data.batches[0]);
            let mut tried = 0;
            for at in (0..initial_parameters.len()).step_by(7).filter(|at| initial_parameters[*at] != 0.0) {
                let mut loss = |by: f32| {
                    let mut there = initial_parameters.clone();
                    there[at] += by;
                    forward_backward(&mut pass, &network, &there, &data.batches[0]).0
                };
                let slope = (loss(1e-3) - loss(-1e-3)) / 2e-3;
                assert!(
                    (slope - f64::from(gradient[at])).abs() < 2e-2,
                    "{activation:?}, {at}: {slope}, {}",
                    gradient[at]
                );
                tried += 1;
            }
            assert!(tried > 100);
            let is_padding = |at: &usize| *at < network.weights && initial_parameters[*at] == 0.0;
            assert!((0..initial_parameters.len()).filter(is_padding).all(|at| gradient[at] == 0.0));
        }
    }

    #[test]
    fn reused_buffers_keep_nothing_of_the_rows_before() {
        let network = Network::new(&[20, 18, 3], Activation::Tanh);
        let initial_parameters: Vec<f32> =
            network.initial_parameters(RandomKey::root(2, 0)).iter().map(|&x| x as f32).collect();
        let mut pass = PassBuffers::default();
        for count in [37, 5, 37, 16, 1] {
            let data = rows(count);
            let learn =
                |pass: &mut PassBuffers| forward_backward(pass, &network, &initial_parameters, &data.batches[0]);
            assert_eq!(learn(&mut pass), learn(&mut PassBuffers::default()), "{count} rows");
        }
    }
}
