//! Refitting the winner on all training rows, and its one evaluation on the test rows.

use model::Timestamp;
use model::search::{Assigned, Assignment, Evaluation, ModelInfo, Search, Trial, Tuned};
use ndarray::{ArrayView1, ArrayView2};

use super::importances::importances;
use super::thresholds::tune;
use super::{Prepared, SavedModel, check_kernel, leaderboard, pipeline};
use crate::family::{decide, decide_above};
use crate::{Cancel, LearnError, metrics};

/// Test rows shown as examples: the first ones, as rows are in random order.
const EXAMPLE_ROWS: usize = 5;

/// Fits the winner of these trials on all training rows, evaluates it once on the test rows and returns the model with its
/// bytes, unless it is cancelled before.
pub fn refit(
    data: &Prepared,
    search: &Search,
    trials: &[Trial],
    cancel: &Cancel,
) -> Result<(ModelInfo, Vec<u8>), LearnError> {
    let ranked = leaderboard(search, trials);
    let winner =
        ranked.first().ok_or_else(|| LearnError::Search("no candidate has finished all its trials yet".into()))?;
    if let Some(reason) = &winner.error {
        return Err(LearnError::Search(format!("no candidate of the grid can be fitted on this data: {reason}")));
    }
    check_kernel(search, data)?;
    let pipeline = pipeline(data, search, winner.setting)?;
    let fitted = pipeline.fit(&data.train, cancel)?;
    let tuned = if search.thresholds { Some(tune(data, search, &pipeline, cancel)?) } else { None };
    let thresholds = tuned.as_ref().map_or_else(|| vec![0.5; data.label_names.len()], |tuned| tuned.thresholds.clone());
    let probabilities = fitted.probabilities(data.test.records.view(), cancel)?;
    let mut evaluation = evaluate(data, probabilities.view(), &thresholds, tuned);
    evaluation.importances = importances(data, &pipeline, &fitted, &thresholds, search.seed, cancel)?;
    let saved = SavedModel::new(data, fitted, thresholds);
    let info = ModelInfo {
        search: search.id.clone(),
        setting: winner.setting,
        winner: search.settings[winner.setting as usize].clone(),
        mean_accuracy: winner.mean_accuracy,
        feature_names: data.feature_names.clone(),
        label_names: data.label_names.clone(),
        evaluation,
        created_at: Timestamp::now(),
    };
    Ok((info, saved.to_bytes()))
}

fn evaluate(
    data: &Prepared,
    probabilities: ArrayView2<'_, f64>,
    thresholds: &[f64],
    tuned: Option<Tuned>,
) -> Evaluation {
    let truth = data.test.targets.view();
    let at_half = decide(probabilities);
    let assigned = decide_above(thresholds, probabilities);
    let constant = metrics::most_frequent_set(data.train.targets.view());
    let baseline = metrics::constant_prediction(&constant, truth.nrows());
    let example = |(row, track_id): (usize, &String)| Assignment {
        track_id: track_id.clone(),
        truth: Some(names_of(data, truth.row(row))),
        assigned: names_of(data, assigned.row(row)),
        probabilities: probabilities.row(row).to_vec(),
    };
    Evaluation {
        heldout: metrics::scores(truth, at_half.view()),
        baseline: metrics::scores(truth, baseline.view()),
        confusion: metrics::confusion(truth, at_half.view()),
        examples: data.test_ids.iter().take(EXAMPLE_ROWS).enumerate().map(example).collect(),
        tuned: tuned.map(|tuned| Tuned { heldout: metrics::scores(truth, assigned.view()), ..tuned }),
        importances: None,
        assigned: Some(count_assigned(truth, assigned.view())),
    }
}

fn count_assigned(truth: ArrayView2<'_, bool>, assigned: ArrayView2<'_, bool>) -> Assigned {
    let without =
        |rows: ArrayView2<'_, bool>| rows.rows().into_iter().filter(|row| row.iter().all(|has| !has)).count() as u32;
    let count = |column: ArrayView1<'_, bool>| column.iter().filter(|has| **has).count() as u32;
    Assigned {
        rows: truth.nrows() as u32,
        by_label: assigned.columns().into_iter().map(count).collect(),
        without: without(assigned),
        truly_without: without(truth),
    }
}

fn names_of(data: &Prepared, labels: ArrayView1<'_, bool>) -> Vec<String> {
    let names = data.label_names.iter().zip(labels);
    names.filter(|(_, has)| **has).map(|(name, _)| name.clone()).collect()
}
