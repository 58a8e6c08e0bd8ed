//! Predictions for the rows of a file.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use features::ModelRows;
use model::dataset::Impute;
use model::explain::join_first;

use super::loaded_model::LoadedModel;
use super::prediction::{Prediction, RowContext};
use crate::output::warn;

/// Rows predicted together.
const BATCH_ROWS: usize = 1_000;

/// Columns listed in an error.
const MAX_LISTED_COLUMNS: usize = 5;

/// What can be done about missing values.
const IMPUTE_ADVICE: &str = "fill in the values, or use `--impute mean`, `median`, `zero` or `most_frequent`";

/// A prediction for each row, in the order of the file.
pub async fn predict(loaded: &Arc<LoadedModel>, file: &Path, how: Option<Impute>) -> anyhow::Result<Vec<Prediction>> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let (features, labels) = (loaded.info.feature_names.clone(), loaded.info.label_names.clone());
    let rows = tokio::task::spawn_blocking(move || features::model_rows(&bytes, &features, &labels)).await?;
    let rows = rows.with_context(|| file.display().to_string())?;
    rows.notes.iter().for_each(|note| warn(&format!("{}: {note}", file.display())));
    let (loaded, shown) = (loaded.clone(), file.display().to_string());
    tokio::task::spawn_blocking(move || {
        let fills = loaded.dataset.fills(&loaded.info.feature_names, how);
        check_columns(&loaded, &rows, fills.as_deref()).context(shown)?;
        let mut predictions = Vec::with_capacity(rows.ids.len());
        for first in (0..rows.ids.len()).step_by(BATCH_ROWS) {
            let last = rows.ids.len().min(first + BATCH_ROWS);
            predictions.extend(batch(&loaded, &rows, first..last, fills.as_deref())?);
        }
        Ok(predictions)
    })
    .await?
}

/// Refuses a file that has no values at all for a feature that cannot be imputed: one error instead of one per row. For a single
/// row, the error of the row is enough.
fn check_columns(loaded: &LoadedModel, rows: &ModelRows, fills: Option<&[f64]>) -> anyhow::Result<()> {
    let names = &loaded.info.feature_names;
    let is_missing = |column: usize| {
        let mut values = rows.features.iter().skip(column).step_by(names.len());
        fills.is_none_or(|fills| fills[column].is_nan()) && values.all(|value| value.is_nan())
    };
    let missing: Vec<&String> =
        names.iter().enumerate().filter(|(column, _)| is_missing(*column)).map(|(_, name)| name).collect();
    if rows.ids.len() > 1 && !missing.is_empty() {
        bail!(
            "no row has a value in {}, which the model needs: {IMPUTE_ADVICE}",
            join_first(missing, MAX_LISTED_COLUMNS)
        );
    }
    Ok(())
}

/// A row with all its values.
struct CompleteRow {
    index: usize,
    features: Vec<f64>,
    filled: Vec<String>,
}

fn batch(
    loaded: &LoadedModel,
    rows: &ModelRows,
    range: std::ops::Range<usize>,
    fills: Option<&[f64]>,
) -> anyhow::Result<Vec<Prediction>> {
    let completed: Vec<Result<CompleteRow, String>> =
        range.clone().map(|index| complete(loaded, rows, index, fills)).collect();
    let usable: Vec<&CompleteRow> = completed.iter().flatten().collect();
    let ids: Vec<&str> = usable.iter().map(|row| rows.ids[row.index].as_str()).collect();
    let features: Vec<f64> = usable.iter().flat_map(|row| &row.features).copied().collect();
    let mut assigned = loaded.model.assign_all(&ids, &features)?.into_iter();
    let predict = |(index, row): (usize, Result<CompleteRow, String>)| match row {
        Err(why) => Some(Prediction::failed(rows.ids[index].clone(), why)),
        Ok(row) => assigned.next().map(|assignment| {
            // Extreme values may overflow inside a neural network.
            if !assignment.probabilities.iter().all(|p| p.is_finite()) {
                let why = "no prediction: its values are too far from those that the model was fitted on";
                return Prediction::failed(rows.ids[index].clone(), format!("{}: {why}", rows.places[index]));
            }
            let context = RowContext {
                name: None,
                in_training: loaded.dataset.was_in_training(&row.features),
                truth: truth(loaded, rows, index),
                imputed: row.filled,
            };
            Prediction::new(assignment, &loaded.info.label_names, context)
        }),
    };
    Ok(range.zip(completed).filter_map(predict).collect())
}

/// A row with its missing values imputed, or why it cannot be used.
fn complete(
    loaded: &LoadedModel,
    rows: &ModelRows,
    index: usize,
    fills: Option<&[f64]>,
) -> Result<CompleteRow, String> {
    if let Some(why) = rows.unusable.get(&index) {
        return Err(why.clone());
    }
    let names = &loaded.info.feature_names;
    let mut features = rows.features[index * names.len()..(index + 1) * names.len()].to_vec();
    let missing: Vec<usize> = (0..names.len()).filter(|&column| features[column].is_nan()).collect();
    for &column in &missing {
        features[column] = fills.map_or(f64::NAN, |fills| fills[column]);
    }
    let listed = |columns: &[usize]| join_first(columns.iter().map(|&column| &names[column]), MAX_LISTED_COLUMNS);
    let lacking: Vec<usize> = missing.iter().copied().filter(|&column| features[column].is_nan()).collect();
    if !lacking.is_empty() {
        return Err(format!("{} has no value in {}: {IMPUTE_ADVICE}", rows.places[index], listed(&lacking)));
    }
    let filled = missing.into_iter().map(|column| names[column].clone()).collect();
    Ok(CompleteRow { index, features, filled })
}

fn truth(loaded: &LoadedModel, rows: &ModelRows, index: usize) -> Option<Vec<String>> {
    let names = &loaded.info.label_names;
    let labels = rows.labels[index].as_ref()?;
    Some(names.iter().zip(labels).filter(|(_, has)| **has == 1).map(|(name, _)| name.clone()).collect())
}
