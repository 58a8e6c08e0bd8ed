//! Horizontal bars of counts.

use crate::svg::{Anchor, Svg, WIDTH, short};
use crate::words::thousands;

const ROW_HEIGHT: f64 = 19.0;
const NAMES_WIDTH: f64 = 118.0;
const NUMBERS_WIDTH: f64 = 46.0;

/// A bar for each name, in the order given; those for which `muted` holds are drawn faintly.
pub fn bars(title: &str, counts: &[(String, usize)], muted: impl Fn(&str) -> bool) -> String {
    let mut svg = Svg::new(title);
    let most = counts.iter().map(|(_, n)| *n).max().unwrap_or(1).max(1) as f64;
    for (i, (name, n)) in counts.iter().enumerate() {
        let y = i as f64 * ROW_HEIGHT;
        let width = (WIDTH - NAMES_WIDTH - NUMBERS_WIDTH) * *n as f64 / most;
        let class = if muted(name) { "bar muted" } else { "bar" };
        svg.text(NAMES_WIDTH - 8.0, y + 13.5, Anchor::End, "label", &short(name, 18));
        svg.rect(
            [NAMES_WIDTH, y + 3.0, width.max(1.0), ROW_HEIGHT - 6.0],
            class,
            &format!("{name}: {}", thousands(*n)),
        );
        svg.text(NAMES_WIDTH + width + 5.0, y + 13.5, Anchor::Start, "value", &thousands(*n));
    }
    svg.finish(counts.len() as f64 * ROW_HEIGHT + 2.0)
}
