//! The loss of all rows, for L-BFGS.

use std::ops::Range;

use ndarray::s;

use super::data::Data;
use super::lbfgs::{self, Limits};
use super::network::{Network, Pass};
use super::vector::dot;
use super::{Fitted, MlpValidParams, not_finite};

/// Rows that pass at once.
const ROWS: usize = 512;

/// Fits from these first parameters.
pub(super) fn fit(params: &MlpValidParams, network: &Network, data: &Data, first: Vec<f64>) -> Result<Fitted, String> {
    let n = data.rows();
    let middle = n.div_ceil(ROWS).div_ceil(2) * ROWS;
    // Always the same halves, so that the sums are the same for any number of threads.
    let mut sides = [Side::new(network, 0..middle.min(n)), Side::new(network, middle.min(n)..n)];
    let mut parameters = vec![0.0; network.parameters];
    let evaluate = |at: &[f64], gradient: &mut [f64]| {
        parameters.iter_mut().zip(at).for_each(|(parameter, x)| *parameter = *x as f32);
        let [a, b] = &mut sides;
        let both = rayon::join(|| a.learn(network, &parameters, data), || b.learn(network, &parameters, data));
        for (into, (a, b)) in gradient.iter_mut().zip(a.gradient.iter().zip(&b.gradient)) {
            *into = (a + b) / n as f64;
        }
        let weights = &at[..network.weights];
        gradient.iter_mut().zip(weights).for_each(|(into, weight)| *into += params.alpha * weight / n as f64);
        (both.0 + both.1 + 0.5 * params.alpha * dot(weights, weights)) / n as f64
    };
    let limits = Limits { iterations: params.max_iter, evaluations: params.max_fun, gradient: params.tol };
    let minimum = lbfgs::minimise(first, &limits, evaluate).map_err(not_finite)?;
    let parameters = minimum.at.iter().map(|&x| x as f32).collect();
    Ok(Fitted { parameters, losses: minimum.values })
}

/// One half of the rows.
struct Side {
    rows: Range<usize>,
    pass: Pass,
    /// Summed over the rows.
    gradient: Vec<f64>,
}

impl Side {
    fn new(network: &Network, rows: Range<usize>) -> Self {
        let pass = Pass::new(network, rows.len().min(ROWS));
        Self { rows, pass, gradient: vec![0.0; network.parameters] }
    }

    /// Sums loss and gradient, a few hundred rows at a time in f32, those sums in f64.
    fn learn(&mut self, network: &Network, parameters: &[f32], data: &Data) -> f64 {
        self.gradient.fill(0.0);
        let mut loss = 0.0;
        for from in self.rows.clone().step_by(ROWS) {
            let rows = s![from..(from + ROWS).min(self.rows.end), ..];
            loss += self.pass.learn(network, parameters, data.features.slice(rows), data.truth.slice(rows));
            self.gradient.iter_mut().zip(&self.pass.gradient).for_each(|(sum, part)| *sum += f64::from(*part));
        }
        loss
    }
}
