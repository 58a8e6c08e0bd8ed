//! The leaderboard, for people and as JSON.

use std::collections::{BTreeMap, BTreeSet};

use model::search::{Candidate, Params, Ranked, Search};
use serde::Serialize;
use serde_json::Value;

use crate::output::table;

/// A place on the leaderboard. The names are those of `--json`.
#[derive(Serialize)]
pub struct Place {
    place: usize,
    #[serde(flatten)]
    ranked: Ranked,
    family: String,
    params: Params,
}

impl Place {
    /// Its scores, its family and its parameters.
    pub fn parts(&self) -> (&Ranked, (&str, &Params)) {
        (&self.ranked, (&self.family, &self.params))
    }
}

/// The first `top` places.
pub fn places(search: &Search, ranked: &[Ranked], top: usize) -> Vec<Place> {
    let place = |(index, ranked): (usize, &Ranked)| {
        let Candidate { family, params } = search.settings[ranked.setting as usize].clone();
        Place { place: index + 1, ranked: ranked.clone(), family, params }
    };
    ranked.iter().take(top).enumerate().map(place).collect()
}

/// The places with the baseline under them.
pub fn text(places: &[Place], baseline: Option<f64>, varied: &Varied) -> String {
    let row = |place: &Place| {
        let Ranked { fold_accuracies, mean_f1_micro, mean_f1_macro, fit_seconds, error, .. } = &place.ranked;
        let score = |value: &f64| if error.is_none() { format!("{value:.3}") } else { "–".into() };
        vec![
            place.place.to_string(),
            accuracy(&place.ranked),
            spread(fold_accuracies),
            score(mean_f1_micro),
            score(mean_f1_macro),
            format!("{fit_seconds:.2}"),
            place.family.clone(),
            error.clone().unwrap_or_else(|| varied.of(&place.family, &place.params)),
        ]
    };
    let mut rows: Vec<Vec<String>> = places.iter().map(row).collect();
    if let Some(baseline) = baseline {
        let baseline = format!("{baseline:.3}");
        let cells = ["–", &baseline, "–", "–", "–", "–", "baseline", "always the most frequent label set"];
        rows.push(cells.map(str::to_owned).to_vec());
    }
    table(&["#", "accuracy", "folds", "F1 micro", "F1 macro", "s a fit", "family", "parameters"], &rows)
}

/// Mean and standard deviation.
pub fn accuracy(ranked: &Ranked) -> String {
    match ranked.error {
        None => format!("{:.3} ± {:.3}", ranked.mean_accuracy, ranked.std_accuracy),
        Some(_) => "–".into(),
    }
}

/// From the worst fold to the best.
fn spread(accuracies: &[f64]) -> String {
    let (least, most) = accuracies.iter().fold((f64::INFINITY, 0.0_f64), |(a, b), &x| (a.min(x), b.max(x)));
    if accuracies.is_empty() { "–".into() } else { format!("{least:.3}–{most:.3}") }
}

/// The parameters of each family that a grid varies: what tells its settings apart.
pub struct Varied(BTreeMap<String, BTreeSet<String>>);

impl Varied {
    /// Those of a search.
    pub fn in_search(search: &Search) -> Self {
        let mut first: BTreeMap<&str, &Params> = BTreeMap::new();
        let mut varied: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for Candidate { family, params } in &search.settings {
            let first = *first.entry(family).or_insert(params);
            let differs = |(name, value): &(&String, &Value)| first.get(*name) != Some(*value);
            let names = params.iter().filter(differs).map(|(name, _)| name);
            // `select` is there only where something is selected.
            let missing = first.keys().filter(|name| !params.contains_key(*name));
            varied.entry(family.clone()).or_default().extend(names.chain(missing).cloned());
        }
        Self(varied)
    }

    /// Those of a setting, with their values.
    pub fn of(&self, family: &str, params: &Params) -> String {
        let is_varied = |name: &String| self.0.get(family).is_some_and(|names| names.contains(name));
        let shown = params.iter().filter(|(name, _)| is_varied(name));
        shown.map(|(name, value)| format!("{name}={}", plain(value))).collect::<Vec<_>>().join(" ")
    }
}

/// A value as a grid has it.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_grid_varies_is_shown() {
        let grid = "[knn]\nn_neighbors = [1, 3]\nweights = 'distance'\n[tree]\nmax_depth = [2, 'none']\n\
                    [ridge]\nselect = [{ method = 'anova', k = 2 }, 'none']\n";
        let settings = learn::grid::read(grid, &[]).unwrap();
        let search = Search {
            id: "s".into(),
            dataset: "d".into(),
            blocks: Vec::new(),
            folds: 2,
            seed: 0,
            kernel: "2".into(),
            thresholds: false,
            created_at: model::Timestamp(0),
            settings,
        };
        let varied = Varied::in_search(&search);
        let shown: Vec<String> = search.settings.iter().map(|s| varied.of(&s.family, &s.params)).collect();
        let select = r#"select={"k":2,"method":"anova"}"#;
        assert_eq!(shown, ["n_neighbors=1", "n_neighbors=3", "max_depth=2", "max_depth=none", select, ""]);
    }
}
