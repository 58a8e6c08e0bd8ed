//! Adam (Kingma and Ba 2014), with scikit-learn's minibatches and stopping rule, for several networks at once.
//!
//! Networks that draw the same minibatches learn in lockstep: the rows of a minibatch are brought together once for all of
//! them. Each is what it would be alone, to the last bit.

use rayon::prelude::*;

use super::data::{Data, Rows};
use super::moments::{Moving, Step};
use super::network::{Network, Pass};
use super::{Fitted, MlpValidParams, Wanted, not_finite};
use crate::Cancel;
use crate::random::{IndexSampler, RandomKey};

/// Fits networks that draw the same minibatches.
pub(super) fn fit(starts: &[(&Wanted<'_>, Vec<f64>)], data: &Data, cancel: &Cancel) -> Vec<Result<Fitted, String>> {
    let (params, n) = (starts[0].0.params, data.rows);
    let batch = params.batch(n);
    let mut members: Vec<Member<'_>> = starts.iter().map(|(wanted, first)| Member::new(wanted, first)).collect();
    let mut learning: Vec<&mut Member<'_>> = members.iter_mut().collect();
    let mut minibatch = Rows::default();
    let (mut order, mut pool): (Vec<u32>, IndexSampler) = ((0..n as u32).collect(), IndexSampler::new(n));
    let mut epoch = 0;
    while !learning.is_empty() && !cancel.is_cancelled() {
        epoch += 1;
        if params.shuffle {
            order.clear();
            pool.begin(RandomKey::root(params.seed, u64::from(epoch)));
            order.extend(std::iter::from_fn(|| pool.next()));
        }
        for rows in order.chunks(batch) {
            if cancel.is_cancelled() {
                break;
            }
            minibatch.bring(data, rows);
            learning.par_iter_mut().for_each(|member| member.learn(&minibatch, cancel));
        }
        learning.retain_mut(|member| member.goes_on(epoch, n));
    }
    let fitted = |member: Member<'_>| cancel.check().map_err(String::from).and_then(|()| member.fitted());
    members.into_iter().map(fitted).collect()
}

/// One network.
struct Member<'a> {
    params: &'a MlpValidParams,
    network: &'a Network,
    parameters: Moving,
    pass: Pass,
    steps: i32,
    /// Of this epoch so far, summed over the rows.
    loss: f64,
    /// Of each epoch.
    losses: Vec<f64>,
    best: f64,
    unimproved: u32,
}

impl<'a> Member<'a> {
    fn new(Wanted { params, network, .. }: &'a Wanted<'_>, first: &[f64]) -> Self {
        Self {
            params,
            network,
            parameters: Moving::new(first),
            pass: Pass::default(),
            steps: 0,
            loss: 0.0,
            losses: Vec::new(),
            best: f64::INFINITY,
            unimproved: 0,
        }
    }

    /// Learns from a minibatch.
    fn learn(&mut self, rows: &Rows, cancel: &Cancel) {
        self.loss += self.pass.learn(self.network, &self.parameters.values, rows, cancel);
        self.steps = self.steps.saturating_add(1);
        let step = Step::new(self.params, self.steps, rows.count);
        let mut squares = 0.0;
        for gradient in self.pass.gradients(self.network, rows, cancel) {
            let weights = self.parameters.slice(gradient.weights.clone()).chunks(gradient.panel());
            squares += gradient.by_weights(weights, |slice, gradient| step.take(slice, gradient)).iter().sum::<f64>();
            step.unpenalised().take(self.parameters.slice(gradient.biases.clone()), &gradient.by_biases());
        }
        self.loss += 0.5 * self.params.alpha * squares;
    }

    /// Ends an epoch of `n` rows: whether another one follows.
    fn goes_on(&mut self, epoch: u32, n: usize) -> bool {
        let loss = std::mem::take(&mut self.loss) / n as f64;
        self.losses.push(loss);
        self.unimproved = if loss > self.best - self.params.tol { self.unimproved + 1 } else { 0 };
        self.best = self.best.min(loss);
        loss.is_finite() && self.unimproved <= self.params.n_iter_no_change && epoch < self.params.max_iter
    }

    fn fitted(self) -> Result<Fitted, String> {
        let is_finite = self.losses.last().is_some_and(|loss| loss.is_finite());
        if !is_finite {
            return Err(not_finite(self.losses.len() as u32));
        }
        Ok(Fitted { parameters: self.parameters.values, losses: self.losses })
    }
}
