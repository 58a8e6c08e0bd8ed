//! A figure with logarithmic axes, one line a family, for pages on light and on dark.

use std::fmt::Write;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 400.0;
/// Left, top, right, bottom.
const MARGINS: [f64; 4] = [64.0, 20.0, 120.0, 48.0];
/// Least distance of two names.
const LABEL_SPACING: f64 = 15.0;

const STYLE: &str = "text{font:13px sans-serif;fill:#333}.grid{stroke:#ddd}.end{text-anchor:end}.mid{text-anchor:middle}\
    polyline{fill:none;stroke-width:2}\
    .c0{stroke:#0072b2}.c1{stroke:#d55e00}.c2{stroke:#009e73}.c3{stroke:#b5477f}.c4{stroke:#8a6d00}\
    @media(prefers-color-scheme:dark){text{fill:#ddd}.grid{stroke:#444}\
    .c0{stroke:#56b4e9}.c1{stroke:#ff9248}.c2{stroke:#35d0a0}.c3{stroke:#e79ac4}.c4{stroke:#f0e442}}";

/// A named line of points (x, y), all above 0.
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// The figure; `None` where there is nothing to show.
pub fn svg(title: &str, x_name: &str, y_name: &str, lines: &[Line]) -> Option<String> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let xs: Vec<f64> = lines.iter().max_by_key(|line| line.points.len())?.points.iter().map(|point| point.0).collect();
    let low = points().map(|point| point.1).fold(f64::INFINITY, f64::min).log10().floor() as i32;
    let high = points().map(|point| point.1).fold(0.0, f64::max).log10().ceil().max(f64::from(low) + 1.0) as i32;
    let (first, last) = (*xs.first()?, *xs.last()?);
    let [left, top, right, bottom] = MARGINS;
    let (right, bottom) = (WIDTH - right, HEIGHT - bottom);
    let x = |value: f64| left + (value / first).ln() / (last / first).ln().max(1e-9) * (right - left);
    let y = |value: f64| bottom - (value.log10() - f64::from(low)) / f64::from(high - low) * (bottom - top);
    let mut body = String::new();
    for tick in low..=high {
        let (at, value) = (y(10_f64.powi(tick)), 10_f64.powi(tick));
        let _ = write!(body, r#"<path class="grid" d="M{left} {at:.1}H{right}"/>"#);
        let _ = write!(body, r#"<text class="end" x="{:.1}" y="{:.1}">{value}</text>"#, left - 8.0, at + 4.0);
    }
    for value in &xs {
        let at = x(*value);
        let _ = write!(body, r#"<path class="grid" d="M{at:.1} {top}V{bottom}"/>"#);
        let _ = write!(body, r#"<text class="mid" x="{at:.1}" y="{:.1}">{value}</text>"#, bottom + 18.0);
    }
    let middle = (left + right) / 2.0;
    let _ = write!(body, r#"<text class="mid" x="{middle}" y="{:.1}">{x_name}</text>"#, bottom + 38.0);
    let _ = write!(body, r#"<text x="8" y="14">{y_name}</text>"#);
    for (index, line) in lines.iter().enumerate() {
        let at: Vec<String> = line.points.iter().map(|point| format!("{:.1},{:.1}", x(point.0), y(point.1))).collect();
        let _ = write!(body, r#"<polyline class="c{}" points="{}"/>"#, index % 5, at.join(" "));
    }
    let ends: Vec<f64> = lines.iter().map(|line| line.points.last().map_or(bottom, |point| y(point.1))).collect();
    for (line, at) in lines.iter().zip(apart(&ends)) {
        let _ = write!(body, r#"<text x="{:.1}" y="{:.1}">{}</text>"#, right + 8.0, at + 4.0, line.name);
    }
    let frame = format!(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">"#);
    Some(format!("{frame}<title>{title}</title><style>{STYLE}</style>{body}</svg>\n"))
}

/// The heights, moved down where names would overlap.
fn apart(heights: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..heights.len()).collect();
    order.sort_by(|&a, &b| heights[a].total_cmp(&heights[b]));
    let mut moved = heights.to_vec();
    for pair in order.windows(2) {
        moved[pair[1]] = moved[pair[1]].max(moved[pair[0]] + LABEL_SPACING);
    }
    moved
}
