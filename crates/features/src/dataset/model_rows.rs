//! Rows for a model that is fitted already: its own columns out of any table.

use model::dataset::{Dataset, Impute, Split};

use super::error::some_of;
use super::import::ids_or_numbers;
use super::roles::{Roles, is_known_id};
use super::table::Table;
use super::{DatasetError, Import, LABEL, TRACK_ID, impute};

/// Missing columns that are named.
const MOST_MISSING: usize = 50;

/// Rows of a table, as a model takes them.
#[derive(Debug, Clone)]
pub struct ModelRows {
    /// n ids: those of the column `track_id`, else the numbers of the rows, from 1.
    pub ids: Vec<String>,
    /// n × d values in the order of the model's features, NaN where one is missing.
    pub features: Vec<f64>,
    /// n × q of 0/1 in the order of the model's labels, where the table has all of them as columns, with `label:` or
    /// without.
    pub labels: Option<Vec<u8>>,
    /// Sentences about what was found out and not said by the file.
    pub notes: Vec<String>,
}

/// Reads the columns that a model takes, by name; all others are left alone.
///
/// # Errors
/// One line that names every column that the table lacks, or every one that holds no numbers.
pub fn model_rows(bytes: &[u8], feature_names: &[String], label_names: &[String]) -> Result<ModelRows, DatasetError> {
    let is_label = |name: &str| label_names.iter().any(|label| label == name.strip_prefix(LABEL).unwrap_or(name));
    let is_wanted = |name: &str| {
        feature_names.iter().any(|feature| feature == name) || is_label(name) || name == TRACK_ID || is_known_id(name)
    };
    let table = Table::read_unless(bytes, |name| !is_wanted(name)).map_err(|error| match error {
        DatasetError::TooLarge { rows, columns, most, .. } => {
            DatasetError::TooLarge { rows, columns, most, may_leave_out: false }
        }
        other => other,
    })?;
    let missing: Vec<&str> = feature_names.iter().map(String::as_str).filter(|name| !table.has(name)).collect();
    if !missing.is_empty() {
        let there: Vec<&str> = table.names().collect();
        return Err(DatasetError::Lacks(format!(
            "column {}, which the model takes ({} of its {} columns are missing); the file has {}",
            all_of(&missing),
            missing.len(),
            feature_names.len(),
            some_of(&there)
        )));
    }
    if table.rows() == 0 {
        return Err(DatasetError::Lacks("rows".to_owned()));
    }
    let mut columns = Vec::new();
    let mut unusable = Vec::new();
    for name in feature_names {
        match numbers(&table, name) {
            Ok(values) => columns.push(values),
            Err(DatasetError::Unusable(faults)) => unusable.extend(faults),
            Err(other) => return Err(other),
        }
    }
    if !unusable.is_empty() {
        return Err(DatasetError::UnusableForModel(unusable));
    }
    // As where a dataset is read: another column of ids may take the place of `track_id`.
    let import = Import::default();
    let ids = match Roles::of(&import).find_id(&table).filter(|name| !feature_names.contains(name)) {
        Some(column) => table.texts(&column)?,
        None => vec![None; table.rows()],
    };
    Ok(ModelRows {
        ids: ids_or_numbers(ids),
        features: (0..table.rows()).flat_map(|row| columns.iter().map(move |values| values[row])).collect(),
        labels: labels(&table, label_names),
        notes: table.notes().to_vec(),
    })
}

/// Names, so many that whoever has to add the columns rarely needs a second try.
fn all_of(names: &[&str]) -> String {
    let more = names.len().saturating_sub(MOST_MISSING);
    let named = names[..names.len() - more].join(", ");
    if more == 0 { named } else { format!("{named} and {more} more") }
}

/// The numbers of a column; one that is empty altogether is missing in every row.
fn numbers(table: &Table, name: &str) -> Result<Vec<f64>, DatasetError> {
    table.numbers(name).or_else(|error| match table.texts(name) {
        Ok(texts) if texts.iter().all(Option::is_none) => Ok(vec![f64::NAN; table.rows()]),
        _ => Err(error),
    })
}

/// The truth, where the table has all of it.
fn labels(table: &Table, names: &[String]) -> Option<Vec<u8>> {
    let column = |name: &String| {
        let prefixed = format!("{LABEL}{name}");
        table.numbers(if table.has(&prefixed) { &prefixed } else { name }).ok()
    };
    let columns: Vec<Vec<f64>> = names.iter().map(column).collect::<Option<_>>()?;
    let is_bit = |value: &f64| *value == 0.0 || *value == 1.0;
    let are_bits = columns.iter().all(|values| values.iter().all(is_bit));
    are_bits.then(|| (0..table.rows()).flat_map(|row| columns.iter().map(move |values| values[row] as u8)).collect())
}

/// What takes the place of a missing value of each of the d features of a dataset: the statistic of its training rows. Of a
/// dataset whose own missing values were filled so it is the value that filled them.
pub fn fills(dataset: &Dataset, how: Impute) -> Vec<f64> {
    let (width, train) = (dataset.feature_names.len(), dataset.side(Split::Train));
    let of = |column: usize| {
        let known = train.iter().map(|&row| dataset.features[row * width + column]).collect();
        impute::statistic(known, how).unwrap_or(f64::NAN)
    };
    (0..width).map(of).collect()
}
