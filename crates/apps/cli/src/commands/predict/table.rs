//! The rows of a file.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use features::ModelRows;
use model::dataset::Impute;
use model::explain::join_first;

use super::answer::{Answer, Beside};
use super::chosen::Chosen;
use crate::output::warn;

/// Rows that are answered together.
const BATCH: usize = 1_000;

/// Columns that the reason of a row without an answer names.
const MOST_COLUMNS: usize = 5;

/// What can be done about missing values.
const FILL: &str = "fill it in, or choose how with `--impute mean`, `median`, `zero` or `most_frequent`";

/// An answer a row, in the order of the file.
pub async fn answers(chosen: &Arc<Chosen>, file: &Path, how: Option<Impute>) -> anyhow::Result<Vec<Answer>> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let (features, labels) = (chosen.info.feature_names.clone(), chosen.info.label_names.clone());
    let rows = tokio::task::spawn_blocking(move || features::model_rows(&bytes, &features, &labels)).await?;
    let rows = rows.with_context(|| file.display().to_string())?;
    rows.notes.iter().for_each(|note| warn(&format!("{}: {note}", file.display())));
    let (chosen, shown) = (chosen.clone(), file.display().to_string());
    tokio::task::spawn_blocking(move || {
        let fills = chosen.known.fills(&chosen.info.feature_names, how);
        check_columns(&chosen, &rows, fills.as_deref()).context(shown)?;
        let mut answers = Vec::with_capacity(rows.ids.len());
        for first in (0..rows.ids.len()).step_by(BATCH) {
            let last = rows.ids.len().min(first + BATCH);
            answers.extend(batch(&chosen, &rows, first..last, fills.as_deref())?);
        }
        Ok(answers)
    })
    .await?
}

/// Refuses a file in which no row has a value that the model takes and nothing fills in: said once, and not of each row. A
/// lone row is named as any other.
fn check_columns(chosen: &Chosen, rows: &ModelRows, fills: Option<&[f64]>) -> anyhow::Result<()> {
    let names = &chosen.info.feature_names;
    let is_lacking = |column: usize| {
        let mut values = rows.features.iter().skip(column).step_by(names.len());
        fills.is_none_or(|fills| fills[column].is_nan()) && values.all(|value| value.is_nan())
    };
    let lacking: Vec<&String> =
        names.iter().enumerate().filter(|(column, _)| is_lacking(*column)).map(|(_, name)| name).collect();
    if rows.ids.len() > 1 && !lacking.is_empty() {
        bail!("no row has a number in {}, which the model takes: {FILL}", join_first(lacking, MOST_COLUMNS));
    }
    Ok(())
}

/// One row on its way.
struct Row {
    at: usize,
    features: Vec<f64>,
    filled: Vec<String>,
}

fn batch(
    chosen: &Chosen,
    rows: &ModelRows,
    which: std::ops::Range<usize>,
    fills: Option<&[f64]>,
) -> anyhow::Result<Vec<Answer>> {
    let whole: Vec<Result<Row, String>> = which.clone().map(|at| whole(chosen, rows, at, fills)).collect();
    let usable: Vec<&Row> = whole.iter().flatten().collect();
    let ids: Vec<&str> = usable.iter().map(|row| rows.ids[row.at].as_str()).collect();
    let features: Vec<f64> = usable.iter().flat_map(|row| &row.features).copied().collect();
    let mut assigned = chosen.model.assign_all(&ids, &features)?.into_iter();
    let answer = |(at, row): (usize, Result<Row, String>)| match row {
        Err(why) => Some(Answer::failed(rows.ids[at].clone(), why)),
        Ok(row) => assigned.next().map(|assignment| {
            // What networks multiply may overflow.
            if !assignment.probabilities.iter().all(|p| p.is_finite()) {
                let why = "the model has no answer: values are too far from those that it was fitted on";
                return Answer::failed(rows.ids[at].clone(), format!("{}: {why}", rows.places[at]));
            }
            let beside = Beside {
                name: None,
                in_training: chosen.known.was_in_training(&row.features),
                truth: truth(chosen, rows, at),
                imputed: row.filled,
            };
            Answer::new(assignment, &chosen.info.label_names, beside)
        }),
    };
    Ok(which.zip(whole).filter_map(answer).collect())
}

/// A row with what was missing filled in, or why it cannot be used.
fn whole(chosen: &Chosen, rows: &ModelRows, at: usize, fills: Option<&[f64]>) -> Result<Row, String> {
    if let Some(why) = rows.unusable.get(&at) {
        return Err(why.clone());
    }
    let names = &chosen.info.feature_names;
    let mut features = rows.features[at * names.len()..(at + 1) * names.len()].to_vec();
    let missing: Vec<usize> = (0..names.len()).filter(|&column| features[column].is_nan()).collect();
    for &column in &missing {
        features[column] = fills.map_or(f64::NAN, |fills| fills[column]);
    }
    let named = |columns: &[usize]| join_first(columns.iter().map(|&column| &names[column]), MOST_COLUMNS);
    let lacking: Vec<usize> = missing.iter().copied().filter(|&column| features[column].is_nan()).collect();
    if !lacking.is_empty() {
        return Err(format!("{} has no value in {}: {FILL}", rows.places[at], named(&lacking)));
    }
    let filled = missing.into_iter().map(|column| names[column].clone()).collect();
    Ok(Row { at, features, filled })
}

fn truth(chosen: &Chosen, rows: &ModelRows, at: usize) -> Option<Vec<String>> {
    let names = &chosen.info.label_names;
    let labels = rows.labels[at].as_ref()?;
    Some(names.iter().zip(labels).filter(|(_, has)| **has == 1).map(|(name, _)| name.clone()).collect())
}
