//! The leaderboard, for people and as JSON.

use model::search::{Candidate, Ranked, Search};
use serde::Serialize;

use super::varied_params::VariedParams;
use crate::output::table;

/// A place on the leaderboard. The field names are those of `--json`.
#[derive(Serialize)]
pub struct Place {
    place: usize,
    /// Its scores.
    #[serde(flatten)]
    pub ranked: Ranked,
    /// Its family and parameters.
    #[serde(flatten)]
    pub candidate: Candidate,
}

/// The first `top` places.
pub fn places(search: &Search, ranked: &[Ranked], top: usize) -> Vec<Place> {
    let place = |(index, ranked): (usize, &Ranked)| Place {
        place: index + 1,
        ranked: ranked.clone(),
        candidate: search.settings[ranked.setting as usize].clone(),
    };
    ranked.iter().take(top).enumerate().map(place).collect()
}

/// A table of the places, with the baseline as its last row.
pub fn text(places: &[Place], baseline: Option<f64>, varied: &VariedParams) -> String {
    let row = |place: &Place| {
        let Ranked { fold_accuracies, mean_f1_micro, mean_f1_macro, fit_seconds, error, .. } = &place.ranked;
        let score = |value: &f64| if error.is_none() { format!("{value:.3}") } else { "–".into() };
        vec![
            place.place.to_string(),
            accuracy(&place.ranked),
            range(fold_accuracies),
            score(mean_f1_micro),
            score(mean_f1_macro),
            format!("{fit_seconds:.2}"),
            place.candidate.family.clone(),
            error.clone().unwrap_or_else(|| varied.params(&place.candidate)),
        ]
    };
    let mut rows: Vec<Vec<String>> = places.iter().map(row).collect();
    if let Some(baseline) = baseline {
        let baseline = format!("{baseline:.3}");
        let cells = ["–", &baseline, "–", "–", "–", "–", "baseline", "always the most frequent label set"];
        rows.push(cells.map(str::to_owned).to_vec());
    }
    table(&["#", "accuracy ± SD", "fold range", "F1 micro", "F1 macro", "fit time (s)", "family", "parameters"], &rows)
}

/// Mean accuracy ± its standard deviation over folds.
pub fn accuracy(ranked: &Ranked) -> String {
    match ranked.error {
        None => format!("{:.3} ± {:.3}", ranked.mean_accuracy, ranked.std_accuracy),
        Some(_) => "–".into(),
    }
}

/// From the worst fold to the best.
fn range(accuracies: &[f64]) -> String {
    let (worst, best) = accuracies.iter().fold((f64::INFINITY, 0.0_f64), |(a, b), &x| (a.min(x), b.max(x)));
    if accuracies.is_empty() { "–".into() } else { format!("{worst:.3}–{best:.3}") }
}
