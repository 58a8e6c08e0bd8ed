//! Horizontal bars with a spread: how far a score falls without each group of features.

use model::search::Loss;

use crate::svg::{Anchor, Svg, WIDTH, short};

const ROW_HEIGHT: f64 = 19.0;
const NAMES_WIDTH: f64 = 118.0;
const NUMBERS_WIDTH: f64 = 92.0;

/// A bar for each loss, in the order given, with a whisker of one standard deviation to both sides; a score that does not
/// fall has no bar.
pub fn losses(title: &str, losses: &[(String, Loss)]) -> String {
    let mut svg = Svg::new(title);
    let most = losses.iter().map(|(_, loss)| loss.mean + loss.std).fold(f64::MIN_POSITIVE, f64::max);
    let at = |value: f64| NAMES_WIDTH + (WIDTH - NAMES_WIDTH - NUMBERS_WIDTH) * (value / most).clamp(0.0, 1.0);
    for (i, (name, loss)) in losses.iter().enumerate() {
        let y = i as f64 * ROW_HEIGHT;
        let number = format!("{:.3} ± {:.3}", loss.mean, loss.std);
        let tip = format!("{name}: {number}");
        svg.text(NAMES_WIDTH - 8.0, y + 13.5, Anchor::End, "label", &short(name, 16));
        svg.rect([NAMES_WIDTH, y + 3.0, at(loss.mean) - NAMES_WIDTH, ROW_HEIGHT - 6.0], "bar", &tip);
        svg.line([at(loss.mean - loss.std), y + 9.5, at(loss.mean + loss.std), y + 9.5], "whisker");
        svg.text(WIDTH - 2.0, y + 13.5, Anchor::End, "value", &number);
    }
    svg.finish(losses.len() as f64 * ROW_HEIGHT + 2.0)
}
