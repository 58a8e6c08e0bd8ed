//! Answers, as people and programs read them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use model::search::{Assignment, ModelInfo};
use report::Words;
use serde::Serialize;

use super::known::Known;
use crate::args;
use crate::files::save;
use crate::output::{say, say_json, table, thousands};

/// Rows without an answer that are named one by one.
pub const MOST_NAMED: usize = 10;

/// Labels whose probabilities a terminal shows.
const MOST_SHOWN: usize = 5;

/// Fills of a row that a terminal names.
const FILLS_SHOWN: usize = 3;

/// What becomes of one row. The names are those of `--json`.
#[derive(Serialize)]
pub struct Answer {
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
    /// Whether the model was fitted on it; `None`: not known.
    in_training: Option<bool>,
    truth: Option<Vec<String>>,
    assigned: Vec<String>,
    probabilities: BTreeMap<String, f64>,
    /// Features whose values were missing and filled in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    imputed: Vec<String>,
}

/// What is known of a row besides what a model assigns to it.
#[derive(Default)]
pub struct Beside {
    /// What people call it.
    pub name: Option<String>,
    /// Whether the model was fitted on it; `None`: not known.
    pub in_training: Option<bool>,
    /// Its labels, where they are known.
    pub truth: Option<Vec<String>>,
    /// Features that were filled in.
    pub imputed: Vec<String>,
}

impl Answer {
    /// What a model assigns.
    pub fn new(assignment: Assignment, labels: &[String], beside: Beside) -> Self {
        let Assignment { track_id, assigned, probabilities, .. } = assignment;
        let Beside { name, in_training, truth, imputed } = beside;
        let probabilities = labels.iter().cloned().zip(probabilities).collect();
        Self {
            track_id,
            name,
            outcome: Outcome::Assigned(Assigned { in_training, truth, assigned, probabilities, imputed }),
        }
    }

    /// A row that cannot be answered, and why.
    pub fn failed(track_id: String, error: String) -> Self {
        Self { track_id, name: None, outcome: Outcome::Failed { error } }
    }

    /// Whether the model is known to have been fitted on it.
    pub fn was_in_training(&self) -> bool {
        self.assigned().is_some_and(|of| of.in_training == Some(true))
    }

    /// The id and the reason of a row without an answer.
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

/// Where answers go.
pub enum Format {
    /// A table for people, on standard output.
    Table,
    /// JSON on standard output.
    Json,
    /// A JSON file.
    JsonFile(PathBuf),
    /// A CSV file.
    CsvFile(PathBuf),
}

impl Format {
    /// What the arguments say.
    pub fn of(args: &args::PredictArgs) -> Result<Self, String> {
        let Some(file) = &args.out else { return Ok(if args.json { Self::Json } else { Self::Table }) };
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("csv") => Ok(Self::CsvFile(file.clone())),
            Some("json") => Ok(Self::JsonFile(file.clone())),
            _ => Err(format!("{} ends in neither .csv nor .json: the ending decides the format", file.display())),
        }
    }
}

/// Prints or writes answers.
pub fn show(answers: &[Answer], model: &ModelInfo, known: &Known, format: &Format) -> anyhow::Result<()> {
    match format {
        Format::Json => say_json(&answers),
        Format::Table => say(&text(answers, known)),
        Format::JsonFile(file) => write(file, &serde_json::to_vec_pretty(answers)?, answers.len()),
        Format::CsvFile(file) => write(file, &csv(answers, &model.label_names)?, answers.len()),
    }
}

fn write(file: &Path, bytes: &[u8], rows: usize) -> anyhow::Result<()> {
    save(file, bytes)?;
    say(&format!("{}: {} rows", file.display(), thousands(rows)))
}

/// A line a row, with those that have no answer: id, name, what is known, what was assigned, a column a label. No label
/// and labels that nobody knows are both an empty cell: `truth_known` tells which.
fn csv(answers: &[Answer], labels: &[String]) -> anyhow::Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let head = ["track_id", "name", "in_training", "truth_known", "truth", "assigned", "imputed", "error"];
    let head = head.map(str::to_owned).into_iter();
    csv.write_record(head.chain(labels.iter().map(|label| format!("probability:{label}"))))?;
    for answer in answers {
        let mut record = vec![answer.track_id.clone(), answer.name.clone().unwrap_or_default()];
        if let Some(of) = answer.assigned() {
            record.push(of.in_training.map(|was| was.to_string()).unwrap_or_default());
            record.extend([of.truth.is_some().to_string(), of.truth.as_deref().unwrap_or_default().join(";")]);
            record.extend([of.assigned.join(";"), of.imputed.join(";"), String::new()]);
            record.extend(
                labels.iter().map(|label| of.probabilities.get(label).map_or_else(String::new, f64::to_string)),
            );
        } else {
            let why = answer.failure().map_or("", |(_, why)| why);
            record.extend(["", "", "", "", "", why].map(str::to_owned));
            record.extend(labels.iter().map(|_| String::new()));
        }
        csv.write_record(record)?;
    }
    Ok(csv.into_inner()?)
}

/// Those that were answered, a line each.
fn text(answers: &[Answer], known: &Known) -> String {
    let answered: Vec<(&Answer, &Assigned)> =
        answers.iter().filter_map(|answer| Some((answer, answer.assigned()?))).collect();
    if answered.is_empty() {
        return "no answers".to_owned();
    }
    let (row, labels) = known.info.as_ref().map(Words::of).map_or(("row", "labels"), |words| (words.row, words.labels));
    // A column that says the same of every row says nothing.
    let has_truth = answered.iter().any(|(_, of)| of.truth.is_some());
    let has_seen = answered.iter().any(|(_, of)| of.in_training == Some(true));
    let cells = |(answer, of): &(&Answer, &Assigned)| {
        let mut cells = vec![answer.name.clone().unwrap_or_else(|| answer.track_id.clone()), names(&of.assigned)];
        cells.extend(has_truth.then(|| of.truth.as_ref().map_or_else(String::new, |truth| names(truth))));
        cells.extend(has_seen.then(|| if of.in_training == Some(true) { "yes".into() } else { String::new() }));
        cells.push(likely(of));
        cells
    };
    let mut header = vec![row, labels];
    header.extend(has_truth.then_some("truth"));
    header.extend(has_seen.then_some("trained on"));
    header.push("probabilities");
    table(&header, &answered.iter().map(cells).collect::<Vec<_>>())
}

fn names(labels: &[String]) -> String {
    if labels.is_empty() { "–".to_owned() } else { labels.join(", ") }
}

/// The likeliest labels, and what was filled in.
fn likely(of: &Assigned) -> String {
    let mut ranked: Vec<(&String, &f64)> = of.probabilities.iter().filter(|(_, p)| **p > 0.0).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(a.1));
    let more = if ranked.len() > MOST_SHOWN { " …" } else { "" };
    let shown: Vec<String> =
        ranked.iter().take(MOST_SHOWN).map(|(label, p)| format!("{label} {:.0}%", *p * 100.0)).collect();
    let filled = match of.imputed.as_slice() {
        [] => String::new(),
        few if few.len() <= FILLS_SHOWN => format!("  (filled in: {})", few.join(", ")),
        many => format!("  (filled in: {} features)", thousands(many.len())),
    };
    format!("{}{more}{filled}", shown.join(" · "))
}
