//! Importing a dataset from a file.

use std::collections::{BTreeMap, HashSet};

use model::dataset::{Dataset, DatasetInfo, Impute, Imputed, Split};
use model::settings::SplitSettings;

use super::error::{BadValue, Fault, Unusable};
use super::genres::{Genres, LabelOrigin};
use super::import_options::ImportOptions;
use super::names::{is_id, is_row_number};
use super::place::Place;
use super::roles::{Roles, are_whole};
use super::rows::TableRows;
use super::split::RowOrder;
use super::table::{ReadOptions, Table};
use super::{ARTIST, DatasetError, SPLIT, TRACK_ID, copies, describe, impute, warnings};

/// A dataset from outside, and what was imputed.
#[derive(Debug, Clone)]
pub struct ImportedDataset {
    /// The matrix.
    pub dataset: Dataset,
    /// What was imputed; `None` if nothing was missing.
    pub imputed: Option<Imputed>,
    /// Sentences for the user about what was detected in the file and what looks doubtful.
    pub notes: Vec<String>,
    /// How labels were made from genres, if they were.
    origin: Option<LabelOrigin>,
}

impl ImportedDataset {
    /// What is stored beside the bytes of [`super::to_parquet`].
    pub fn info(&self, parquet: &[u8]) -> DatasetInfo {
        let info = DatasetInfo { imputed: self.imputed.clone(), ..describe(&self.dataset, parquet) };
        self.origin.iter().fold(info, |info, origin| origin.complete(info))
    }
}

/// Reads what [`super::to_parquet`] or [`super::to_csv`] wrote. Its columns are what they say, whatever they are called:
/// they were checked when the table was imported, and imputing or joining rows may since have made one look different.
pub fn read(bytes: &[u8], split: &SplitSettings) -> Result<Dataset, DatasetError> {
    let import = ImportOptions { split: split.clone(), ..ImportOptions::default() };
    Ok(import_from(bytes, &import, FileOrigin::Own)?.dataset)
}

/// The largest magnitude of a feature: models compute in 32 bits.
pub(super) const MAX_FEATURE_VALUE: f64 = f32::MAX as f64;

/// Who wrote a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FileOrigin {
    /// This program: the names of its columns can be trusted.
    Own,
    /// Another program: its columns have to be checked.
    Foreign,
}

/// Reads a table as [`Table::read`] does, with its columns in any order.
///
/// A label column holds 0/1 (or true/false), and every row has one or the other. `track_id` is optional (a column such as
/// `Track URI`, `isrc` or `id` takes its place), else rows are called by the numbers of their places; so is `artist`. With
/// `split` (`train`/`test`) rows keep the order of the file within each side; without it they are split as `import.split`
/// says. Rows of one `track_id` are copies of a track: they stay together, next to each other on one side, and a `split`
/// that parts them is refused. Every other column is a feature, and holds finite numbers; a value that is missing is
/// refused or imputed. `label:NAME` columns that `import.labels` does not name are left out.
///
/// With `import.genres` labels are made of a column of genres, as of tags that were collected: the most frequent canonical
/// forms, and one for all others. Rows of a `track_id` are then joined into one with all its genres, and what has no genre
/// is left out.
///
/// A column that is no feature is refused rather than learnt from: without a name, called `index` or the like and numbering
/// the rows, with ids, or with a name that is nearly a label's. All unusable columns are named in one error.
pub fn import(bytes: &[u8], import: &ImportOptions) -> Result<ImportedDataset, DatasetError> {
    import_from(bytes, import, FileOrigin::Foreign)
}

fn import_from(bytes: &[u8], import: &ImportOptions, source: FileOrigin) -> Result<ImportedDataset, DatasetError> {
    let mut roles = Roles::of(import);
    let lists = import.genres.as_ref().map(|genres| genres.name.clone());
    let table = Table::read(bytes, &ReadOptions { ignored: import.ignored.clone(), lists })?;
    roles.check(&table)?;
    if table.rows() == 0 {
        return Err(DatasetError::Lacks("rows".to_owned()));
    }
    let id = roles.find_id(&table);
    let (mut rows, feature_names) = rows(&table, &roles, id.as_deref(), import, source)?;
    let mut notes = table.notes().to_vec();
    notes.extend(id.as_deref().and_then(other_id));
    let mut origin = None;
    if let Some(column) = &import.genres {
        rows.check_sides()?;
        let genres = Genres::of(&table, column, &rows.track_ids, &rows.artists)?;
        notes.extend(
            genres.notes.iter().cloned().chain(genres.joined(id.as_deref().unwrap_or(TRACK_ID), &rows.features)),
        );
        rows = rows.of_tracks(&genres);
        origin = Some(genres.origin);
    }
    let order = rows.order(&import.split)?;
    let (matrix, imputed) = matrix(&feature_names, &mut rows, &order, import.impute)?;
    let dataset = Dataset {
        track_ids: order.rows.iter().map(|&row| rows.track_ids[row].clone()).collect(),
        artists: order.rows.iter().map(|&row| rows.artists[row].clone()).collect(),
        split: order.sides(),
        feature_names: feature_names.iter().map(|name| name.to_string()).collect(),
        features: matrix,
        labels: order.rows.iter().flat_map(|&row| rows.labels.iter().map(move |bits| bits[row])).collect(),
        label_names: rows.label_names,
    };
    notes.extend(order.note.clone());
    if source == FileOrigin::Foreign {
        let places: Vec<Place> = order.rows.iter().map(|&row| rows.places[row]).collect();
        notes.extend(copies::notes(&dataset, &places, id.is_some()));
        notes.extend(warnings::notes(&dataset, &rows.features));
    }
    Ok(ImportedDataset { dataset, imputed, notes, origin })
}

/// The rows of a table, and the names of their features; all columns that cannot be used are one error.
fn rows<'t>(
    table: &'t Table,
    roles: &Roles<'_>,
    id: Option<&str>,
    import: &ImportOptions,
    source: FileOrigin,
) -> Result<(TableRows, Vec<&'t str>), DatasetError> {
    let is_doubted = source == FileOrigin::Foreign;
    let mut unusable = if is_doubted { roles.misnamed(table) } else { Vec::new() };
    let labels = match import.genres {
        Some(_) => Vec::new(),
        None => or_misnamed(roles.labels(table), &unusable)?,
    };
    let feature_names = or_misnamed(roles.features(table), &unusable)?;
    let feature = if is_doubted { feature } else { Table::numbers };
    let features = usable(table, &feature_names, feature, &mut unusable);
    let columns: Vec<&str> = labels.iter().map(|(_, column)| *column).collect();
    let bits = usable(table, &columns, bits, &mut unusable);
    if !unusable.is_empty() {
        return Err(DatasetError::Unusable(unusable));
    }
    let rows = TableRows {
        places: table.places(),
        track_ids: track_ids(table, id, source)?,
        artists: match roles.has(table, ARTIST) {
            true => table.texts(ARTIST)?.into_iter().map(Option::unwrap_or_default).collect(),
            false => vec![String::new(); table.rows()],
        },
        sides: roles.has(table, SPLIT).then(|| sides(table)).transpose()?,
        features,
        label_names: labels.iter().map(|(name, _)| name.to_string()).collect(),
        labels: bits,
    };
    Ok((rows, feature_names))
}

/// The ids of the rows. Those that this program wrote are ids whatever they look like.
fn track_ids(table: &Table, column: Option<&str>, source: FileOrigin) -> Result<Vec<String>, DatasetError> {
    let ids = match (column, source) {
        (None, _) => vec![None; table.rows()],
        (Some(column), FileOrigin::Own) => table.texts(column)?,
        (Some(column), FileOrigin::Foreign) => table.ids(column)?,
    };
    if column != Some(TRACK_ID) {
        return Ok(ids_or_numbers(ids, &table.places()));
    }
    let no_id = |row| DatasetError::value(TRACK_ID, table.place(row), "has no id: fill it in, or remove the column");
    ids.into_iter().enumerate().map(|(row, id)| id.ok_or_else(|| no_id(row))).collect()
}

/// What has to be said where a column takes the place of `track_id`.
pub(super) fn other_id(column: &str) -> Option<String> {
    (column != TRACK_ID).then(|| {
        format!("`{column}` was taken for the `track_id`: rows with the same `{column}` are taken as one track")
    })
}

/// Columns without a name that fits are the better reason where a table has no label or feature.
fn or_misnamed<T>(found: Result<T, DatasetError>, misnamed: &[Unusable]) -> Result<T, DatasetError> {
    found.map_err(|error| if misnamed.is_empty() { error } else { DatasetError::Unusable(misnamed.to_vec()) })
}

/// What is read of each column; those of which nothing can be are added to `unusable`.
fn usable<T>(
    table: &Table,
    columns: &[&str],
    read: fn(&Table, &str) -> Result<T, DatasetError>,
    unusable: &mut Vec<Unusable>,
) -> Vec<T> {
    let named: Vec<String> = unusable.iter().map(|column| column.column.clone()).collect();
    let mut values = Vec::new();
    for column in columns.iter().filter(|column| !named.iter().any(|name| name == *column)) {
        match read(table, column) {
            Ok(read) => values.push(read),
            Err(DatasetError::Unusable(faults)) => unusable.extend(faults),
            Err(_) => unusable.push(Fault::NoNumbers.at(column)),
        }
    }
    values
}

fn feature(table: &Table, name: &str) -> Result<Vec<f64>, DatasetError> {
    let values = table.numbers_within(name, MAX_FEATURE_VALUE)?;
    if is_row_number(name) && warnings::are_different_whole_numbers(&values) {
        return Err(Fault::RowNumber.of(name));
    }
    if is_id(name) && are_whole(&values) {
        return Err(Fault::Ids.of(name));
    }
    Ok(values)
}

fn bits(table: &Table, name: &str) -> Result<Vec<u8>, DatasetError> {
    let (bits, _) = table.bits_or_bad(name)?;
    let count = bits.iter().filter(|bit| bit.is_none()).count();
    match bits.iter().position(Option::is_none) {
        None => Ok(bits.into_iter().flatten().collect()),
        Some(_) if count == bits.len() => Err(Fault::NoBits.of(name)),
        Some(row) => Err(Fault::Values { what: BadValue::NoBit, place: table.place(row), count }.of(name)),
    }
}

/// The ids of rows. A row without one gets the number of its position, or a name made from it if that number is taken.
pub(super) fn ids_or_numbers(ids: Vec<Option<String>>, places: &[Place]) -> Vec<String> {
    let ids: Vec<Option<String>> = ids.into_iter().map(|id| id.filter(|id| !id.is_empty())).collect();
    let taken: HashSet<&String> = ids.iter().flatten().collect();
    let name = |place: Place| {
        let mut name = place.number().to_string();
        while taken.contains(&name) {
            name.insert_str(0, "row ");
        }
        name
    };
    ids.iter().zip(places).map(|(id, place)| id.clone().unwrap_or_else(|| name(*place))).collect()
}

fn sides(table: &Table) -> Result<Vec<Split>, DatasetError> {
    let side = |(i, word): (usize, Option<String>)| match word.as_deref() {
        Some("train") => Ok(Split::Train),
        Some("test") => Ok(Split::Test),
        _ => Err(DatasetError::value(
            SPLIT,
            table.place(i),
            "is neither `train` nor `test`: correct it, or remove the column",
        )),
    };
    table.texts(SPLIT)?.into_iter().enumerate().map(side).collect()
}

/// The features in the order of rows, one row after the other, with what was missing filled in.
fn matrix(
    names: &[&str],
    table: &mut TableRows,
    order: &RowOrder,
    how: Option<Impute>,
) -> Result<(Vec<f64>, Option<Imputed>), DatasetError> {
    let (width, rows) = (table.features.len(), order.rows.len());
    let mut matrix = vec![0.0; width * rows];
    let (mut filled, mut fills) = (BTreeMap::new(), BTreeMap::new());
    let mut lacking: Vec<(&str, usize, Place)> = Vec::new();
    for (j, (name, values)) in names.iter().zip(&mut table.features).enumerate() {
        let missing = values.iter().filter(|value| value.is_nan()).count();
        match how {
            Some(how) if missing > 0 => {
                let fill = impute::fill(values, order.training_rows(), how).ok_or_else(|| {
                    let problem = "has no value in the training rows to fill its missing ones from: leave it out \
                                   (`--ignore`), or impute `zero`";
                    DatasetError::column(name, problem)
                })?;
                filled.insert(name.to_string(), missing);
                fills.insert(name.to_string(), fill);
            }
            None if missing > 0 => {
                let first = values.iter().position(|value| value.is_nan()).unwrap_or(0);
                lacking.push((name, missing, table.places[first]));
            }
            _ => {}
        }
        for (i, &row) in order.rows.iter().enumerate() {
            matrix[i * width + j] = values[row];
        }
    }
    if let Some(&(column, missing, place)) = lacking.first() {
        let (column, columns) = (column.to_owned(), lacking.len());
        return Err(DatasetError::Missing { column, missing, rows, place, columns });
    }
    let imputed = how.filter(|_| !filled.is_empty()).map(|how| Imputed { how, columns: filled, fills });
    Ok((matrix, imputed))
}
