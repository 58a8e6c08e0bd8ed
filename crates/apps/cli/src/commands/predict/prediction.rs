//! Predictions, for people and for programs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use model::search::{Assignment, ModelInfo};
use report::Words;
use serde::Serialize;

use super::model_dataset::ModelDataset;
use crate::args;
use crate::files::save;
use crate::output::{counted, print_json, print_line, table, thousands};

/// Rows without a prediction that are reported individually.
pub const MAX_LISTED_FAILURES: usize = 10;

/// Probabilities shown per row in the table.
const MAX_SHOWN_LABELS: usize = 5;

/// Imputed features named per row in the table.
const MAX_SHOWN_FILLS: usize = 3;

/// The prediction for a row. The field names are those of `--json`.
#[derive(Serialize)]
pub struct Prediction {
    track_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Outcome {
    Assigned(Assigned),
    Failed { error: String },
}

#[derive(Serialize)]
struct Assigned {
    /// Whether the model was fitted on this row; `None` if unknown.
    in_training: Option<bool>,
    truth: Option<Vec<String>>,
    assigned: Vec<String>,
    probabilities: BTreeMap<String, f64>,
    /// Features whose missing values were imputed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    imputed: Vec<String>,
}

/// What is known about a row apart from its prediction.
#[derive(Default)]
pub struct RowContext {
    /// Its name for people.
    pub name: Option<String>,
    /// Whether the model was fitted on it; `None` if unknown.
    pub in_training: Option<bool>,
    /// Its true labels, if known.
    pub truth: Option<Vec<String>>,
    /// Features whose values were imputed.
    pub imputed: Vec<String>,
}

impl Prediction {
    /// The labels that a model assigns.
    pub fn new(assignment: Assignment, labels: &[String], context: RowContext) -> Self {
        let Assignment { track_id, assigned, probabilities, .. } = assignment;
        let RowContext { name, in_training, truth, imputed } = context;
        let probabilities = labels.iter().cloned().zip(probabilities).collect();
        Self {
            track_id,
            name,
            outcome: Outcome::Assigned(Assigned { in_training, truth, assigned, probabilities, imputed }),
        }
    }

    /// A row that cannot be predicted, and why.
    pub fn failed(track_id: String, error: String) -> Self {
        Self { track_id, name: None, outcome: Outcome::Failed { error } }
    }

    /// Whether the model is known to have been fitted on it.
    pub fn was_in_training(&self) -> bool {
        self.assigned().is_some_and(|assigned| assigned.in_training == Some(true))
    }

    /// The id of a row without a prediction, and why.
    pub fn failure(&self) -> Option<(&str, &str)> {
        match &self.outcome {
            Outcome::Failed { error } => Some((&self.track_id, error)),
            Outcome::Assigned(_) => None,
        }
    }

    fn assigned(&self) -> Option<&Assigned> {
        match &self.outcome {
            Outcome::Assigned(assigned) => Some(assigned),
            Outcome::Failed { .. } => None,
        }
    }
}

/// Where predictions go.
pub enum Destination {
    /// A table for people, on standard output.
    Table,
    /// JSON on standard output.
    Json,
    /// A JSON file.
    JsonFile(PathBuf),
    /// A CSV file.
    CsvFile(PathBuf),
}

impl Destination {
    /// The destination given by the arguments.
    pub fn from_args(args: &args::PredictArgs) -> Result<Self, String> {
        let Some(file) = &args.out else { return Ok(if args.json { Self::Json } else { Self::Table }) };
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("csv") => Ok(Self::CsvFile(file.clone())),
            Some("json") => Ok(Self::JsonFile(file.clone())),
            _ => Err(format!("{} must end in .csv or .json: the extension selects the format", file.display())),
        }
    }
}

/// Prints or writes predictions.
pub fn show(
    predictions: &[Prediction],
    model: &ModelInfo,
    dataset: &ModelDataset,
    destination: &Destination,
) -> anyhow::Result<()> {
    match destination {
        Destination::Json => print_json(&predictions),
        Destination::Table => print_line(&text(predictions, dataset)),
        Destination::JsonFile(file) => write(file, &serde_json::to_vec_pretty(predictions)?, predictions.len()),
        Destination::CsvFile(file) => write(file, &csv(predictions, &model.label_names)?, predictions.len()),
    }
}

fn write(file: &Path, bytes: &[u8], rows: usize) -> anyhow::Result<()> {
    save(file, bytes)?;
    print_line(&format!("wrote {}: {}", file.display(), counted(rows, "row")))
}

/// One record per row, including rows without a prediction, with a probability column for each label. An empty `truth` means no
/// labels if `truth_known` is true, and unknown labels otherwise.
fn csv(predictions: &[Prediction], labels: &[String]) -> anyhow::Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let head = ["track_id", "name", "in_training", "truth_known", "truth", "assigned", "imputed", "error"];
    let head = head.map(str::to_owned).into_iter();
    csv.write_record(head.chain(labels.iter().map(|label| format!("probability:{label}"))))?;
    for prediction in predictions {
        let mut record = vec![prediction.track_id.clone(), prediction.name.clone().unwrap_or_default()];
        if let Some(row) = prediction.assigned() {
            record.push(row.in_training.map(|in_training| in_training.to_string()).unwrap_or_default());
            record.extend([row.truth.is_some().to_string(), row.truth.as_deref().unwrap_or_default().join(";")]);
            record.extend([row.assigned.join(";"), row.imputed.join(";"), String::new()]);
            record.extend(
                labels.iter().map(|label| row.probabilities.get(label).map_or_else(String::new, f64::to_string)),
            );
        } else {
            let why = prediction.failure().map_or("", |(_, why)| why);
            record.extend(["", "", "", "", "", why].map(str::to_owned));
            record.extend(labels.iter().map(|_| String::new()));
        }
        csv.write_record(record)?;
    }
    Ok(csv.into_inner()?)
}

/// A table of the rows that have a prediction.
fn text(predictions: &[Prediction], dataset: &ModelDataset) -> String {
    let predicted: Vec<(&Prediction, &Assigned)> =
        predictions.iter().filter_map(|prediction| Some((prediction, prediction.assigned()?))).collect();
    if predicted.is_empty() {
        return "no predictions".to_owned();
    }
    let (row, labels) =
        dataset.info.as_ref().map(Words::of).map_or(("row", "labels"), |words| (words.row, words.labels));
    // Columns that would be empty in every row are left out.
    let has_truth = predicted.iter().any(|(_, row)| row.truth.is_some());
    let has_trained_on = predicted.iter().any(|(_, row)| row.in_training == Some(true));
    let cells = |(prediction, row): &(&Prediction, &Assigned)| {
        let name = prediction.name.clone().unwrap_or_else(|| prediction.track_id.clone());
        let mut cells = vec![name, names(&row.assigned)];
        cells.extend(has_truth.then(|| row.truth.as_ref().map_or_else(String::new, |truth| names(truth))));
        cells.extend(has_trained_on.then(|| if row.in_training == Some(true) { "yes".into() } else { String::new() }));
        cells.push(probabilities(row));
        cells
    };
    let mut header = vec![row, labels];
    header.extend(has_truth.then_some("truth"));
    header.extend(has_trained_on.then_some("trained on"));
    header.push("probabilities");
    table(&header, &predicted.iter().map(cells).collect::<Vec<_>>())
}

fn names(labels: &[String]) -> String {
    if labels.is_empty() { "–".to_owned() } else { labels.join(", ") }
}

/// The most probable labels, and what was imputed.
fn probabilities(row: &Assigned) -> String {
    let mut ranked: Vec<(&String, &f64)> = row.probabilities.iter().filter(|(_, p)| **p > 0.0).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(a.1));
    let more = if ranked.len() > MAX_SHOWN_LABELS { " …" } else { "" };
    let shown: Vec<String> =
        ranked.iter().take(MAX_SHOWN_LABELS).map(|(label, p)| format!("{label} {:.0}%", *p * 100.0)).collect();
    let imputed = match row.imputed.as_slice() {
        [] => String::new(),
        names if names.len() <= MAX_SHOWN_FILLS => format!("  (imputed: {})", names.join(", ")),
        names => format!("  (imputed: {} features)", thousands(names.len())),
    };
    format!("{}{more}{imputed}", shown.join(" · "))
}
