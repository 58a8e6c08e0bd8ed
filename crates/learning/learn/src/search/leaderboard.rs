//! Who won.

use std::collections::BTreeMap;

use model::search::{Ranked, Scores, Search, Trial};

/// The settings by mean subset accuracy, best first; equal ones in the order of the grid, and last those that cannot be
/// fitted. Settings with unfinished trials are left out.
pub fn leaderboard(search: &Search, trials: &[Trial]) -> Vec<Ranked> {
    let mut of_setting: BTreeMap<u32, BTreeMap<u32, &Trial>> = BTreeMap::new();
    for trial in trials {
        of_setting.entry(trial.setting).or_default().insert(trial.fold, trial);
    }
    let finished = of_setting.into_iter().filter(|(_, folds)| folds.len() == search.folds as usize);
    let mut ranked: Vec<Ranked> = finished.map(|(setting, folds)| rank(setting, &folds)).collect();
    // A stable sort, so ties keep the order of the grid.
    ranked.sort_by(|a, b| a.error.is_some().cmp(&b.error.is_some()).then(b.mean_accuracy.total_cmp(&a.mean_accuracy)));
    ranked
}

fn rank(setting: u32, folds: &BTreeMap<u32, &Trial>) -> Ranked {
    let fit_seconds = mean(&folds.values().map(|trial| trial.fit_seconds).collect::<Vec<_>>());
    let scores: Result<Vec<&Scores>, &String> = folds.values().map(|trial| trial.outcome.as_ref()).collect();
    let (scores, error) = match scores {
        Ok(scores) => (scores, None),
        Err(reason) => (Vec::new(), Some(reason.clone())),
    };
    let of = |score: fn(&Scores) -> f64| scores.iter().copied().map(score).collect::<Vec<f64>>();
    let fold_accuracies = of(|scores| scores.accuracy);
    let mean_accuracy = mean(&fold_accuracies);
    let squares: Vec<f64> = fold_accuracies.iter().map(|accuracy| (accuracy - mean_accuracy).powi(2)).collect();
    Ranked {
        setting,
        mean_accuracy,
        std_accuracy: mean(&squares).sqrt(),
        mean_f1_micro: mean(&of(|scores| scores.f1.micro)),
        mean_f1_macro: mean(&of(|scores| scores.f1.macro_)),
        fold_accuracies,
        fit_seconds,
        error,
    }
}

/// 0 for no values: a setting that cannot be fitted has no scores.
fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}
