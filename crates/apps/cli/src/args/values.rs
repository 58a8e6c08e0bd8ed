//! The values of arguments: kinds of jobs, workers, columns, statistics.

use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser};
use host::Program;
use model::job::Kind;

use crate::programs;

/// The name of a kind of job.
pub fn kind() -> PossibleValuesParser {
    PossibleValuesParser::new(programs::kind_names())
}

/// The short name of a worker program, or all of them.
pub fn worker() -> PossibleValuesParser {
    let value = |program: &Program| PossibleValue::new(programs::short_name(program)).help(program.description);
    let all = PossibleValue::new(programs::ALL).help("Run all of them");
    PossibleValuesParser::new(programs::programs().iter().map(value).chain([all]))
}

/// What a line of a file of jobs looks like, for each kind.
pub fn job_lines() -> String {
    let width = programs::kind_names().iter().map(|name| name.len()).max().unwrap_or(0);
    let line = |kind: &Kind| format!("  {:width$}  {}\n", kind.name, kind.example);
    let kinds: String = programs::kinds().iter().map(line).collect();
    format!(
        "Examples:\n  spotifai enqueue file tracks.txt --kind track.tags\n  spotifai enqueue file pages.jsonl --kind playlist.page\n  sort -u tracks.txt | spotifai enqueue file - --kind track.tags\n\nA line is the body of a job as a JSON object, or its key as `spotifai dead list` shows it:\n{kinds}Empty lines are skipped. Enqueueing a job twice has the same effect as enqueueing it once. For a track that was never collected, track.tags first fetches its title and artists, and track.pitches its audio analysis."
    )
}

/// Names of columns, from one argument.
#[derive(Debug, Clone)]
pub struct ColumnNames(pub Vec<String>);

/// A list as a line of CSV has it.
pub fn column_names(list: &str) -> Result<ColumnNames, String> {
    let mut line = csv::ReaderBuilder::new().has_headers(false).from_reader(list.as_bytes());
    let mut records = line.records();
    match (records.next(), records.next()) {
        (Some(Ok(names)), None) if names.iter().all(|name| !name.trim().is_empty()) => {
            Ok(ColumnNames(names.iter().map(|name| name.trim().to_owned()).collect()))
        }
        _ => Err("expected a list of column names, such as `a,b` or `'\"a, b\",c'`".to_owned()),
    }
}

/// What takes the place of missing values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Imputation {
    /// The mean
    Mean,
    /// The median
    Median,
    /// Zero
    Zero,
    /// The most frequent value (the smallest, if tied)
    MostFrequent,
}

impl From<Imputation> for model::dataset::Impute {
    fn from(imputation: Imputation) -> Self {
        match imputation {
            Imputation::Mean => Self::Mean,
            Imputation::Median => Self::Median,
            Imputation::Zero => Self::Zero,
            Imputation::MostFrequent => Self::MostFrequent,
        }
    }
}
