//! L-BFGS (Byrd, Lu, Nocedal, Zhu 1995) without bounds: the steps, the ends and the restarts of SciPy's L-BFGS-B.

use std::collections::VecDeque;

use super::line_search::{LONGEST, LineSearch, Next};
use super::vector::{add, dot, largest};

/// Pairs of steps and gradient changes that make up the curvature.
const MEMORY: usize = 10;
/// The end has come when an iteration lowers the value by less than this share of it (of 1, if it is below).
const DECREASE: f64 = 2.220_446_049_250_313e-9;
/// Most evaluations in one line search.
const TRIES: usize = 20;

/// When to end at the latest.
pub(super) struct Limits {
    /// Iterations.
    pub(super) iterations: u32,
    /// Evaluations, counted at the end of an iteration.
    pub(super) evaluations: u32,
    /// Largest component of a gradient that counts as zero.
    pub(super) gradient: f64,
}

/// Where it ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Minimum {
    pub(super) at: Vec<f64>,
    /// The value at the start and after each iteration.
    pub(super) values: Vec<f64>,
}

/// Minimises from `at`; `evaluate` gives the value somewhere and writes the gradient there. An error is the number of
/// the iteration in which a value was not finite.
pub(super) fn minimise(
    at: Vec<f64>,
    limits: &Limits,
    mut evaluate: impl FnMut(&[f64], &mut [f64]) -> f64,
) -> Result<Minimum, u32> {
    let mut evaluations = 0;
    let mut finite = |at: &[f64], gradient: &mut [f64], iteration: u32| {
        evaluations += 1;
        let value = evaluate(at, gradient);
        if value.is_finite() { Ok((value, evaluations)) } else { Err(iteration) }
    };
    let mut here = Place { value: 0.0, gradient: vec![0.0; at.len()], at };
    here.value = finite(&here.at, &mut here.gradient, 0)?.0;
    let mut start = here.clone();
    let mut direction = vec![0.0; here.at.len()];
    let mut memory = Memory(VecDeque::new());
    let mut values = vec![here.value];
    while largest(&here.gradient) > limits.gradient {
        memory.direction(&here.gradient, &mut direction);
        start.clone_from(&here);
        let iteration = values.len() as u32;
        let first = if iteration == 1 { (1.0 / dot(&direction, &direction).sqrt()).min(LONGEST) } else { 1.0 };
        let mut counted = 0;
        let found = search(&start, &mut here, &direction, first, |at, gradient| {
            let (value, so_far) = finite(at, gradient, iteration)?;
            counted = so_far;
            Ok(value)
        })?;
        if !found {
            here.clone_from(&start);
            if memory.0.is_empty() {
                break;
            }
            // The curvature remembered may be wrong: once more from the gradient alone.
            memory.0.clear();
            continue;
        }
        values.push(here.value);
        let least = DECREASE * start.value.abs().max(here.value.abs()).max(1.0);
        if iteration >= limits.iterations || counted > limits.evaluations || start.value - here.value <= least {
            break;
        }
        memory.learn(&start, &here);
    }
    Ok(Minimum { at: here.at, values })
}

#[derive(Clone)]
struct Place {
    at: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

/// Moves `here` from `start` along the direction; false if no step is good enough.
fn search(
    start: &Place,
    here: &mut Place,
    direction: &[f64],
    first: f64,
    mut evaluate: impl FnMut(&[f64], &mut [f64]) -> Result<f64, u32>,
) -> Result<bool, u32> {
    let slope = dot(&start.gradient, direction);
    if slope >= 0.0 {
        return Ok(false);
    }
    let mut search = LineSearch::new(start.value, slope, first);
    let mut step = first;
    for _ in 0..TRIES {
        here.at.copy_from_slice(&start.at);
        add(step, direction, &mut here.at);
        here.value = evaluate(&here.at, &mut here.gradient)?;
        match search.next(step, here.value, dot(&here.gradient, direction)) {
            Next::Take => return Ok(true),
            Next::Try(next) => step = next,
        }
    }
    Ok(false)
}

/// The last steps, oldest first.
struct Memory(VecDeque<Pair>);

struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// step · change, and change · change.
    curvature: f64,
    square: f64,
}

impl Memory {
    /// Remembers a step unless the curvature along it is not clearly positive.
    fn learn(&mut self, from: &Place, to: &Place) {
        let oldest = if self.0.len() == MEMORY { self.0.pop_front() } else { None };
        let room = oldest.map_or_else(|| (Vec::new(), Vec::new()), |pair| (pair.step, pair.change));
        let (step, change) = (difference(&to.at, &from.at, room.0), difference(&to.gradient, &from.gradient, room.1));
        let (curvature, square) = (dot(&step, &change), dot(&change, &change));
        if curvature > -f64::EPSILON * dot(&from.gradient, &step) {
            self.0.push_back(Pair { step, change, curvature, square });
        }
    }

    /// −H · gradient by the two-loop recursion (Nocedal 1980).
    fn direction(&self, gradient: &[f64], direction: &mut [f64]) {
        direction.iter_mut().zip(gradient).for_each(|(d, g)| *d = -g);
        let mut factors = [0.0; MEMORY];
        for (pair, factor) in self.0.iter().zip(&mut factors).rev() {
            *factor = dot(&pair.step, direction) / pair.curvature;
            add(-*factor, &pair.change, direction);
        }
        if let Some(newest) = self.0.back() {
            let scale = newest.curvature / newest.square;
            direction.iter_mut().for_each(|d| *d *= scale);
        }
        for (pair, factor) in self.0.iter().zip(factors) {
            let along = dot(&pair.change, direction) / pair.curvature;
            add(factor - along, &pair.step, direction);
        }
    }
}

fn difference(a: &[f64], b: &[f64], mut room: Vec<f64>) -> Vec<f64> {
    room.clear();
    room.extend(a.iter().zip(b).map(|(a, b)| a - b));
    room
}
