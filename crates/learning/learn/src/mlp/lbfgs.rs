//! L-BFGS (Byrd, Lu, Nocedal, Zhu 1995) without bounds, with the steps, stopping rules and restarts of SciPy's L-BFGS-B.

use std::collections::VecDeque;

use super::line_search::{LineSearch, MAX_STEP, NextStep};
use super::vector::{axpy, dot, max_abs};

/// Pairs of steps and gradient changes that the curvature is estimated from (`maxcor`, as scikit-learn leaves it).
const MEMORY_PAIRS: usize = 10;
/// The search stops when an iteration lowers the value by less than this share of it, or of 1 if the value is smaller
/// (SciPy's default `ftol`).
const MIN_RELATIVE_DECREASE: f64 = 2.220_446_049_250_313e-9;
/// Evaluations in one line search (SciPy's default `maxls`).
const MAX_LINE_SEARCH_EVALUATIONS: usize = 20;

/// When to stop at the latest.
pub(super) struct StoppingCriteria {
    pub(super) max_iterations: u32,
    /// Checked at the end of an iteration.
    pub(super) max_evaluations: u32,
    /// A gradient whose largest component is at most this counts as zero.
    pub(super) gradient_tolerance: f64,
}

/// Where the search stopped.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Minimum {
    pub(super) at: Vec<f64>,
    /// The value at the start and after each iteration.
    pub(super) values: Vec<f64>,
}

/// Minimises, starting at `at`; `evaluate` returns the value at a point and writes the gradient. The error is the number
/// of the iteration in which a value was not finite.
pub(super) fn minimise(
    at: Vec<f64>,
    criteria: &StoppingCriteria,
    mut evaluate: impl FnMut(&[f64], &mut [f64]) -> f64,
) -> Result<Minimum, u32> {
    let mut evaluations = 0;
    let mut finite = |at: &[f64], gradient: &mut [f64], iteration: u32| {
        evaluations += 1;
        let value = evaluate(at, gradient);
        if value.is_finite() { Ok((value, evaluations)) } else { Err(iteration) }
    };
    let mut current = Iterate { value: 0.0, gradient: vec![0.0; at.len()], at };
    current.value = finite(&current.at, &mut current.gradient, 0)?.0;
    let mut start = current.clone();
    let mut direction = vec![0.0; current.at.len()];
    let mut memory = Memory(VecDeque::new());
    let mut values = vec![current.value];
    while max_abs(&current.gradient) > criteria.gradient_tolerance {
        memory.direction(&current.gradient, &mut direction);
        start.clone_from(&current);
        let iteration = values.len() as u32;
        let first_step = if iteration == 1 { (1.0 / dot(&direction, &direction).sqrt()).min(MAX_STEP) } else { 1.0 };
        let mut total_evaluations = 0;
        let found = line_search(&start, &mut current, &direction, first_step, |at, gradient| {
            let (value, evaluations) = finite(at, gradient, iteration)?;
            total_evaluations = evaluations;
            Ok(value)
        })?;
        if !found {
            current.clone_from(&start);
            if memory.0.is_empty() {
                break;
            }
            // The remembered curvature may be wrong: restart with steepest descent.
            memory.0.clear();
            continue;
        }
        values.push(current.value);
        let min_decrease = MIN_RELATIVE_DECREASE * start.value.abs().max(current.value.abs()).max(1.0);
        if iteration >= criteria.max_iterations
            || total_evaluations > criteria.max_evaluations
            || start.value - current.value <= min_decrease
        {
            break;
        }
        memory.remember(&start, &current);
    }
    Ok(Minimum { at: current.at, values })
}

/// A point with its value and gradient.
#[derive(Clone)]
struct Iterate {
    at: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

/// Moves `current` from `start` along the direction; false if no step is acceptable.
fn line_search(
    start: &Iterate,
    current: &mut Iterate,
    direction: &[f64],
    first_step: f64,
    mut evaluate: impl FnMut(&[f64], &mut [f64]) -> Result<f64, u32>,
) -> Result<bool, u32> {
    let slope = dot(&start.gradient, direction);
    if slope >= 0.0 {
        return Ok(false);
    }
    let mut search = LineSearch::new(start.value, slope, first_step);
    let mut step = first_step;
    for _ in 0..MAX_LINE_SEARCH_EVALUATIONS {
        current.at.copy_from_slice(&start.at);
        axpy(step, direction, &mut current.at);
        current.value = evaluate(&current.at, &mut current.gradient)?;
        match search.next(step, current.value, dot(&current.gradient, direction)) {
            NextStep::Accept => return Ok(true),
            NextStep::Evaluate(next) => step = next,
        }
    }
    Ok(false)
}

/// The last steps, oldest first.
struct Memory(VecDeque<CurvaturePair>);

struct CurvaturePair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// step · change.
    curvature: f64,
    /// change · change.
    square: f64,
}

impl Memory {
    /// Remembers a step, unless the curvature along it is not clearly positive.
    fn remember(&mut self, from: &Iterate, to: &Iterate) {
        let oldest = if self.0.len() == MEMORY_PAIRS { self.0.pop_front() } else { None };
        let reused = oldest.map_or_else(|| (Vec::new(), Vec::new()), |pair| (pair.step, pair.change));
        let step = difference(&to.at, &from.at, reused.0);
        let change = difference(&to.gradient, &from.gradient, reused.1);
        let (curvature, square) = (dot(&step, &change), dot(&change, &change));
        if curvature > -f64::EPSILON * dot(&from.gradient, &step) {
            self.0.push_back(CurvaturePair { step, change, curvature, square });
        }
    }

    /// −H · gradient by the two-loop recursion (Nocedal 1980).
    fn direction(&self, gradient: &[f64], direction: &mut [f64]) {
        direction.iter_mut().zip(gradient).for_each(|(d, g)| *d = -g);
        let mut factors = [0.0; MEMORY_PAIRS];
        for (pair, factor) in self.0.iter().zip(&mut factors).rev() {
            *factor = dot(&pair.step, direction) / pair.curvature;
            axpy(-*factor, &pair.change, direction);
        }
        if let Some(newest) = self.0.back() {
            let scale = newest.curvature / newest.square;
            direction.iter_mut().for_each(|d| *d *= scale);
        }
        for (pair, factor) in self.0.iter().zip(factors) {
            let along = dot(&pair.change, direction) / pair.curvature;
            axpy(factor - along, &pair.step, direction);
        }
    }
}

/// a − b, in a vector whose memory is reused.
fn difference(a: &[f64], b: &[f64], mut reused: Vec<f64>) -> Vec<f64> {
    reused.clear();
    reused.extend(a.iter().zip(b).map(|(a, b)| a - b));
    reused
}
