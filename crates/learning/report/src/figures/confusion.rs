//! A label's 2×2 confusion matrix.

use model::search::Confusion;

use crate::svg::{Anchor, Svg, short};
use crate::words::thousands;

const CELL_WIDTH: f64 = 112.0;
const LEFT_MARGIN: f64 = 96.0;
const TOP_MARGIN: f64 = 22.0;
const CELL_HEIGHT: f64 = 52.0;

/// Truth in rows, assignment in columns; shaded by the share of the row.
pub fn confusion(label: &str, matrix: &Confusion) -> String {
    let mut svg = Svg::new(&format!("confusion matrix of {label}"));
    svg.text(LEFT_MARGIN + CELL_WIDTH * 0.5, 14.0, Anchor::Middle, "tick", "assigned");
    svg.text(LEFT_MARGIN + CELL_WIDTH * 1.5, 14.0, Anchor::Middle, "tick", "not assigned");
    let rows = [
        ("is", [matrix.true_positive, matrix.false_negative]),
        ("is not", [matrix.false_positive, matrix.true_negative]),
    ];
    for (i, (is, cells)) in rows.iter().enumerate() {
        let y = TOP_MARGIN + i as f64 * CELL_HEIGHT;
        let total = f64::from((cells[0] + cells[1]).max(1));
        svg.text(LEFT_MARGIN - 8.0, y + 23.0, Anchor::End, "tick", is);
        svg.text(LEFT_MARGIN - 8.0, y + 38.0, Anchor::End, "label", &short(label, 14));
        for (j, n) in cells.iter().enumerate() {
            let (x, share) = (LEFT_MARGIN + j as f64 * CELL_WIDTH, f64::from(*n) / total);
            svg.shade([x + 1.0, y + 1.0, CELL_WIDTH - 2.0, CELL_HEIGHT - 2.0], share * 0.85);
            let class = if share > 0.7 { "cell strong" } else { "cell" };
            svg.text(x + CELL_WIDTH / 2.0, y + 25.0, Anchor::Middle, class, &thousands(*n as usize));
            let small = if share > 0.7 { "tiny strong" } else { "tiny" };
            svg.text(x + CELL_WIDTH / 2.0, y + 40.0, Anchor::Middle, small, &format!("{:.0} %", share * 100.0));
        }
    }
    svg.finish(TOP_MARGIN + 2.0 * CELL_HEIGHT + 2.0)
}
