//! Layers, and passes of rows through them, forward and back.
//!
//! What the units of a layer have for some rows is a matrix of units × rows; weights are outputs × inputs.

use std::ops::Range;

use ndarray::Array2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::activation::{self, Activation};
use super::data::Rows;
use super::panels::{Line, Panels, WIDTH, add_product, multiply, panels, share};
use super::turn::turn;
use crate::Cancel;
use crate::random::RandomKey;

/// Sizes of the layers, and where their parameters lie in one flat vector: the weights of all layers, as [`Panels`] of
/// outputs × inputs each, then the biases of all layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Network {
    pub(super) activation: Activation,
    layers: Vec<Layer>,
    /// Number of weights, with the zeros that fill panels.
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

    /// Where the weight of an input for an output lies in the flat vector.
    fn weight(&self, output: usize, input: usize) -> usize {
        self.weights.start + (input / WIDTH * self.outputs + output) * WIDTH + input % WIDTH
    }
}

impl Network {
    /// Units of each layer: features, hidden layers, labels.
    pub(super) fn new(units: &[usize], activation: Activation) -> Self {
        let pairs = || units.iter().zip(&units[1..]);
        let room = |(inputs, outputs): (&usize, &usize)| panels(*inputs) * WIDTH * outputs;
        let weights = pairs().map(room).sum();
        let (mut weight, mut bias) = (0, weights);
        let take = |from: &mut usize, count: usize| {
            *from += count;
            *from - count..*from
        };
        let layer = |(&inputs, &outputs)| Layer {
            inputs,
            outputs,
            weights: take(&mut weight, room((&inputs, &outputs))),
            biases: take(&mut bias, outputs),
        };
        let layers = pairs().map(layer).collect();
        Self { activation, layers, weights, parameters: bias }
    }

    pub(super) fn labels(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.outputs)
    }

    /// Number of values that the units have for so many rows.
    pub(super) fn values(&self, rows: usize) -> usize {
        self.layers.iter().map(|layer| layer.outputs * rows).sum()
    }

    /// Random first parameters, uniform within √(6 / (inputs + outputs)) of 0, biases too (Glorot and Bengio 2010); for
    /// the logistic function within √(2 / …).
    pub(super) fn first(&self, random: RandomKey) -> Vec<f64> {
        let factor = if self.activation == Activation::Logistic { 2.0 } else { 6.0 };
        let mut first = vec![0.0; self.parameters];
        for layer in &self.layers {
            let bound = (factor / (layer.inputs + layer.outputs) as f64).sqrt();
            let weights =
                (0..layer.outputs * layer.inputs).map(|of| layer.weight(of / layer.inputs, of % layer.inputs));
            for at in weights.chain(layer.biases.clone()) {
                first[at] = bound * (2.0 * f64::from(random.draw(at as u32).uniform) - 1.0);
            }
        }
        first
    }

    /// scikit-learn's weights (inputs × outputs of each layer, row-major) and biases, as they lie here.
    #[cfg(test)]
    pub(super) fn lay_out(&self, theirs: &[f64]) -> Vec<f64> {
        let (mut ours, mut theirs) = (vec![0.0; self.parameters], theirs.iter());
        for layer in &self.layers {
            for of in 0..layer.inputs * layer.outputs {
                ours[layer.weight(of % layer.outputs, of / layer.outputs)] = *theirs.next().unwrap();
            }
        }
        ours[self.weights..].copy_from_slice(theirs.as_slice());
        ours
    }

    /// Rough floating-point operations to learn from one row once.
    pub(super) fn operations(&self) -> f64 {
        let first = self.layers.first().map_or(0, |layer| layer.weights.len());
        // Forward, gradient of the weights, gradient of the inputs; nobody needs the gradient of the features.
        (6 * self.weights - 2 * first) as f64
    }

    /// Probabilities of the labels, m × q, for d × m features; unfinished where it is cancelled.
    pub(super) fn predict(&self, parameters: &[f32], features: Panels<'_>, cancel: &Cancel) -> Array2<f64> {
        let mut values = self.room(features.columns);
        let mut layers: Vec<&mut [Line]> = values.iter_mut().map(Vec::as_mut_slice).collect();
        self.forward(parameters, features, &mut layers, cancel);
        let mut last = values.pop().expect("a network has an output layer");
        activation::probabilities(last.as_flattened_mut());
        let labels = self.labels();
        Array2::from_shape_fn((features.columns, labels), |(row, label)| {
            f64::from(last[row / WIDTH * labels + label][row % WIDTH])
        })
    }

    /// Leaves the values of the hidden layers and the sums of the last.
    fn forward(&self, parameters: &[f32], features: Panels<'_>, values: &mut [&mut [Line]], cancel: &Cancel) {
        for (index, layer) in self.layers.iter().enumerate() {
            let (before, values) = values.split_at_mut(index);
            let input = before.last().map_or(features, |lines| Panels::new(layer.inputs, features.columns, lines));
            let biases = &parameters[layer.biases.clone()];
            for panel in values[0].chunks_exact_mut(layer.outputs) {
                panel.iter_mut().zip(biases).for_each(|(line, &bias)| *line = [bias; WIDTH]);
            }
            add_product(layer.weights(parameters), input, values[0], cancel);
            if index + 1 < self.layers.len() {
                self.activation.apply(values[0].as_flattened_mut());
            }
        }
    }

    /// Room for what each layer has of some rows.
    fn room(&self, rows: usize) -> Vec<Vec<Line>> {
        self.layers.iter().map(|layer| vec![[0.0; WIDTH]; layer.outputs * panels(rows)]).collect()
    }
}

/// Room for passes of rows.
#[derive(Default)]
pub(super) struct Pass {
    /// Values of each layer's units.
    values: Vec<Vec<Line>>,
    /// Derivatives of the loss by each layer's sums.
    deltas: Vec<Vec<Line>>,
    /// The weights of each layer but the first, inputs × outputs.
    turned_weights: Vec<Vec<Line>>,
    /// The values of each layer but the last, rows × units.
    turned_values: Vec<Vec<Line>>,
}

impl Pass {
    /// Passes rows forward and back; returns the log loss, summed over rows, without the penalty. Any number where it is
    /// cancelled.
    pub(super) fn learn(&mut self, network: &Network, parameters: &[f32], rows: &Rows, cancel: &Cancel) -> f64 {
        let layers = &network.layers;
        for of in [&mut self.values, &mut self.deltas] {
            of.resize(layers.len(), Vec::new());
            let layers = layers.iter().zip(of);
            layers.for_each(|(layer, of)| of.resize(layer.outputs * panels(rows.count), [0.0; WIDTH]));
        }
        self.turned_weights.resize(layers.len() - 1, Vec::new());
        self.turned_values.resize(layers.len() - 1, Vec::new());
        let upper = layers[1..].iter().zip(&mut self.turned_weights);
        upper.for_each(|(layer, into)| turn(layer.weights(parameters), into));
        let parts = parts(network, rows, &mut self.values, &mut self.deltas);
        let turned = &self.turned_weights;
        let losses: Vec<_> =
            parts.into_par_iter().map(|part| part.learn(network, parameters, turned, cancel)).collect();
        for ((layer, values), into) in layers.iter().zip(&self.values).zip(&mut self.turned_values) {
            turn(Panels::new(layer.outputs, rows.count, values), into);
        }
        // In the order of the rows, for any number of threads.
        losses.iter().flatten().sum()
    }

    /// What the gradients are made of after these rows have passed, layer by layer.
    pub(super) fn gradients<'a>(
        &'a self,
        network: &'a Network,
        rows: &'a Rows,
        cancel: &'a Cancel,
    ) -> impl Iterator<Item = Gradient<'a>> {
        network.layers.iter().enumerate().map(move |(index, layer)| Gradient {
            cancel,
            weights: layer.weights.clone(),
            biases: layer.biases.clone(),
            delta: Panels::new(layer.outputs, rows.count, &self.deltas[index]),
            input: match index.checked_sub(1) {
                None => rows.by_row(),
                Some(below) => Panels::new(rows.count, layer.inputs, &self.turned_values[below]),
            },
        })
    }
}

/// The gradient of the log loss, summed over rows, by the parameters of a layer; without the penalty.
pub(super) struct Gradient<'a> {
    /// Where the parameters lie in the flat vector.
    pub(super) weights: Range<usize>,
    pub(super) biases: Range<usize>,
    /// outputs × m.
    delta: Panels<'a>,
    /// m × inputs.
    input: Panels<'a>,
    cancel: &'a Cancel,
}

impl Gradient<'_> {
    /// Number of weights in a panel.
    pub(super) fn panel(&self) -> usize {
        self.delta.rows * WIDTH
    }

    /// Does something with the gradient of each panel of weights while it is in the cache.
    pub(super) fn by_weights<T: Send, R: Send>(
        &self,
        panels: impl IndexedParallelIterator<Item = T>,
        with: impl Fn(T, &[f32]) -> R + Sync,
    ) -> Vec<R> {
        let inputs = self.input.parts(1).zip(panels).with_min_len(share(self.input.columns));
        let one = |gradient: &mut Vec<Line>, (input, panel)| {
            multiply(self.delta, input, gradient, self.cancel);
            with(panel, gradient.as_flattened())
        };
        inputs.map_init(|| vec![[0.0; WIDTH]; self.delta.rows], one).collect()
    }

    pub(super) fn by_biases(&self) -> Vec<f32> {
        let mut sums = vec![[0.0; WIDTH]; self.delta.rows];
        for panel in self.delta.lines.chunks_exact(self.delta.rows) {
            for (sum, line) in sums.iter_mut().zip(panel) {
                sum.iter_mut().zip(line).for_each(|(sum, x)| *sum += x);
            }
        }
        sums.iter().map(|sum| sum.iter().sum()).collect()
    }
}

/// Some panels of the rows.
struct Part<'a> {
    /// d × m.
    features: Panels<'a>,
    /// q × m.
    truth: Panels<'a>,
    values: Vec<&'a mut [Line]>,
    deltas: Vec<&'a mut [Line]>,
}

/// Rows cut into a part for each thread.
fn parts<'a>(
    network: &Network,
    rows: &'a Rows,
    values: &'a mut [Vec<Line>],
    deltas: &'a mut [Vec<Line>],
) -> Vec<Part<'a>> {
    let count = share(rows.count);
    let part = |part| Part {
        features: rows.by_feature().part(part, count),
        truth: rows.truth().part(part, count),
        values: Vec::new(),
        deltas: Vec::new(),
    };
    let mut parts: Vec<_> = (0..panels(rows.count).div_ceil(count)).map(part).collect();
    for (layer, (values, deltas)) in network.layers.iter().zip(values.iter_mut().zip(deltas)) {
        let lines = count * layer.outputs;
        for (part, (values, deltas)) in parts.iter_mut().zip(values.chunks_mut(lines).zip(deltas.chunks_mut(lines))) {
            part.values.push(values);
            part.deltas.push(deltas);
        }
    }
    parts
}

impl Part<'_> {
    /// Leaves the values of the hidden layers and the derivatives by the sums of all; returns the log loss of each panel of
    /// rows, summed over rows and labels. Beyond the last row all derivatives are 0: those of the last layer are made so,
    /// and what is handed back from 0 is 0.
    fn learn(self, network: &Network, parameters: &[f32], turned: &[Vec<Line>], cancel: &Cancel) -> Vec<f64> {
        let Self { features, truth, mut values, mut deltas } = self;
        network.forward(parameters, features, &mut values, cancel);
        let last = network.layers.len() - 1;
        let losses = log_loss(truth, values[last], deltas[last]);
        for (below, (layer, turned)) in network.layers[1..].iter().zip(turned).enumerate().rev() {
            let (before, delta) = deltas.split_at_mut(below + 1);
            let delta = Panels::new(layer.outputs, features.columns, delta[0]);
            multiply(Panels::new(layer.inputs, layer.outputs, turned), delta, before[below], cancel);
            network.activation.derive(values[below].as_flattened(), before[below].as_flattened_mut());
        }
        losses
    }
}

/// The loss of each panel of rows; leaves the derivatives by the sums, which are 0 beyond the last row.
fn log_loss(truth: Panels<'_>, sums: &mut [Line], delta: &mut [Line]) -> Vec<f64> {
    activation::log_loss(sums.as_flattened_mut(), truth.lines.as_flattened(), delta.as_flattened_mut());
    let panels = sums.chunks_exact(truth.rows).zip(delta.chunks_exact_mut(truth.rows)).enumerate();
    let loss = |(panel, (losses, delta)): (usize, (&[Line], &mut [Line]))| {
        let rows = (truth.columns - panel * WIDTH).min(WIDTH);
        delta.iter_mut().for_each(|line| line[rows..].fill(0.0));
        losses.iter().flat_map(|line| &line[..rows]).map(|&loss| f64::from(loss)).sum()
    };
    panels.map(loss).collect()
}

#[cfg(test)]
mod tests {
    use linfa::ParamGuard;
    use ndarray::Array2;

    use super::super::data::Data;
    use super::super::{MlpParams, Solver};
    use super::*;
    use crate::Labelled;

    #[test]
    fn first_weights_fill_glorots_range_evenly_and_what_fills_panels_is_0() {
        let network = Network::new(&[30, 20, 10], Activation::Relu);
        let mut first = network.first(RandomKey::root(1, 0));
        let bounds = [(6.0_f64 / 50.0).sqrt(), (6.0_f64 / 30.0).sqrt()];
        for (layer, bound) in network.layers.iter().zip(bounds) {
            let mut taken = Vec::new();
            for output in 0..layer.outputs {
                taken.extend((0..layer.inputs).map(|input| std::mem::take(&mut first[layer.weight(output, input)])));
            }
            let most = taken.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
            assert!((0.95 * bound..=bound).contains(&most), "{most} of {bound}");
            let mean = taken.iter().sum::<f64>() / taken.len() as f64;
            assert!(mean.abs() < 0.1 * bound && taken.iter().all(|x| *x != 0.0));
        }
        assert!(first[..network.weights].iter().all(|x| *x == 0.0));
        assert!(first[network.weights..].iter().all(|x| *x != 0.0));
    }

    /// Rows of 20 features and 3 labels.
    fn rows(count: usize) -> Data {
        let draw = |at: usize| f64::from(RandomKey::root(5, 0).draw(at as u32).uniform) - 0.5;
        let records = Array2::from_shape_fn((count, 20), |(i, j)| draw(20 * i + j));
        let targets = Array2::from_shape_fn((count, 3), |(i, k)| draw(20 * i + k) + draw(20 * i + k + 1) > 0.1);
        let params = MlpParams::default().solver(Solver::Lbfgs).check().unwrap();
        Data::new(&Labelled::new(records, targets), &[&params], &Cancel::new()).unwrap()
    }

    /// The loss of all rows with its gradient.
    fn learn(pass: &mut Pass, network: &Network, parameters: &[f32], rows: &Rows) -> (f64, Vec<f32>) {
        let cancel = Cancel::new();
        let loss = pass.learn(network, parameters, rows, &cancel);
        let mut all = vec![0.0; network.parameters];
        for gradient in pass.gradients(network, rows, &cancel) {
            let into = all[gradient.weights.clone()].par_chunks_mut(gradient.panel());
            gradient.by_weights(into, |into, panel| into.copy_from_slice(panel));
            all[gradient.biases.clone()].copy_from_slice(&gradient.by_biases());
        }
        (loss, all)
    }

    #[test]
    fn gradients_are_the_slopes_of_the_loss() {
        for activation in [Activation::Identity, Activation::Logistic, Activation::Tanh, Activation::Relu] {
            let network = Network::new(&[20, 18, 17, 3], activation);
            let first: Vec<f32> = network.first(RandomKey::root(2, 0)).iter().map(|&x| x as f32).collect();
            let data = rows(21);
            let mut pass = Pass::default();
            let (_, gradient) = learn(&mut pass, &network, &first, &data.blocks[0]);
            let mut tried = 0;
            for at in (0..first.len()).step_by(7).filter(|at| first[*at] != 0.0) {
                let mut loss = |by: f32| {
                    let mut there = first.clone();
                    there[at] += by;
                    learn(&mut pass, &network, &there, &data.blocks[0]).0
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
            let is_filling = |at: &usize| *at < network.weights && first[*at] == 0.0;
            assert!((0..first.len()).filter(is_filling).all(|at| gradient[at] == 0.0));
        }
    }

    #[test]
    fn a_pass_of_fewer_rows_knows_nothing_of_those_before() {
        let network = Network::new(&[20, 18, 3], Activation::Tanh);
        let first: Vec<f32> = network.first(RandomKey::root(2, 0)).iter().map(|&x| x as f32).collect();
        let mut pass = Pass::default();
        for count in [37, 5, 37, 16, 1] {
            let data = rows(count);
            let of = |pass: &mut Pass| learn(pass, &network, &first, &data.blocks[0]);
            assert_eq!(of(&mut pass), of(&mut Pass::default()), "{count} rows");
        }
    }
}
