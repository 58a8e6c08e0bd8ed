//! The line search of Moré and Thuente (1994), as in MINPACK-2's `dcsrch` and `dcstep`, which L-BFGS-B uses. It finds a
//! step with f(step) ≤ f(0) + 10⁻³ step f′(0) and |f′(step)| ≤ 0.9 |f′(0)|. The constants are L-BFGS-B's.

/// `ftol`: the least decrease of an acceptable step, as a share of step f′(0).
const SUFFICIENT_DECREASE: f64 = 1e-3;
/// `gtol`: the largest slope of an acceptable step, as a share of |f′(0)|.
const CURVATURE_CONDITION: f64 = 0.9;
/// `xtol`: an interval no wider than this share of its upper end is not narrowed further.
const MIN_RELATIVE_WIDTH: f64 = 0.1;
/// `stpmax`.
pub(super) const MAX_STEP: f64 = 1e10;

/// What to do after an evaluation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum NextStep {
    /// Evaluate this step.
    Evaluate(f64),
    /// Take the step just evaluated: it is acceptable, or there is no better one to be found.
    Accept,
}

/// A step with value and derivative.
#[derive(Debug, Clone, Copy)]
struct Point {
    step: f64,
    value: f64,
    slope: f64,
}

impl Point {
    /// The point on the auxiliary function, which has `slope` × step subtracted.
    fn auxiliary(self, slope: f64) -> Self {
        Self { step: self.step, value: self.value - self.step * slope, slope: self.slope - slope }
    }
}

/// The state between evaluations.
pub(super) struct LineSearch {
    start: Point,
    /// The best step so far, and the other end of the interval that holds a minimiser once it is bracketed.
    best: Point,
    other: Point,
    is_bracketed: bool,
    /// Until a step has both a sufficient decrease and a slope that is not negative.
    is_first_stage: bool,
    width: f64,
    width_before: f64,
    min_step: f64,
    max_step: f64,
}

impl LineSearch {
    /// Starts with the value and the (negative) slope at 0 and the first step to evaluate.
    pub(super) fn new(value: f64, slope: f64, step: f64) -> Self {
        let start = Point { step: 0.0, value, slope };
        Self {
            start,
            best: start,
            other: start,
            is_bracketed: false,
            is_first_stage: true,
            width: MAX_STEP,
            width_before: 2.0 * MAX_STEP,
            min_step: 0.0,
            max_step: 5.0 * step,
        }
    }

    /// What to do after value and slope were evaluated at `step`.
    pub(super) fn next(&mut self, step: f64, value: f64, slope: f64) -> NextStep {
        let current = Point { step, value, slope };
        let line = SUFFICIENT_DECREASE * self.start.slope;
        let decreased = value <= self.start.value + step * line;
        if self.is_first_stage && decreased && slope >= 0.0 {
            self.is_first_stage = false;
        }
        let is_good = decreased && slope.abs() <= CURVATURE_CONDITION * -self.start.slope;
        let is_stuck = self.is_bracketed && (step <= self.min_step || step >= self.max_step || self.is_narrow());
        let is_at_bound =
            step == MAX_STEP && decreased && slope <= line || step == 0.0 && (!decreased || slope >= line);
        if is_good || is_stuck || is_at_bound {
            return NextStep::Accept;
        }
        let next = if self.is_first_stage && value <= self.best.value && !decreased {
            // A lower value without sufficient decrease: the next step is predicted on the auxiliary function.
            (self.best, self.other) = (self.best.auxiliary(line), self.other.auxiliary(line));
            let next = self.update_interval(current.auxiliary(line));
            (self.best, self.other) = (self.best.auxiliary(-line), self.other.auxiliary(-line));
            next
        } else {
            self.update_interval(current)
        };
        NextStep::Evaluate(self.safeguard(next))
    }

    fn is_narrow(&self) -> bool {
        self.max_step - self.min_step <= MIN_RELATIVE_WIDTH * self.max_step
    }

    /// Bisects an interval that shrinks too slowly, and sets the bounds for the next step.
    fn safeguard(&mut self, mut next: f64) -> f64 {
        let (best, other) = (self.best.step, self.other.step);
        if self.is_bracketed {
            if (other - best).abs() >= 0.66 * self.width_before {
                next = best + 0.5 * (other - best);
            }
            self.width_before = self.width;
            self.width = (other - best).abs();
            (self.min_step, self.max_step) = (best.min(other), best.max(other));
        } else {
            (self.min_step, self.max_step) = (next + 1.1 * (next - best), next + 4.0 * (next - best));
        }
        let next = next.clamp(0.0, MAX_STEP);
        if self.is_bracketed && (next <= self.min_step || next >= self.max_step || self.is_narrow()) {
            best
        } else {
            next
        }
    }

    /// Updates the interval with a point and predicts the next step (`dcstep`).
    fn update_interval(&mut self, current: Point) -> f64 {
        let best = self.best;
        let is_opposite = current.slope.signum() * best.slope.signum() < 0.0 && current.slope != 0.0;
        let next = if current.value > best.value {
            self.is_bracketed = true;
            step_for_higher_value(best, current)
        } else if is_opposite {
            self.is_bracketed = true;
            step_for_opposite_slope(best, current)
        } else if current.slope.abs() < best.slope.abs() {
            self.step_for_flatter_slope(best, current)
        } else if self.is_bracketed {
            let (gamma, theta) = cubic(self.other, current);
            let gamma = if current.step > self.other.step { -gamma } else { gamma };
            let ratio = ((gamma - current.slope) + theta) / (((gamma - current.slope) + gamma) + self.other.slope);
            current.step + ratio * (self.other.step - current.step)
        } else {
            self.step_bound(current.step > best.step)
        };
        if current.value > best.value {
            self.other = current;
        } else {
            if is_opposite {
                self.other = best;
            }
            self.best = current;
        }
        next
    }

    fn step_bound(&self, up: bool) -> f64 {
        if up { self.max_step } else { self.min_step }
    }

    /// A lower value and a slope of the same sign, but flatter.
    fn step_for_flatter_slope(&self, best: Point, current: Point) -> f64 {
        let up = current.step > best.step;
        let (gamma, theta) = cubic(best, current);
        let gamma = if up { -gamma } else { gamma };
        let ratio = ((gamma - current.slope) + theta) / ((gamma + (best.slope - current.slope)) + gamma);
        let along_cubic = if ratio < 0.0 && gamma != 0.0 {
            current.step + ratio * (best.step - current.step)
        } else {
            self.step_bound(up)
        };
        let along_secant = secant(best, current);
        let cubic_is_nearer = (along_cubic - current.step).abs() < (along_secant - current.step).abs();
        if !self.is_bracketed {
            let farther = if cubic_is_nearer { along_secant } else { along_cubic };
            return farther.max(self.min_step).min(self.max_step);
        }
        let nearer = if cubic_is_nearer { along_cubic } else { along_secant };
        let limit = current.step + 0.66 * (self.other.step - current.step);
        if up { nearer.min(limit) } else { nearer.max(limit) }
    }
}

/// A higher value: the minimum lies between.
fn step_for_higher_value(best: Point, current: Point) -> f64 {
    let (gamma, theta) = cubic(best, current);
    let gamma = if current.step < best.step { -gamma } else { gamma };
    let ratio = ((gamma - best.slope) + theta) / (((gamma - best.slope) + gamma) + current.slope);
    let length = current.step - best.step;
    let along_cubic = best.step + ratio * length;
    let fall = (best.value - current.value) / length + best.slope;
    let along_quadratic = best.step + best.slope / fall / 2.0 * length;
    if (along_cubic - best.step).abs() <= (along_quadratic - best.step).abs() {
        along_cubic
    } else {
        along_cubic + (along_quadratic - along_cubic) / 2.0
    }
}

/// A lower value and a slope of the other sign: the minimum lies between.
fn step_for_opposite_slope(best: Point, current: Point) -> f64 {
    let (gamma, theta) = cubic(best, current);
    let gamma = if current.step > best.step { -gamma } else { gamma };
    let ratio = ((gamma - current.slope) + theta) / (((gamma - current.slope) + gamma) + best.slope);
    let along_cubic = current.step + ratio * (best.step - current.step);
    let along_secant = secant(best, current);
    let cubic_is_farther = (along_cubic - current.step).abs() > (along_secant - current.step).abs();
    if cubic_is_farther { along_cubic } else { along_secant }
}

fn secant(best: Point, current: Point) -> f64 {
    current.step + current.slope / (current.slope - best.slope) * (best.step - current.step)
}

/// What the minimiser of the cubic through two points is made of: γ ≥ 0 and θ. Where rounding leaves no real γ it is 0.
fn cubic(a: Point, b: Point) -> (f64, f64) {
    let theta = 3.0 * (a.value - b.value) / (b.step - a.step) + a.slope + b.slope;
    let scale = theta.abs().max(a.slope.abs()).max(b.slope.abs());
    let square = (theta / scale) * (theta / scale) - (a.slope / scale) * (b.slope / scale);
    (scale * square.max(0.0).sqrt(), theta)
}
