//! Adam (Kingma and Ba 2014), with scikit-learn's minibatches and stopping rule, for several networks at once.
//!
//! Networks that draw the same minibatches learn in lockstep: the rows of a minibatch are gathered once for all of them.
//! Each network is what it would be alone, to the last bit.

use rayon::prelude::*;

use super::data::{Batch, TrainingData};
use super::moments::{AdamState, AdamStep};
use super::network::{Network, PassBuffers};
use super::{FitTask, MlpValidParams, Solution, not_finite};
use crate::Cancel;
use crate::random::{IndexSampler, RandomKey};

/// Fits networks that draw the same minibatches.
pub(super) fn fit(
    starts: &[(&FitTask<'_>, Vec<f64>)],
    data: &TrainingData,
    cancel: &Cancel,
) -> Vec<Result<Solution, String>> {
    let (params, n) = (starts[0].0.params, data.rows);
    let batch_rows = params.batch_rows(n);
    let mut trainers: Vec<NetworkTrainer<'_>> =
        starts.iter().map(|(task, initial)| NetworkTrainer::new(task, initial)).collect();
    let mut learning: Vec<&mut NetworkTrainer<'_>> = trainers.iter_mut().collect();
    let mut batch = Batch::default();
    let mut order: Vec<u32> = (0..n as u32).collect();
    let mut sampler = IndexSampler::new(n);
    let mut epoch = 0;
    while !learning.is_empty() && !cancel.is_cancelled() {
        epoch += 1;
        if params.shuffle {
            order.clear();
            sampler.begin(RandomKey::root(params.seed, u64::from(epoch)));
            order.extend(std::iter::from_fn(|| sampler.next()));
        }
        for rows in order.chunks(batch_rows) {
            if cancel.is_cancelled() {
                break;
            }
            batch.fill(data, rows);
            learning.par_iter_mut().for_each(|trainer| trainer.train_on(&batch, cancel));
        }
        learning.retain_mut(|trainer| trainer.end_epoch(epoch, n));
    }
    let solution = |trainer: NetworkTrainer<'_>| cancel.check().map_err(String::from).and_then(|()| trainer.solution());
    trainers.into_iter().map(solution).collect()
}

/// Trains one network.
struct NetworkTrainer<'a> {
    params: &'a MlpValidParams,
    network: &'a Network,
    parameters: AdamState,
    buffers: PassBuffers,
    steps: i32,
    /// Of the current epoch so far, summed over its rows.
    loss: f64,
    /// The mean loss of each finished epoch.
    losses: Vec<f64>,
    best_loss: f64,
    /// Epochs in a row that did not improve the loss by more than `tol`.
    unimproved_epochs: u32,
}

impl<'a> NetworkTrainer<'a> {
    fn new(FitTask { params, network, .. }: &'a FitTask<'_>, initial: &[f64]) -> Self {
        Self {
            params,
            network,
            parameters: AdamState::new(initial),
            buffers: PassBuffers::default(),
            steps: 0,
            loss: 0.0,
            losses: Vec::new(),
            best_loss: f64::INFINITY,
            unimproved_epochs: 0,
        }
    }

    /// Takes a step on a minibatch.
    fn train_on(&mut self, rows: &Batch, cancel: &Cancel) {
        self.loss += self.buffers.forward_backward(self.network, &self.parameters.values, rows, cancel);
        self.steps = self.steps.saturating_add(1);
        let step = AdamStep::new(self.params, self.steps, rows.count);
        let mut squares = 0.0;
        for gradient in self.buffers.gradients(self.network, rows, cancel) {
            let weights = self.parameters.slice(gradient.weights.clone()).chunks(gradient.panel_weights());
            squares +=
                gradient.map_weight_panels(weights, |slice, gradient| step.apply(slice, gradient)).iter().sum::<f64>();
            step.unpenalised().apply(self.parameters.slice(gradient.biases.clone()), &gradient.bias_gradient());
        }
        self.loss += 0.5 * self.params.alpha * squares;
    }

    /// Ends an epoch of `n` rows; whether another one follows.
    fn end_epoch(&mut self, epoch: u32, n: usize) -> bool {
        let loss = std::mem::take(&mut self.loss) / n as f64;
        self.losses.push(loss);
        self.unimproved_epochs = if loss > self.best_loss - self.params.tol { self.unimproved_epochs + 1 } else { 0 };
        self.best_loss = self.best_loss.min(loss);
        loss.is_finite() && self.unimproved_epochs <= self.params.n_iter_no_change && epoch < self.params.max_iter
    }

    fn solution(self) -> Result<Solution, String> {
        let is_finite = self.losses.last().is_some_and(|loss| loss.is_finite());
        if !is_finite {
            return Err(not_finite(self.losses.len() as u32));
        }
        Ok(Solution { parameters: self.parameters.values, losses: self.losses })
    }
}
