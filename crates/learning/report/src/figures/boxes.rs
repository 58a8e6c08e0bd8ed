//! Box plots: one horizontal box per row, on a shared axis.

use crate::stats::FiveNumbers;
use crate::svg::{Anchor, Svg, WIDTH, number, short, ticks};

const ROW_HEIGHT: f64 = 18.0;
const NAMES_WIDTH: f64 = 92.0;
const RIGHT_MARGIN: f64 = 12.0;

/// One row of a box plot.
pub struct BoxRow {
    /// Its label.
    pub name: String,
    /// Its five-number summary; none without values.
    pub five_numbers: Option<FiveNumbers>,
}

/// Boxes with medians and whiskers to 1.5 interquartile ranges.
pub fn boxes(title: &str, rows: &[BoxRow]) -> String {
    let mut svg = Svg::new(title);
    let summaries = || rows.iter().filter_map(|row| row.five_numbers);
    let low = summaries().map(|five_numbers| five_numbers.low).fold(f64::INFINITY, f64::min);
    let high = summaries().map(|five_numbers| five_numbers.high).fold(f64::NEG_INFINITY, f64::max);
    let (low, high) = if low < high { (low, high) } else { (low - 0.5, low + 0.5) };
    let x = |value: f64| NAMES_WIDTH + (WIDTH - NAMES_WIDTH - RIGHT_MARGIN) * (value - low) / (high - low);
    let bottom = rows.len() as f64 * ROW_HEIGHT + 2.0;
    for tick in ticks(low, high, 4).into_iter().filter(|tick| tick.is_finite()) {
        svg.line([x(tick), 0.0, x(tick), bottom], "grid");
        svg.text(x(tick), bottom + 13.0, Anchor::Middle, "tick", &number(tick));
    }
    for (i, row) in rows.iter().enumerate() {
        let middle = i as f64 * ROW_HEIGHT + ROW_HEIGHT / 2.0;
        svg.text(NAMES_WIDTH - 8.0, middle + 4.0, Anchor::End, "label", &short(&row.name, 14));
        let Some(five_numbers) = row.five_numbers else { continue };
        let tip = format!(
            "{}: median {}, quartiles {} to {}",
            row.name,
            number(five_numbers.median),
            number(five_numbers.q1),
            number(five_numbers.q3)
        );
        svg.line([x(five_numbers.low), middle, x(five_numbers.high), middle], "whisker");
        svg.rect(
            [x(five_numbers.q1), middle - 5.5, (x(five_numbers.q3) - x(five_numbers.q1)).max(1.0), 11.0],
            "box",
            &tip,
        );
        svg.line([x(five_numbers.median), middle - 5.5, x(five_numbers.median), middle + 5.5], "median");
    }
    svg.finish(bottom + 18.0)
}
