//! Which of a table's fits scikit-learn is asked to run, and what the whole table costs it.

use std::collections::BTreeMap;

use model::search::{Candidate, Params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::FOLDS;

/// Rounds over all strata that are asked for; the minutes end earlier.
const MAX_ROUNDS: usize = 40;

/// Trees of a sampled forest: enough that what is not a tree's is little beside them.
const SAMPLED_TREES: (u64, u64) = (5, 50);

/// A fit that scikit-learn is asked for.
#[derive(Serialize)]
pub struct FitRequest {
    id: FitId,
    params: Params,
}

/// Which fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FitId {
    /// Index into the table; `None`: one tree of one level, which costs what a forest costs without its trees.
    #[serde(rename = "setting")]
    pub candidate: Option<usize>,
    pub fold: u32,
    /// Trees it is run with, for a forest; which one, for one tree of one level.
    trees: Option<u64>,
}

/// A fit that it ran.
#[derive(Debug, Clone, Deserialize)]
pub struct SampledFit {
    pub id: FitId,
    /// Fit and predictions, while another fit ran beside it.
    pub seconds: f64,
    /// Its share of the wall time.
    pub wall: f64,
    /// Subset accuracy on the fold's validation rows.
    pub accuracy: f64,
}

/// What a table costs scikit-learn, from a sample.
pub struct CostEstimate {
    pub candidates: usize,
    /// Candidates that it refuses.
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

fn stratum(candidate: &Candidate) -> Stratum {
    let params = &candidate.params;
    let value = |name: &&str| match (*name, &params[*name]) {
        ("criterion", criterion) if criterion == "log_loss" => json!("entropy").to_string(),
        ("learning_rate_init", _) if params["solver"] == "lbfgs" => Value::Null.to_string(),
        (_, value) => value.to_string(),
    };
    drivers(&candidate.family).iter().map(value).collect()
}

/// Whether scikit-learn refuses to fit it: its trees of neighbours know no cosine.
fn is_rejected(candidate: &Candidate) -> bool {
    let is = |name: &str, values: &[&str]| values.iter().any(|value| candidate.params[name] == *value);
    candidate.family == "knn" && is("metric", &["cosine"]) && is("algorithm", &["ball_tree", "kd_tree"])
}

/// The strata of a table, in its order, with their candidates.
fn strata(candidates: &[Candidate]) -> Vec<(Stratum, Vec<usize>)> {
    let mut strata: Vec<(Stratum, Vec<usize>)> = Vec::new();
    for (index, candidate) in candidates.iter().enumerate().filter(|(_, candidate)| !is_rejected(candidate)) {
        let values = stratum(candidate);
        match strata.iter_mut().find(|(known, _)| *known == values) {
            Some((_, candidates)) => candidates.push(index),
            None => strata.push((values, vec![index])),
        }
    }
    strata
}

/// The fits to sample, best first: rounds over the strata, each in another order, of which each takes one fit of a
/// stratum that was not taken before.
pub fn sample(candidates: &[Candidate]) -> Vec<FitRequest> {
    let strata = strata(candidates);
    let mut requests: Vec<FitRequest> = Vec::new();
    let is_forest = candidates[0].params.contains_key("n_estimators");
    if is_forest {
        let stump = [("n_estimators", json!(1)), ("max_depth", json!(1))];
        let params = with(&candidates[0].params, stump);
        // Two, to run beside each other as all fits do.
        let request =
            |stump| FitRequest { id: FitId { candidate: None, fold: 0, trees: Some(stump) }, params: params.clone() };
        requests.extend([0, 1].map(request));
    }
    for round in 0..MAX_ROUNDS {
        let mut order: Vec<usize> = (0..strata.len()).collect();
        order.sort_by_key(|&at| scramble(round, at));
        for at in order {
            let members = &strata[at].1;
            let mut fits: Vec<(usize, u32)> =
                members.iter().flat_map(|&candidate| (0..FOLDS).map(move |fold| (candidate, fold))).collect();
            fits.sort_by_key(|&(candidate, fold)| scramble(candidate, fold as usize));
            let Some(&(candidate, fold)) = fits.get(round) else { continue };
            let all = candidates[candidate].params.get("max_features").is_some_and(Value::is_null);
            let trees = is_forest.then_some(if all { SAMPLED_TREES.0 } else { SAMPLED_TREES.1 });
            let params = match trees {
                Some(trees) => with(&candidates[candidate].params, [("n_estimators", json!(trees))]),
                None => candidates[candidate].params.clone(),
            };
            requests.push(FitRequest { id: FitId { candidate: Some(candidate), fold, trees }, params });
        }
    }
    requests
}

fn with<const COUNT: usize>(params: &Params, values: [(&str, Value); COUNT]) -> Params {
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
pub fn estimate(candidates: &[Candidate], fits: &[SampledFit]) -> Option<CostEstimate> {
    let strata = strata(candidates);
    let stumps: Vec<f64> = fits.iter().filter(|fit| fit.id.candidate.is_none()).map(|fit| fit.seconds).collect();
    let fixed = if stumps.is_empty() { 0.0 } else { mean(&stumps) };
    // Of each covered stratum: seconds of a fit, for a forest of a tree.
    let mut sampled: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for fit in fits {
        let Some(candidate) = fit.id.candidate else { continue };
        let at = strata.iter().position(|(_, candidates)| candidates.contains(&candidate))?;
        let own = (fit.seconds - fixed).max(0.0) / fit.id.trees.unwrap_or(1) as f64;
        sampled.entry(at).or_default().push(own);
    }
    let covered: BTreeMap<usize, f64> = sampled.iter().map(|(&at, seconds)| (at, mean(seconds))).collect();
    let stratum_seconds = |(at, (values, members)): (usize, &(Stratum, Vec<usize>))| {
        let own = covered.get(&at).or_else(|| nearest(values, &strata, &covered))?;
        let trees = |&candidate: &usize| candidates[candidate].params.get("n_estimators").and_then(Value::as_f64);
        let seconds_of = |candidate| fixed + own * trees(candidate).unwrap_or(1.0);
        Some(members.iter().map(seconds_of).sum::<f64>() * f64::from(FOLDS) / 2.0)
    };
    let seconds = strata.iter().enumerate().map(stratum_seconds).sum::<Option<f64>>()?;
    let accepted: usize = strata.iter().map(|(_, candidates)| candidates.len()).sum();
    Some(CostEstimate {
        candidates: candidates.len(),
        rejected: candidates.len() - accepted,
        fits: accepted * FOLDS as usize,
        strata: strata.len(),
        sampled: fits.len() - stumps.len(),
        uncovered: strata.len() - covered.len(),
        seconds,
        spent: fits.iter().map(|fit| fit.wall).sum(),
    })
}

/// The cost of the covered stratum that has most drivers in common; of equally near ones the first.
fn nearest<'a>(
    values: &Stratum,
    strata: &[(Stratum, Vec<usize>)],
    covered: &'a BTreeMap<usize, f64>,
) -> Option<&'a f64> {
    let differing = |at: usize| strata[at].0.iter().zip(values).filter(|(a, b)| a != b).count();
    covered.iter().min_by_key(|(at, _)| differing(**at)).map(|(_, own)| own)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
