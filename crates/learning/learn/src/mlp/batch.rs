//! The loss of all rows, for L-BFGS.

use rayon::prelude::*;

use super::data::Data;
use super::lbfgs::{self, Limits};
use super::network::Pass;
use super::vector::dot;
use super::{Fitted, Wanted, not_finite};
use crate::Cancel;

/// Fits one network from these first parameters.
pub(super) fn fit(wanted: &Wanted<'_>, first: Vec<f64>, data: &Data, cancel: &Cancel) -> Result<Fitted, String> {
    let Wanted { params, network, .. } = wanted;
    let n = data.rows as f64;
    let mut pass = Pass::default();
    let mut parameters = vec![0.0; network.parameters];
    let evaluate = |at: &[f64], gradient: &mut [f64]| {
        parameters.iter_mut().zip(at).for_each(|(parameter, x)| *parameter = *x as f32);
        let weights = &at[..network.weights];
        let (by_weights, by_biases) = gradient.split_at_mut(network.weights);
        by_weights.iter_mut().zip(weights).for_each(|(into, weight)| *into = params.alpha * weight);
        by_biases.fill(0.0);
        let mut loss = 0.5 * params.alpha * dot(weights, weights);
        // Some rows at a time in f32, those sums in f64.
        for rows in &data.blocks {
            if cancel.is_cancelled() {
                // A loss that is not finite ends the iterations.
                return f64::NAN;
            }
            loss += pass.learn(network, &parameters, rows, cancel);
            for part in pass.gradients(network, rows, cancel) {
                part.by_weights(gradient[part.weights.clone()].par_chunks_mut(part.panel()), add);
                add(&mut gradient[part.biases.clone()], &part.by_biases());
            }
        }
        gradient.iter_mut().for_each(|into| *into /= n);
        loss / n
    };
    let limits = Limits { iterations: params.max_iter, evaluations: params.max_fun, gradient: params.tol };
    let minimum = lbfgs::minimise(first, &limits, evaluate);
    cancel.check()?;
    let minimum = minimum.map_err(not_finite)?;
    let parameters = minimum.at.iter().map(|&x| x as f32).collect();
    Ok(Fitted { parameters, losses: minimum.values })
}

fn add(sums: &mut [f64], part: &[f32]) {
    sums.iter_mut().zip(part).for_each(|(sum, x)| *sum += f64::from(*x));
}
