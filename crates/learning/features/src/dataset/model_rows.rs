//! Rows for a fitted model: its feature columns, taken from any table.

use std::collections::BTreeMap;

use model::dataset::{Dataset, Impute, Imputed, Split};
use model::explain::join_first;

use super::error::{BadValue, Fault, listed_names};
use super::import::{MAX_FEATURE_VALUE, ids_or_numbers, other_id};
use super::names::id_rank;
use super::place::{Place, places};
use super::roles::Roles;
use super::table::{ColumnUse, Table};
use super::{DatasetError, ImportOptions, LABEL, TRACK_ID, impute};

/// Missing columns that an error lists: enough that adding them rarely takes a second try.
const MAX_MISSING_LISTED: usize = 50;

/// Values of a row, or columns of labels, that a sentence lists.
const MAX_FAULTS_LISTED: usize = 5;

/// Rows of a table in the order of a model's features.
#[derive(Debug, Clone)]
pub struct ModelRows {
    /// n ids: those of the column `track_id` or of the one that takes its place; else the numbers of the rows' places.
    pub ids: Vec<String>,
    /// n places in the file.
    pub places: Vec<Place>,
    /// n × d values in the order of the model's features, NaN where one is missing or cannot be used.
    pub features: Vec<f64>,
    /// Rows, from 0, that cannot be used whatever is done about missing values, and why.
    pub unusable: BTreeMap<usize, String>,
    /// n times q of 0/1 in the order of the model's labels, where the row has all of them, with `label:` or without.
    pub labels: Vec<Option<Vec<u8>>>,
    /// Sentences about what was found out and not said by the file, and about labels that are none.
    pub notes: Vec<String>,
}

/// Reads the columns that a model needs, by name; others are not read. A problem with a single row is no error.
///
/// # Errors
/// One line that names every column that the table lacks, or every one of which no row can be used.
pub fn model_rows(bytes: &[u8], feature_names: &[String], label_names: &[String]) -> Result<ModelRows, DatasetError> {
    let is_label = |name: &str| label_names.iter().any(|label| label == name.strip_prefix(LABEL).unwrap_or(name));
    let is_feature = |name: &str| feature_names.iter().any(|feature| feature == name);
    let is_named = |name: &str| is_feature(name) || is_label(name) || name == TRACK_ID;
    let column_use = |name: &str| {
        if is_feature(name) {
            ColumnUse::Numbers
        } else if is_named(name) || id_rank(name).is_some() {
            ColumnUse::Any
        } else {
            ColumnUse::Skip
        }
    };
    let table = Table::read_wanted(bytes, column_use, None).map_err(|error| match error {
        DatasetError::TooLarge { rows, columns, most, .. } => {
            DatasetError::TooLarge { rows, columns, most, may_leave_out: false }
        }
        DatasetError::TooMuchText { most_mib, .. } => DatasetError::TooMuchText { most_mib, may_leave_out: false },
        other => other,
    })?;
    // Another column of ids is used only where it comes once.
    table.check_names(is_named)?;
    check(&table, feature_names)?;
    let (columns, bad) = features(&table, feature_names)?;
    let named = |(row, values): (usize, Vec<String>)| {
        (row, format!("{}: {}", table.place(row), join_first(&values, MAX_FAULTS_LISTED)))
    };
    let mut unusable: BTreeMap<usize, String> = bad.into_iter().map(named).collect();
    unusable.extend(table.too_long().map(|(row, error)| (row, error.to_string())));
    // As where a dataset is read: another column of ids may take the place of `track_id`.
    let import = ImportOptions::default();
    let id = Roles::of(&import).find_id(&table).filter(|name| !feature_names.contains(name));
    let (labels, doubt) = labels(&table, label_names);
    let notes = table.notes().iter().cloned().chain(id.as_deref().and_then(other_id)).chain(doubt);
    let ids = id.as_deref().map_or_else(|| Ok(vec![None; table.rows()]), |column| table.ids(column))?;
    Ok(ModelRows {
        ids: ids_or_numbers(ids, &table.places()),
        places: table.places(),
        features: (0..table.rows()).flat_map(|row| columns.iter().map(move |values| values[row])).collect(),
        unusable,
        labels,
        notes: notes.collect(),
    })
}

/// Refuses a table without rows or without a column that the model takes.
fn check(table: &Table, feature_names: &[String]) -> Result<(), DatasetError> {
    let missing: Vec<&str> = feature_names.iter().map(String::as_str).filter(|name| !table.has(name)).collect();
    if !missing.is_empty() {
        let there: Vec<&str> = table.names().collect();
        return Err(DatasetError::Lacks(format!(
            "column {}, which the model takes ({} of its {} columns are missing); the file has {}",
            join_first(&missing, MAX_MISSING_LISTED),
            missing.len(),
            feature_names.len(),
            listed_names(&there)
        )));
    }
    if table.rows() == 0 {
        return Err(DatasetError::Lacks("rows".to_owned()));
    }
    Ok(())
}

/// Rows, from 0, with what is wrong with their values.
type BadRows = BTreeMap<usize, Vec<String>>;

/// The values of each feature, NaN where one is missing or cannot be used.
fn features(table: &Table, names: &[String]) -> Result<(Vec<Vec<f64>>, BadRows), DatasetError> {
    let (mut columns, mut bad, mut unusable) = (Vec::new(), BadRows::new(), Vec::new());
    for name in names {
        match table.numbers_or_bad(name, MAX_FEATURE_VALUE) {
            // Said once, and not of each row; a lone row is named as any other.
            Ok((_, all)) if all.len() > 1 && all.len() == table.rows() => {
                let (row, what) = all[0].clone();
                unusable.push(Fault::Values { what, place: table.place(row), count: all.len() }.at(name));
            }
            Ok((mut values, bad_here)) => {
                for (row, what) in bad_here {
                    values[row] = f64::NAN;
                    bad.entry(row).or_default().push(format!("`{name}` {what}"));
                }
                columns.push(values);
            }
            Err(DatasetError::Unusable(faults)) => unusable.extend(faults),
            Err(other) => return Err(other),
        }
    }
    if unusable.is_empty() { Ok((columns, bad)) } else { Err(DatasetError::UnusableForModel(unusable)) }
}

/// The truth of each row that has all of it, and what there is to say of labels that are none.
fn labels(table: &Table, names: &[String]) -> (Vec<Option<Vec<u8>>>, Option<String>) {
    let column = |name: &String| {
        let names = [format!("{LABEL}{name}"), name.clone()];
        names.into_iter().find(|name| table.has(name))
    };
    let Some(columns) = names.iter().map(column).collect::<Option<Vec<String>>>() else {
        return (vec![None; table.rows()], None);
    };
    let mut faults = Vec::new();
    let bits = |name: &String| match table.bits_or_bad(name) {
        Ok((bits, bad)) => {
            let bad: Vec<Place> = bad.into_iter().map(|row| table.place(row)).collect();
            if !bad.is_empty() {
                faults.push(format!("`{name}` {} in {}", BadValue::NoBit, places(&bad)));
            }
            bits
        }
        Err(error) => {
            if let DatasetError::Unusable(columns) = error {
                faults.extend(columns.into_iter().map(|column| format!("`{}` {}", column.column, column.fault)));
            }
            vec![None; table.rows()]
        }
    };
    let columns: Vec<Vec<Option<u8>>> = columns.iter().map(bits).collect();
    let truths = (0..table.rows()).map(|row| columns.iter().map(|bits| bits[row]).collect());
    let doubt = format!("{}: the truth of such rows is not known", join_first(&faults, MAX_FAULTS_LISTED));
    (truths.collect(), (!faults.is_empty()).then_some(doubt))
}

/// What takes the place of a missing value of each of the d features of a dataset: the value that took it in the dataset
/// itself, where that was filled in this way, else the statistic of its training rows. NaN where neither is known.
pub fn fills(feature_names: &[String], dataset: Option<&Dataset>, imputed: Option<&Imputed>, how: Impute) -> Vec<f64> {
    let fitted = imputed.filter(|imputed| imputed.how == how);
    let train = dataset.map(|dataset| dataset.rows_in(Split::Train)).unwrap_or_default();
    let fill = |(column, name): (usize, &String)| {
        let width = feature_names.len();
        let known = |dataset: &Dataset| train.iter().map(|&row| dataset.features[row * width + column]).collect();
        let fitted = fitted.and_then(|imputed| imputed.fills.get(name).copied());
        fitted.or_else(|| impute::statistic(dataset.map(known).unwrap_or_default(), how)).unwrap_or(f64::NAN)
    };
    feature_names.iter().enumerate().map(fill).collect()
}
