//! A dataset from a file, wherever it comes from.

use std::collections::BTreeMap;

use model::dataset::{Dataset, DatasetInfo, Impute, Imputed};
use model::settings::SplitSettings;
use polars::prelude::*;

use super::roles::Roles;
use super::split::Order;
use super::values::{Numbers, all_texts, bits, sides, texts};
use super::{ARTIST, DatasetError, SPLIT, TRACK_ID, describe, impute, table};

/// How a file from outside is read; by default as [`read`] does.
#[derive(Debug, Clone, Default)]
pub struct Import {
    /// Names of the label columns, with or without `label:`; where there is none, every column `label:NAME` is one.
    pub labels: Vec<String>,
    /// Columns that are left out.
    pub ignored: Vec<String>,
    /// What takes the place of missing feature values; `None`: they are refused.
    pub impute: Option<Impute>,
    /// How rows are split that do not say so themselves.
    pub split: SplitSettings,
}

/// A dataset from outside, and what was filled in.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The matrix.
    pub dataset: Dataset,
    /// What was missing; `None`: nothing.
    pub imputed: Option<Imputed>,
}

impl Imported {
    /// What is stored beside the bytes of [`super::to_parquet`].
    pub fn info(&self, parquet: &[u8]) -> DatasetInfo {
        DatasetInfo { imputed: self.imputed.clone(), ..describe(&self.dataset, parquet) }
    }
}

/// [`import`] of a file in the exported format, with no value missing.
pub fn read(bytes: &[u8], split: &SplitSettings) -> Result<Dataset, DatasetError> {
    let import = Import { split: split.clone(), ..Import::default() };
    Ok(self::import(bytes, &import)?.dataset)
}

/// Reads Parquet or CSV, told apart by the first bytes, with its columns in any order.
///
/// A label column holds 0/1 (or true/false), and every row has one or the other. `track_id` is optional, else rows are
/// numbered from 1; so is `artist`. With `split` (`train`/`test`) rows keep the order of the file within each side; without
/// it they are split as `import.split` says. Every other column is a feature, and holds finite numbers; a value that is
/// missing (in CSV nothing, `NA`, `N/A`, `null` or `none`; otherwise null; NaN) is refused or imputed. `label:NAME` columns
/// that `import.labels` does not name are left out.
pub fn import(bytes: &[u8], import: &Import) -> Result<Imported, DatasetError> {
    let roles = Roles::of(import);
    let frame = table::read(bytes, &roles)?;
    let n = frame.height();
    if n == 0 {
        return Err(DatasetError::Lacks("rows"));
    }
    let (labels, features) = (roles.labels(&frame)?, roles.features(&frame)?);
    let track_ids = match roles.find(&frame, TRACK_ID) {
        Some(column) => all_texts(column, "has no id: fill it in, or remove the column")?,
        None => (1..=n).map(|row| row.to_string()).collect(),
    };
    let artists = match roles.find(&frame, ARTIST) {
        Some(column) => texts(column)?.into_iter().map(Option::unwrap_or_default).collect(),
        None => vec![String::new(); n],
    };
    let order = match roles.find(&frame, SPLIT) {
        Some(column) => Order::given(&sides(column)?)?,
        None => Order::drawn(&artists, &import.split)?,
    };
    let label_columns: Vec<Vec<u8>> = labels.iter().map(|(_, column)| bits(column)).collect::<Result<_, _>>()?;
    let (features_of_rows, imputed) = matrix(&features, &order, import.impute)?;
    let dataset = Dataset {
        track_ids: order.rows.iter().map(|&row| track_ids[row].clone()).collect(),
        artists: order.rows.iter().map(|&row| artists[row].clone()).collect(),
        split: order.sides(),
        feature_names: features.iter().map(|column| column.name().to_string()).collect(),
        features: features_of_rows,
        label_names: labels.into_iter().map(|(name, _)| name).collect(),
        labels: order.rows.iter().flat_map(|&row| label_columns.iter().map(move |bits| bits[row])).collect(),
    };
    Ok(Imported { dataset, imputed })
}

/// The features in the order of rows, one row after the other, with what was missing filled in.
fn matrix(
    columns: &[&Column],
    order: &Order,
    how: Option<Impute>,
) -> Result<(Vec<f64>, Option<Imputed>), DatasetError> {
    let (width, rows) = (columns.len(), order.rows.len());
    let mut matrix = vec![0.0; width * rows];
    let mut filled = BTreeMap::new();
    let mut lacking: Vec<(&Column, usize, usize)> = Vec::new();
    for (j, column) in columns.iter().enumerate() {
        let Numbers { mut values, missing, first_missing } = Numbers::of(column)?;
        match how {
            Some(how) if missing > 0 => {
                impute::fill(&mut values, order.training_rows(), how).ok_or_else(|| {
                    let problem = "has no value in the training rows to fill its missing ones from: leave it out \
                                   (`--ignore`), or impute `zero`";
                    DatasetError::column(column.name(), problem)
                })?;
                filled.insert(column.name().to_string(), missing);
            }
            None if missing > 0 => lacking.push((column, missing, first_missing)),
            _ => {}
        }
        for (i, &row) in order.rows.iter().enumerate() {
            matrix[i * width + j] = values[row];
        }
    }
    if let Some(&(column, missing, first)) = lacking.first() {
        let (column, row, columns) = (column.name().to_string(), first + 1, lacking.len());
        return Err(DatasetError::Missing { column, missing, rows, row, columns });
    }
    let imputed = how.filter(|_| !filled.is_empty()).map(|how| Imputed { how, columns: filled });
    Ok((matrix, imputed))
}
