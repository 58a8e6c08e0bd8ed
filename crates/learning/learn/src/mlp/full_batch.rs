//! L-BFGS on the loss of all rows.

use rayon::prelude::*;

use super::data::TrainingData;
use super::lbfgs::{self, StoppingCriteria};
use super::network::PassBuffers;
use super::vector::dot;
use super::{FitTask, Solution, not_finite};
use crate::Cancel;

/// Fits one network from these initial parameters.
pub(super) fn fit(
    task: &FitTask<'_>,
    initial: Vec<f64>,
    data: &TrainingData,
    cancel: &Cancel,
) -> Result<Solution, String> {
    let FitTask { params, network, .. } = task;
    let n = data.rows as f64;
    let mut pass = PassBuffers::default();
    let mut parameters = vec![0.0; network.parameters];
    let evaluate = |at: &[f64], gradient: &mut [f64]| {
        parameters.iter_mut().zip(at).for_each(|(parameter, x)| *parameter = *x as f32);
        let weights = &at[..network.weights];
        let (map_weight_panels, bias_gradient) = gradient.split_at_mut(network.weights);
        map_weight_panels.iter_mut().zip(weights).for_each(|(into, weight)| *into = params.alpha * weight);
        bias_gradient.fill(0.0);
        let mut loss = 0.5 * params.alpha * dot(weights, weights);
        // f32 within a batch of rows, f64 for the sum over the batches.
        for rows in &data.batches {
            if cancel.is_cancelled() {
                // A loss that is not finite ends the iterations.
                return f64::NAN;
            }
            loss += pass.forward_backward(network, &parameters, rows, cancel);
            for layer in pass.gradients(network, rows, cancel) {
                layer.map_weight_panels(gradient[layer.weights.clone()].par_chunks_mut(layer.panel_weights()), add);
                add(&mut gradient[layer.biases.clone()], &layer.bias_gradient());
            }
        }
        gradient.iter_mut().for_each(|into| *into /= n);
        loss / n
    };
    let criteria = StoppingCriteria {
        max_iterations: params.max_iter,
        max_evaluations: params.max_fun,
        gradient_tolerance: params.tol,
    };
    let minimum = lbfgs::minimise(initial, &criteria, evaluate);
    cancel.check()?;
    let minimum = minimum.map_err(not_finite)?;
    let parameters = minimum.at.iter().map(|&x| x as f32).collect();
    Ok(Solution { parameters, losses: minimum.values })
}

fn add(sums: &mut [f64], gradient: &[f32]) {
    sums.iter_mut().zip(gradient).for_each(|(sum, x)| *sum += f64::from(*x));
}
