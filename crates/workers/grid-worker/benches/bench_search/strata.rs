//! Which of a table's fits scikit-learn is asked to run, and what the whole table costs it.

use std::collections::BTreeMap;

use model::search::{Candidate, Params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::FOLDS;

/// Rounds over all strata that are asked for; the minutes end earlier.
const ROUNDS: usize = 40;

/// Trees of a sampled forest: enough that what is not a tree's is little beside them.
const TREES: (u64, u64) = (5, 50);

/// A fit that scikit-learn is asked for.
#[derive(Serialize)]
pub struct Ask {
    id: Id,
    params: Params,
}

/// Which fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Id {
    /// Index into the table; `None`: one tree of one level, which costs what a forest costs without its trees.
    pub setting: Option<usize>,
    pub fold: u32,
    /// Trees it is run with, for a forest; which one, for one tree of one level.
    trees: Option<u64>,
}

/// A fit that it ran.
#[derive(Debug, Clone, Deserialize)]
pub struct Fit {
    pub id: Id,
    /// Fit and predictions, while another fit ran beside it.
    pub seconds: f64,
    /// Its share of the wall time.
    pub wall: f64,
    /// Subset accuracy on the fold's validation rows.
    pub accuracy: f64,
}

/// What a table costs scikit-learn, from a sample.
pub struct Estimate {
    pub settings: usize,
    /// Settings that it refuses.
    pub rejected: usize,
    /// Fits of the others, on all folds.
    pub fits: usize,
    pub strata: usize,
    /// Fits that were really run.
    pub sampled: usize,
    /// Strata of which none was: they are taken to cost what the nearest does.
    pub uncovered: usize,
    /// Of all fits, two at a time.
    pub seconds: f64,
    /// Wall time of the sample.
    pub spent: f64,
}

/// The parameters that drive the cost of a family's fits.
fn drivers(family: &str) -> &'static [&'static str] {
    match family {
        "knn" => &["algorithm", "metric"],
        "tree" => &["splitter", "max_features", "max_depth", "min_samples_leaf", "max_leaf_nodes"],
        "extra_trees" => &["max_features", "criterion", "max_depth"],
        "random_forest" => &["max_features", "max_depth"],
        _ => &["hidden_layer_sizes", "activation", "solver", "learning_rate_init"],
    }
}

/// Values of the drivers. Entropy and log loss are one criterion, and L-BFGS has no learning rate.
type Stratum = Vec<String>;

fn stratum(setting: &Candidate) -> Stratum {
    let params = &setting.params;
    let value = |name: &&str| match (*name, &params[*name]) {
        ("criterion", criterion) if criterion == "log_loss" => json!("entropy").to_string(),
        ("learning_rate_init", _) if params["solver"] == "lbfgs" => Value::Null.to_string(),
        (_, value) => value.to_string(),
    };
    drivers(&setting.family).iter().map(value).collect()
}

/// Whether scikit-learn refuses to fit it: its trees of neighbours know no cosine.
fn is_rejected(setting: &Candidate) -> bool {
    let is = |name: &str, values: &[&str]| values.iter().any(|value| setting.params[name] == *value);
    setting.family == "knn" && is("metric", &["cosine"]) && is("algorithm", &["ball_tree", "kd_tree"])
}

/// The strata of a table, in its order, with their settings.
fn strata(settings: &[Candidate]) -> Vec<(Stratum, Vec<usize>)> {
    let mut strata: Vec<(Stratum, Vec<usize>)> = Vec::new();
    for (index, setting) in settings.iter().enumerate().filter(|(_, setting)| !is_rejected(setting)) {
        let of = stratum(setting);
        match strata.iter_mut().find(|(known, _)| *known == of) {
            Some((_, settings)) => settings.push(index),
            None => strata.push((of, vec![index])),
        }
    }
    strata
}

/// The fits to sample, best first: rounds over the strata, each in another order, of which each takes one fit of a
/// stratum that was not taken before.
pub fn sample(settings: &[Candidate]) -> Vec<Ask> {
    let strata = strata(settings);
    let mut asked: Vec<Ask> = Vec::new();
    let is_forest = settings[0].params.contains_key("n_estimators");
    if is_forest {
        let stump = [("n_estimators", json!(1)), ("max_depth", json!(1))];
        let params = with(&settings[0].params, stump);
        // Two, to run beside each other as all fits do.
        let ask = |stump| Ask { id: Id { setting: None, fold: 0, trees: Some(stump) }, params: params.clone() };
        asked.extend([0, 1].map(ask));
    }
    for round in 0..ROUNDS {
        let mut order: Vec<usize> = (0..strata.len()).collect();
        order.sort_by_key(|&at| scramble(round, at));
        for at in order {
            let of = &strata[at].1;
            let mut fits: Vec<(usize, u32)> =
                of.iter().flat_map(|&setting| (0..FOLDS).map(move |fold| (setting, fold))).collect();
            fits.sort_by_key(|&(setting, fold)| scramble(setting, fold as usize));
            let Some(&(setting, fold)) = fits.get(round) else { continue };
            let all = settings[setting].params.get("max_features").is_some_and(Value::is_null);
            let trees = is_forest.then_some(if all { TREES.0 } else { TREES.1 });
            let params = match trees {
                Some(trees) => with(&settings[setting].params, [("n_estimators", json!(trees))]),
                None => settings[setting].params.clone(),
            };
            asked.push(Ask { id: Id { setting: Some(setting), fold, trees }, params });
        }
    }
    asked
}

fn with<const N: usize>(params: &Params, values: [(&str, Value); N]) -> Params {
    let mut params = params.clone();
    params.extend(values.map(|(name, value)| (name.to_owned(), value)));
    params
}

/// A number without order, the same in every run.
fn scramble(a: usize, b: usize) -> u64 {
    let mixed = (a as u64 * 1_000_003 + b as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 16
}

/// The cost of all fits of a table: of each stratum the mean of its sampled fits, times their number. A forest's cost
/// grows with its trees, by what it costs without them.
pub fn estimate(settings: &[Candidate], fits: &[Fit]) -> Option<Estimate> {
    let strata = strata(settings);
    let stumps: Vec<f64> = fits.iter().filter(|fit| fit.id.setting.is_none()).map(|fit| fit.seconds).collect();
    let fixed = if stumps.is_empty() { 0.0 } else { mean(&stumps) };
    // Of each covered stratum: seconds of a fit, for a forest of a tree.
    let mut sampled: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for fit in fits {
        let Some(setting) = fit.id.setting else { continue };
        let at = strata.iter().position(|(_, settings)| settings.contains(&setting))?;
        let own = (fit.seconds - fixed).max(0.0) / fit.id.trees.unwrap_or(1) as f64;
        sampled.entry(at).or_default().push(own);
    }
    let covered: BTreeMap<usize, f64> = sampled.iter().map(|(&at, seconds)| (at, mean(seconds))).collect();
    let of_stratum = |(at, (of, settings_of)): (usize, &(Stratum, Vec<usize>))| {
        let own = covered.get(&at).or_else(|| nearest(of, &strata, &covered))?;
        let trees = |&setting: &usize| settings[setting].params.get("n_estimators").and_then(Value::as_f64);
        let of_setting = |setting| fixed + own * trees(setting).unwrap_or(1.0);
        Some(settings_of.iter().map(of_setting).sum::<f64>() * f64::from(FOLDS) / 2.0)
    };
    let seconds = strata.iter().enumerate().map(of_stratum).sum::<Option<f64>>()?;
    let accepted: usize = strata.iter().map(|(_, settings)| settings.len()).sum();
    Some(Estimate {
        settings: settings.len(),
        rejected: settings.len() - accepted,
        fits: accepted * FOLDS as usize,
        strata: strata.len(),
        sampled: fits.len() - stumps.len(),
        uncovered: strata.len() - covered.len(),
        seconds,
        spent: fits.iter().map(|fit| fit.wall).sum(),
    })
}

/// The cost of the covered stratum that has most drivers in common; of equally near ones the first.
fn nearest<'a>(of: &Stratum, strata: &[(Stratum, Vec<usize>)], covered: &'a BTreeMap<usize, f64>) -> Option<&'a f64> {
    let differing = |at: usize| strata[at].0.iter().zip(of).filter(|(a, b)| a != b).count();
    covered.iter().min_by_key(|(at, _)| differing(**at)).map(|(_, own)| own)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
