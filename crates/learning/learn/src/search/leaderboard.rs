//! The ranking of a search's candidates.

use std::collections::BTreeMap;

use model::search::{Ranked, Scores, Search, Trial};

/// The candidates by mean subset accuracy, best first; ties in the order of the grid; those that cannot be fitted last.
/// Candidates with unfinished trials are left out.
pub fn leaderboard(search: &Search, trials: &[Trial]) -> Vec<Ranked> {
    let mut by_candidate: BTreeMap<u32, BTreeMap<u32, &Trial>> = BTreeMap::new();
    for trial in trials {
        by_candidate.entry(trial.setting).or_default().insert(trial.fold, trial);
    }
    let finished = by_candidate.into_iter().filter(|(_, folds)| folds.len() == search.folds as usize);
    let mut ranked: Vec<Ranked> = finished.map(|(candidate, folds)| summarise(candidate, &folds)).collect();
    // A stable sort, so ties keep the order of the grid.
    ranked.sort_by(|a, b| a.error.is_some().cmp(&b.error.is_some()).then(b.mean_accuracy.total_cmp(&a.mean_accuracy)));
    ranked
}

/// The means over a candidate's folds.
fn summarise(candidate: u32, folds: &BTreeMap<u32, &Trial>) -> Ranked {
    let fit_seconds = mean(&folds.values().map(|trial| trial.fit_seconds).collect::<Vec<_>>());
    let scores: Result<Vec<&Scores>, &String> = folds.values().map(|trial| trial.outcome.as_ref()).collect();
    let (scores, error) = match scores {
        Ok(scores) => (scores, None),
        Err(reason) => (Vec::new(), Some(reason.clone())),
    };
    let values = |score: fn(&Scores) -> f64| scores.iter().copied().map(score).collect::<Vec<f64>>();
    let fold_accuracies = values(|scores| scores.accuracy);
    let mean_accuracy = mean(&fold_accuracies);
    let squares: Vec<f64> = fold_accuracies.iter().map(|accuracy| (accuracy - mean_accuracy).powi(2)).collect();
    Ranked {
        setting: candidate,
        mean_accuracy,
        std_accuracy: mean(&squares).sqrt(),
        mean_f1_micro: mean(&values(|scores| scores.f1.micro)),
        mean_f1_macro: mean(&values(|scores| scores.f1.macro_)),
        fold_accuracies,
        fit_seconds,
        error,
    }
}

/// 0 without values: a candidate that cannot be fitted has no scores.
fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}
