//! Box plots: one horizontal box a row, on a shared axis.

use crate::stats::Five;
use crate::svg::{Anchor, Svg, WIDTH, number, short, ticks};

const ROW: f64 = 18.0;
const NAMES: f64 = 92.0;
const RIGHT: f64 = 12.0;

/// One row of a box plot.
pub struct BoxRow {
    /// What it is.
    pub name: String,
    /// Its five numbers; none for no values.
    pub five: Option<Five>,
}

/// Boxes with medians and whiskers to 1.5 interquartile ranges.
pub fn boxes(title: &str, rows: &[BoxRow]) -> String {
    let mut svg = Svg::new(title);
    let fives = || rows.iter().filter_map(|row| row.five);
    let low = fives().map(|five| five.low).fold(f64::INFINITY, f64::min);
    let high = fives().map(|five| five.high).fold(f64::NEG_INFINITY, f64::max);
    let (low, high) = if low < high { (low, high) } else { (low - 0.5, low + 0.5) };
    let x = |value: f64| NAMES + (WIDTH - NAMES - RIGHT) * (value - low) / (high - low);
    let bottom = rows.len() as f64 * ROW + 2.0;
    for tick in ticks(low, high, 4).into_iter().filter(|tick| tick.is_finite()) {
        svg.line([x(tick), 0.0, x(tick), bottom], "grid");
        svg.text(x(tick), bottom + 13.0, Anchor::Middle, "tick", &number(tick));
    }
    for (i, row) in rows.iter().enumerate() {
        let middle = i as f64 * ROW + ROW / 2.0;
        svg.text(NAMES - 8.0, middle + 4.0, Anchor::End, "label", &short(&row.name, 14));
        let Some(five) = row.five else { continue };
        let tip = format!(
            "{}: median {}, quartiles {} to {}",
            row.name,
            number(five.median),
            number(five.q1),
            number(five.q3)
        );
        svg.line([x(five.low), middle, x(five.high), middle], "whisker");
        svg.rect([x(five.q1), middle - 5.5, (x(five.q3) - x(five.q1)).max(1.0), 11.0], "box", &tip);
        svg.line([x(five.median), middle - 5.5, x(five.median), middle + 5.5], "median");
    }
    svg.finish(bottom + 18.0)
}
