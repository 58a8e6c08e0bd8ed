//! Rows for a model that is fitted already: its own columns out of any table.

use std::collections::BTreeMap;

use model::dataset::{Dataset, Impute, Imputed, Split};

use super::error::some_of;
use super::import::{MOST, ids_or_numbers, other_id};
use super::names::id_rank;
use super::place::Place;
use super::roles::Roles;
use super::table::Table;
use super::{DatasetError, Import, LABEL, TRACK_ID, impute};

/// Missing columns that are named.
const MOST_MISSING: usize = 50;

/// Values of a row that are named.
const MOST_VALUES: usize = 5;

/// Rows of a table, as a model takes them.
#[derive(Debug, Clone)]
pub struct ModelRows {
    /// n ids: those of the column `track_id` or of the one that takes its place; else the numbers of the rows' places.
    pub ids: Vec<String>,
    /// n places in the file.
    pub places: Vec<Place>,
    /// n × d values in the order of the model's features, NaN where one is missing.
    pub features: Vec<f64>,
    /// Rows, from 0, that cannot be used whatever is done about missing values, and why.
    pub unusable: BTreeMap<usize, String>,
    /// n times q of 0/1 in the order of the model's labels, where the row has all of them, with `label:` or without.
    pub labels: Vec<Option<Vec<u8>>>,
    /// Sentences about what was found out and not said by the file.
    pub notes: Vec<String>,
}

/// Reads the columns that a model takes, by name; all others are left alone. What is wrong with one row alone is no error.
///
/// # Errors
/// One line that names every column that the table lacks, or every one that holds no number.
pub fn model_rows(bytes: &[u8], feature_names: &[String], label_names: &[String]) -> Result<ModelRows, DatasetError> {
    let is_label = |name: &str| label_names.iter().any(|label| label == name.strip_prefix(LABEL).unwrap_or(name));
    let is_named =
        |name: &str| feature_names.iter().any(|feature| feature == name) || is_label(name) || name == TRACK_ID;
    let is_wanted = |name: &str| is_named(name) || id_rank(name).is_some();
    let table = Table::read_unless(bytes, |name| !is_wanted(name), None).map_err(|error| match error {
        DatasetError::TooLarge { rows, columns, most, .. } => {
            DatasetError::TooLarge { rows, columns, most, may_leave_out: false }
        }
        other => other,
    })?;
    // Another column of ids is used only where it comes once.
    table.check_names(is_named)?;
    check(&table, feature_names)?;
    let (columns, bad) = numbers(&table, feature_names)?;
    let named = |(row, values): (usize, Vec<String>)| (row, format!("{}: {}", table.place(row), few_of(&values)));
    let mut unusable: BTreeMap<usize, String> = bad.into_iter().map(named).collect();
    unusable.extend(table.too_long().map(|(row, error)| (row, error.to_string())));
    // As where a dataset is read: another column of ids may take the place of `track_id`.
    let import = Import::default();
    let id = Roles::of(&import).find_id(&table).filter(|name| !feature_names.contains(name));
    let ids = id.as_deref().map_or_else(|| Ok(vec![None; table.rows()]), |column| table.ids(column))?;
    Ok(ModelRows {
        ids: ids_or_numbers(ids, &table.places()),
        places: table.places(),
        features: (0..table.rows()).flat_map(|row| columns.iter().map(move |values| values[row])).collect(),
        unusable,
        labels: labels(&table, label_names),
        notes: table.notes().iter().cloned().chain(id.as_deref().and_then(other_id)).collect(),
    })
}

/// Refuses a table without rows or without a column that the model takes.
fn check(table: &Table, feature_names: &[String]) -> Result<(), DatasetError> {
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
    Ok(())
}

/// What cannot be used of rows, value by value.
type BadRows = BTreeMap<usize, Vec<String>>;

/// The numbers of each feature. All columns that hold none are one error.
fn numbers(table: &Table, feature_names: &[String]) -> Result<(Vec<Vec<f64>>, BadRows), DatasetError> {
    let mut columns = Vec::new();
    let mut unusable = Vec::new();
    let mut bad = BadRows::new();
    for name in feature_names {
        match table.numbers_or_bad(name, MOST) {
            Ok((values, bad_here)) => {
                columns.push(values);
                bad_here.iter().for_each(|(row, what)| bad.entry(*row).or_default().push(format!("`{name}` {what}")));
            }
            Err(_) if is_empty(table, name) => columns.push(vec![f64::NAN; table.rows()]),
            Err(DatasetError::Unusable(faults)) => unusable.extend(faults),
            Err(other) => return Err(other),
        }
    }
    if unusable.is_empty() { Ok((columns, bad)) } else { Err(DatasetError::UnusableForModel(unusable)) }
}

/// Names, so many that whoever has to add the columns rarely needs a second try.
fn all_of(names: &[&str]) -> String {
    model::plain::first_of(names, MOST_MISSING)
}

/// The first values of a row.
fn few_of(values: &[String]) -> String {
    let more = values.len().saturating_sub(MOST_VALUES);
    let named = values[..values.len() - more].join(", ");
    if more == 0 { named } else { format!("{named} and {more} more values") }
}

/// Whether a column has nothing in any row, which is missing and not wrong.
fn is_empty(table: &Table, name: &str) -> bool {
    table.texts(name).is_ok_and(|texts| texts.iter().all(Option::is_none))
}

/// The truth of each row that has all of it.
fn labels(table: &Table, names: &[String]) -> Vec<Option<Vec<u8>>> {
    let column = |name: &String| {
        let prefixed = format!("{LABEL}{name}");
        let name = if table.has(&prefixed) { &prefixed } else { name };
        Some(table.numbers_or_bad(name, MOST).ok()?.0)
    };
    let Some(columns) = names.iter().map(column).collect::<Option<Vec<Vec<f64>>>>() else {
        return vec![None; table.rows()];
    };
    let bit = |value: f64| (value == 0.0 || value == 1.0).then_some(value as u8);
    (0..table.rows()).map(|row| columns.iter().map(|values| bit(values[row])).collect()).collect()
}

/// What takes the place of a missing value of each of the d features of a dataset: the value that took it in the dataset
/// itself, where that was filled in this way, else the statistic of its training rows. NaN where neither is known.
pub fn fills(feature_names: &[String], dataset: Option<&Dataset>, imputed: Option<&Imputed>, how: Impute) -> Vec<f64> {
    let fitted = imputed.filter(|imputed| imputed.how == how);
    let train = dataset.map(|dataset| dataset.side(Split::Train)).unwrap_or_default();
    let of = |(column, name): (usize, &String)| {
        let width = feature_names.len();
        let known = |dataset: &Dataset| train.iter().map(|&row| dataset.features[row * width + column]).collect();
        let fitted = fitted.and_then(|imputed| imputed.fills.get(name).copied());
        fitted.or_else(|| impute::statistic(dataset.map(known).unwrap_or_default(), how)).unwrap_or(f64::NAN)
    };
    feature_names.iter().enumerate().map(of).collect()
}
