//! The parameters that distinguish the candidates of a search.

use std::collections::{BTreeMap, BTreeSet};

use model::search::{Candidate, Params, Search};
use serde_json::Value;

/// The parameters of each family that vary between the candidates of a search. All others are left out when a candidate is
/// shown.
pub struct VariedParams(BTreeMap<String, BTreeSet<String>>);

impl VariedParams {
    /// Compares the candidates of a search.
    pub fn in_search(search: &Search) -> Self {
        let mut first: BTreeMap<&str, &Params> = BTreeMap::new();
        let mut varied: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for Candidate { family, params } in &search.settings {
            let first = *first.entry(family).or_insert(params);
            let differs = |(name, value): &(&String, &Value)| first.get(*name) != Some(*value);
            let names = params.iter().filter(differs).map(|(name, _)| name);
            // `select` exists only in candidates that select features.
            let missing = first.keys().filter(|name| !params.contains_key(*name));
            varied.entry(family.clone()).or_default().extend(names.chain(missing).cloned());
        }
        Self(varied)
    }

    /// The varied parameters of a candidate: "n_neighbors=3 weights=distance". Empty if none vary.
    pub fn params(&self, candidate: &Candidate) -> String {
        let is_varied = |name: &String| self.0.get(&candidate.family).is_some_and(|names| names.contains(name));
        let shown = candidate.params.iter().filter(|(name, _)| is_varied(name));
        shown.map(|(name, value)| format!("{name}={}", as_in_grid(value))).collect::<Vec<_>>().join(" ")
    }

    /// The family of a candidate with its varied parameters: "knn n_neighbors=3 weights=distance".
    pub fn describe(&self, candidate: &Candidate) -> String {
        format!("{} {}", candidate.family, self.params(candidate)).trim_end().to_owned()
    }
}

/// A value as a grid file writes it.
fn as_in_grid(value: &Value) -> String {
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
    fn only_parameters_that_vary_are_shown() {
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
        let varied = VariedParams::in_search(&search);
        let shown: Vec<String> = search.settings.iter().map(|candidate| varied.describe(candidate)).collect();
        let select = r#"ridge select={"k":2,"method":"anova"}"#;
        assert_eq!(
            shown,
            ["knn n_neighbors=1", "knn n_neighbors=3", "tree max_depth=2", "tree max_depth=none", select, "ridge"]
        );
    }
}
