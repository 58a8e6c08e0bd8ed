//! The line search of Moré and Thuente (1994), as MINPACK-2's `dcsrch` and `dcstep` do it and L-BFGS-B uses it: a step
//! with f(step) ≤ f(0) + 10⁻³ step f′(0) and |f′(step)| ≤ 0.9 |f′(0)|.

const DECREASE: f64 = 1e-3;
const CURVATURE: f64 = 0.9;
/// An interval that is this much of its upper end is not narrowed further.
const NARROW: f64 = 0.1;
/// The longest step.
pub(super) const LONGEST: f64 = 1e10;

/// What to do after an evaluation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Next {
    /// Evaluate there.
    Try(f64),
    /// Take the step just evaluated: it is good, or there is no better one to be found.
    Take,
}

/// A step with value and derivative.
#[derive(Debug, Clone, Copy)]
struct Point {
    step: f64,
    value: f64,
    slope: f64,
}

impl Point {
    /// Against the line that the decrease is measured by: subtracts `slope` × step.
    fn tilted(self, slope: f64) -> Self {
        Self { step: self.step, value: self.value - self.step * slope, slope: self.slope - slope }
    }
}

/// The state between evaluations.
pub(super) struct LineSearch {
    start: Point,
    /// The best step so far, and the other end of the interval that holds a minimiser once it is bracketed.
    best: Point,
    other: Point,
    bracketed: bool,
    /// Until a step has both decreased enough and passed a minimum.
    early: bool,
    width: f64,
    width_before: f64,
    least: f64,
    most: f64,
}

impl LineSearch {
    /// From value and (negative) slope at 0, with the first step to be tried.
    pub(super) fn new(value: f64, slope: f64, step: f64) -> Self {
        let start = Point { step: 0.0, value, slope };
        Self {
            start,
            best: start,
            other: start,
            bracketed: false,
            early: true,
            width: LONGEST,
            width_before: 2.0 * LONGEST,
            least: 0.0,
            most: 5.0 * step,
        }
    }

    /// Goes on from value and slope at `step`.
    pub(super) fn next(&mut self, step: f64, value: f64, slope: f64) -> Next {
        let here = Point { step, value, slope };
        let line = DECREASE * self.start.slope;
        let decreased = value <= self.start.value + step * line;
        if self.early && decreased && slope >= 0.0 {
            self.early = false;
        }
        let good = decreased && slope.abs() <= CURVATURE * -self.start.slope;
        let stuck = self.bracketed && (step <= self.least || step >= self.most || self.is_narrow());
        let at_end = step == LONGEST && decreased && slope <= line || step == 0.0 && (!decreased || slope >= line);
        if good || stuck || at_end {
            return Next::Take;
        }
        let next = if self.early && value <= self.best.value && !decreased {
            // A lower value that did not decrease enough: steps are predicted on the tilted function.
            (self.best, self.other) = (self.best.tilted(line), self.other.tilted(line));
            let next = self.narrow(here.tilted(line));
            (self.best, self.other) = (self.best.tilted(-line), self.other.tilted(-line));
            next
        } else {
            self.narrow(here)
        };
        Next::Try(self.guard(next))
    }

    fn is_narrow(&self) -> bool {
        self.most - self.least <= NARROW * self.most
    }

    /// Bisects an interval that shrinks too slowly, and sets the bounds for the next step.
    fn guard(&mut self, mut next: f64) -> f64 {
        let (best, other) = (self.best.step, self.other.step);
        if self.bracketed {
            if (other - best).abs() >= 0.66 * self.width_before {
                next = best + 0.5 * (other - best);
            }
            self.width_before = self.width;
            self.width = (other - best).abs();
            (self.least, self.most) = (best.min(other), best.max(other));
        } else {
            (self.least, self.most) = (next + 1.1 * (next - best), next + 4.0 * (next - best));
        }
        let next = next.clamp(0.0, LONGEST);
        if self.bracketed && (next <= self.least || next >= self.most || self.is_narrow()) { best } else { next }
    }

    /// Takes a point into the interval and predicts the next step.
    fn narrow(&mut self, here: Point) -> f64 {
        let best = self.best;
        let opposite = here.slope.signum() * best.slope.signum() < 0.0 && here.slope != 0.0;
        let next = if here.value > best.value {
            self.bracketed = true;
            higher(best, here)
        } else if opposite {
            self.bracketed = true;
            past_the_minimum(best, here)
        } else if here.slope.abs() < best.slope.abs() {
            self.flatter(best, here)
        } else if self.bracketed {
            let (gamma, theta) = cubic(self.other, here);
            let gamma = if here.step > self.other.step { -gamma } else { gamma };
            let ratio = ((gamma - here.slope) + theta) / (((gamma - here.slope) + gamma) + self.other.slope);
            here.step + ratio * (self.other.step - here.step)
        } else {
            self.outwards(here.step > best.step)
        };
        if here.value > best.value {
            self.other = here;
        } else {
            if opposite {
                self.other = best;
            }
            self.best = here;
        }
        next
    }

    fn outwards(&self, up: bool) -> f64 {
        if up { self.most } else { self.least }
    }

    /// A lower value and a slope of the same sign, but flatter.
    fn flatter(&self, best: Point, here: Point) -> f64 {
        let up = here.step > best.step;
        let (gamma, theta) = cubic(best, here);
        let gamma = if up { -gamma } else { gamma };
        let ratio = ((gamma - here.slope) + theta) / ((gamma + (best.slope - here.slope)) + gamma);
        let along_cubic =
            if ratio < 0.0 && gamma != 0.0 { here.step + ratio * (best.step - here.step) } else { self.outwards(up) };
        let along_secant = secant(best, here);
        let cubic_is_nearer = (along_cubic - here.step).abs() < (along_secant - here.step).abs();
        if !self.bracketed {
            let farther = if cubic_is_nearer { along_secant } else { along_cubic };
            return farther.max(self.least).min(self.most);
        }
        let nearer = if cubic_is_nearer { along_cubic } else { along_secant };
        let limit = here.step + 0.66 * (self.other.step - here.step);
        if up { nearer.min(limit) } else { nearer.max(limit) }
    }
}

/// A higher value: the minimum lies between.
fn higher(best: Point, here: Point) -> f64 {
    let (gamma, theta) = cubic(best, here);
    let gamma = if here.step < best.step { -gamma } else { gamma };
    let ratio = ((gamma - best.slope) + theta) / (((gamma - best.slope) + gamma) + here.slope);
    let length = here.step - best.step;
    let along_cubic = best.step + ratio * length;
    let fall = (best.value - here.value) / length + best.slope;
    let along_quadratic = best.step + best.slope / fall / 2.0 * length;
    if (along_cubic - best.step).abs() <= (along_quadratic - best.step).abs() {
        along_cubic
    } else {
        along_cubic + (along_quadratic - along_cubic) / 2.0
    }
}

/// A lower value and a slope of the other sign: the minimum lies between.
fn past_the_minimum(best: Point, here: Point) -> f64 {
    let (gamma, theta) = cubic(best, here);
    let gamma = if here.step > best.step { -gamma } else { gamma };
    let ratio = ((gamma - here.slope) + theta) / (((gamma - here.slope) + gamma) + best.slope);
    let along_cubic = here.step + ratio * (best.step - here.step);
    let along_secant = secant(best, here);
    let cubic_is_farther = (along_cubic - here.step).abs() > (along_secant - here.step).abs();
    if cubic_is_farther { along_cubic } else { along_secant }
}

fn secant(best: Point, here: Point) -> f64 {
    here.step + here.slope / (here.slope - best.slope) * (best.step - here.step)
}

/// What the minimiser of the cubic through two points is made of: γ ≥ 0 and θ. Where rounding leaves no real γ it is 0.
fn cubic(a: Point, b: Point) -> (f64, f64) {
    let theta = 3.0 * (a.value - b.value) / (b.step - a.step) + a.slope + b.slope;
    let scale = theta.abs().max(a.slope.abs()).max(b.slope.abs());
    let square = (theta / scale) * (theta / scale) - (a.slope / scale) * (b.slope / scale);
    (scale * square.max(0.0).sqrt(), theta)
}
