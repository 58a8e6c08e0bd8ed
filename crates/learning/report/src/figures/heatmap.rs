//! Average pitches of one genre: 12 pitch classes × 100 steps.

use std::fmt::Write;

use model::audio::{PITCH_CLASSES, STEPS};

use crate::svg::{Anchor, Svg, WIDTH, number};

/// Distinct shades. Cells of one shade are one path, which keeps the page at a tenth of the size.
const SHADES: usize = 20;

const NAMES_WIDTH: f64 = 26.0;
const CELL_HEIGHT: f64 = 9.0;

/// The 1,200 values of `means` (pitch class after pitch class), shaded from `low` to `high`; C is at the bottom.
pub fn heatmap(title: &str, means: &[f64], (low, high): (f64, f64)) -> String {
    let mut svg = Svg::new(title);
    let step = (WIDTH - NAMES_WIDTH) / STEPS as f64;
    let mut paths = vec![String::new(); SHADES + 1];
    for (class, steps) in means.chunks(STEPS).enumerate() {
        let y = (PITCH_CLASSES.len() - 1 - class) as f64 * CELL_HEIGHT;
        svg.text(NAMES_WIDTH - 5.0, y + CELL_HEIGHT - 1.0, Anchor::End, "tiny", PITCH_CLASSES[class]);
        for (i, value) in steps.iter().enumerate() {
            let share = (value - low) / (high - low).max(f64::MIN_POSITIVE);
            let path = &mut paths[(share.clamp(0.0, 1.0) * SHADES as f64).round() as usize];
            let _ = write!(path, "M{:.1} {y}h{step:.2}v{CELL_HEIGHT}h-{step:.2}z", NAMES_WIDTH + i as f64 * step);
        }
    }
    for (shade, path) in paths.iter().enumerate().filter(|(_, path)| !path.is_empty()) {
        svg.path(path, shade as f64 / SHADES as f64);
    }
    svg.finish(PITCH_CLASSES.len() as f64 * CELL_HEIGHT + 1.0)
}

/// The scale of the heat maps.
pub fn legend((low, high): (f64, f64)) -> String {
    let mut svg = Svg::new("scale of the average pitch strength");
    let width = (WIDTH - 100.0) / SHADES as f64;
    svg.text(44.0, 11.0, Anchor::End, "tick", &number(low));
    for shade in 0..=SHADES {
        svg.shade([50.0 + shade as f64 * width, 1.0, width, 12.0], shade as f64 / SHADES as f64);
    }
    svg.text(50.0 + (SHADES + 1) as f64 * width + 6.0, 11.0, Anchor::Start, "tick", &number(high));
    svg.finish(15.0)
}
