//! The few SVG elements the figures are made of. Colours and fonts come from the page's style sheet by class.

use std::fmt::Write;

/// Width of every figure in user units: that of a phone, so that text is never scaled down.
pub const WIDTH: f64 = 360.0;

/// An SVG under construction.
pub struct Svg {
    body: String,
    title: String,
}

/// Where a text is anchored.
#[derive(Clone, Copy)]
pub enum Anchor {
    /// At its beginning.
    Start,
    /// At its middle.
    Middle,
    /// At its end.
    End,
}

impl Svg {
    /// An empty figure; the title is what a screen reader says.
    pub fn new(title: &str) -> Self {
        Self { body: String::new(), title: escape(title) }
    }

    /// A text with its baseline at `y`.
    pub fn text(&mut self, x: f64, y: f64, anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escape(text);
        let _ =
            write!(self.body, r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" class="{class}">{text}</text>"#);
    }

    /// A rectangle; `tip` shows on hovering.
    pub fn rect(&mut self, [x, y, width, height]: [f64; 4], class: &str, tip: &str) {
        let (width, tip) = (width.max(0.0), escape(tip));
        let _ = write!(
            self.body,
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" class="{class}">"#
        );
        let _ = write!(self.body, "<title>{tip}</title></rect>");
    }

    /// A rectangle in a shade of the accent colour, 0 to 1.
    pub fn shade(&mut self, [x, y, width, height]: [f64; 4], shade: f64) {
        let shade = shade.clamp(0.0, 1.0);
        let _ = write!(
            self.body,
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" class="heat" fill-opacity="{shade:.2}"/>"#
        );
    }

    /// A line.
    pub fn line(&mut self, [x1, y1, x2, y2]: [f64; 4], class: &str) {
        let _ = write!(self.body, r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" class="{class}"/>"#);
    }

    /// A path in a shade of the accent colour.
    pub fn path(&mut self, path: &str, shade: f64) {
        let _ = write!(self.body, r#"<path d="{path}" class="heat" fill-opacity="{shade:.2}"/>"#);
    }

    /// The finished figure.
    pub fn finish(self, height: f64) -> String {
        let Self { body, title } = self;
        format!(r#"<svg viewBox="0 0 {WIDTH} {height:.0}" role="img" aria-label="{title}">{body}</svg>"#)
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A text shortened to at most this many characters.
pub fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// About `count` round values that span `low` to `high`, ends included.
pub fn ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    let span = (high - low).max(f64::MIN_POSITIVE);
    let rough = span / count as f64;
    let magnitude = 10_f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 2.5, 5.0, 10.0].map(|m| m * magnitude).into_iter().find(|step| *step >= rough).unwrap_or(rough);
    let first = (low / step).ceil();
    (0..).map(|i| (first + f64::from(i)) * step).take_while(|tick| *tick <= high + step * 1e-9).collect()
}

/// A number as an axis shows it.
pub fn number(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude >= 10_000.0 {
        format!("{:.0}k", value / 1_000.0)
    } else if magnitude >= 100.0 || value.fract().abs() < 1e-9 {
        format!("{value:.0}")
    } else if magnitude >= 1.0 {
        format!("{value:.1}")
    } else {
        let text = format!("{value:.3}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(ticks(0.0, 1.0, 4), [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(ticks(-60.0, 0.0, 3), [-60.0, -40.0, -20.0, 0.0]);
    }

    #[test]
    fn text_cannot_break_out() {
        let mut svg = Svg::new("a\"b");
        svg.text(0.0, 0.0, Anchor::Start, "t", "<script>&");
        let svg = svg.finish(10.0);
        assert!(svg.contains("&lt;script&gt;&amp;") && svg.contains("a&quot;b") && !svg.contains("<script"));
    }
}
