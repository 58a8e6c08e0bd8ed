//! A dataset from a file, wherever it comes from.

use std::io::Cursor;

use model::dataset::{Dataset, Split};
use model::settings::SplitSettings;
use polars::prelude::*;

use super::error::first_line;
use super::split::Order;
use super::{ARTIST, DatasetError, LABEL, SPLIT, TRACK_ID};

const PARQUET_MAGIC: &[u8] = b"PAR1";

/// Reads Parquet or CSV, told apart by the first bytes, with its columns in any order.
///
/// `label:NAME` holds 0/1 (or true/false). `track_id` is optional, else rows are numbered from 1; so is `artist`. With
/// `split` (`train`/`test`) rows keep the order of the file within each side; without it they are split as `settings`
/// says. Every other column is a feature and has a finite number in every row.
pub fn read(bytes: &[u8], settings: &SplitSettings) -> Result<Dataset, DatasetError> {
    let frame = if bytes.starts_with(PARQUET_MAGIC) { parquet(bytes)? } else { csv(bytes)? };
    let n = frame.height();
    if n == 0 {
        return Err(DatasetError::Lacks("rows"));
    }
    let (labels, features) = (labels(&frame)?, features(&frame)?);
    let track_ids = match find(&frame, TRACK_ID) {
        Some(column) => all_texts(column, "has no id: fill it in, or remove the column")?,
        None => (1..=n).map(|row| row.to_string()).collect(),
    };
    let artists = match find(&frame, ARTIST) {
        Some(column) => texts(column)?.into_iter().map(Option::unwrap_or_default).collect(),
        None => vec![String::new(); n],
    };
    let order = match find(&frame, SPLIT) {
        Some(column) => Order::given(&sides(column)?)?,
        None => Order::drawn(&artists, settings)?,
    };
    Ok(Dataset {
        track_ids: order.rows.iter().map(|&row| track_ids[row].clone()).collect(),
        artists: order.rows.iter().map(|&row| artists[row].clone()).collect(),
        split: order.sides(),
        feature_names: features.iter().map(|column| column.name().to_string()).collect(),
        features: row_major(&features, &order, numbers)?,
        label_names: labels.iter().map(|column| column.name()[LABEL.len()..].to_owned()).collect(),
        labels: row_major(&labels, &order, bits)?,
    })
}

fn parquet(bytes: &[u8]) -> Result<DataFrame, DatasetError> {
    ParquetReader::new(Cursor::new(bytes)).finish().map_err(unreadable)
}

/// Types are ours to say, not to be guessed from the first rows: ids, sides and labels are text, all else numbers.
/// What is no number becomes a missing value, which is found and named later.
fn csv(bytes: &[u8]) -> Result<DataFrame, DatasetError> {
    let mut schema = Schema::default();
    for name in header(bytes)? {
        if name.is_empty() {
            return Err(DatasetError::column("", "has no name: name it, or write the file without an index"));
        }
        let dtype = if is_feature(&name) { DataType::Float64 } else { DataType::String };
        if schema.insert(name.clone(), dtype).is_some() {
            return Err(DatasetError::column(&name, "comes twice: rename or remove one of them"));
        }
    }
    let options = CsvReadOptions::default().with_schema(Some(schema.into())).with_ignore_errors(true);
    options.into_reader_with_file_handle(Cursor::new(bytes)).finish().map_err(unreadable)
}

/// The names as they stand in the first line; polars would make them unique by renaming.
fn header(bytes: &[u8]) -> Result<Vec<PlSmallStr>, DatasetError> {
    let options =
        CsvReadOptions::default().with_has_header(false).with_infer_schema_length(Some(0)).with_n_rows(Some(1));
    let line = options.into_reader_with_file_handle(Cursor::new(bytes)).finish().map_err(unreadable)?;
    line.columns()
        .iter()
        .map(|column| Ok(column.str().map_err(unreadable)?.get(0).unwrap_or_default().into()))
        .collect()
}

fn unreadable(error: PolarsError) -> DatasetError {
    DatasetError::Unreadable(first_line(&error))
}

fn find<'a>(frame: &'a DataFrame, name: &str) -> Option<&'a Column> {
    frame.columns().iter().find(|column| column.name() == name)
}

fn texts(column: &Column) -> Result<Vec<Option<String>>, DatasetError> {
    let column = column.cast(&DataType::String).map_err(unreadable)?;
    let texts = column.str().map_err(unreadable)?;
    Ok(texts.iter().map(|text| text.map(str::to_owned)).collect())
}

fn all_texts(column: &Column, problem: &'static str) -> Result<Vec<String>, DatasetError> {
    let texts = texts(column)?.into_iter().enumerate();
    texts.map(|(i, text)| text.ok_or_else(|| DatasetError::value(column.name(), i, problem))).collect()
}

fn sides(column: &Column) -> Result<Vec<Split>, DatasetError> {
    let side = |(i, word): (usize, Option<String>)| match word.as_deref() {
        Some("train") => Ok(Split::Train),
        Some("test") => Ok(Split::Test),
        _ => Err(DatasetError::value(SPLIT, i, "is neither `train` nor `test`: correct it, or remove the column")),
    };
    texts(column)?.into_iter().enumerate().map(side).collect()
}

/// Label columns, sorted.
fn labels(frame: &DataFrame) -> Result<Vec<&Column>, DatasetError> {
    let mut columns: Vec<_> = frame.columns().iter().filter(|column| column.name().starts_with(LABEL)).collect();
    if columns.is_empty() {
        return Err(DatasetError::Lacks("label columns: name them `label:NAME`, with 1 where a row has it, else 0"));
    }
    columns.sort_by_key(|column| column.name().as_str());
    Ok(columns)
}

/// Feature columns, in the order of the file.
fn features(frame: &DataFrame) -> Result<Vec<&Column>, DatasetError> {
    let columns: Vec<_> = frame.columns().iter().filter(|column| is_feature(column.name())).collect();
    if columns.is_empty() {
        return Err(DatasetError::Lacks("feature columns: every column of numbers beside the labels is one"));
    }
    Ok(columns)
}

fn is_feature(name: &str) -> bool {
    ![TRACK_ID, ARTIST, SPLIT].contains(&name) && !name.starts_with(LABEL)
}

/// The values of columns in the order of rows, one row after the other.
fn row_major<T: Copy + Default>(
    columns: &[&Column],
    order: &Order,
    values: fn(&Column) -> Result<Vec<T>, DatasetError>,
) -> Result<Vec<T>, DatasetError> {
    let width = columns.len();
    let mut matrix = vec![T::default(); width * order.rows.len()];
    for (j, column) in columns.iter().enumerate() {
        let values = values(column)?;
        for (i, &row) in order.rows.iter().enumerate() {
            matrix[i * width + j] = values[row];
        }
    }
    Ok(matrix)
}

fn bits(column: &Column) -> Result<Vec<u8>, DatasetError> {
    let bit = |(i, text): (usize, Option<String>)| match text.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("0" | "0.0" | "false") => Ok(0),
        Some("1" | "1.0" | "true") => Ok(1),
        _ => Err(DatasetError::value(column.name(), i, "is neither 0 nor 1: correct it, or leave the row out")),
    };
    texts(column)?.into_iter().enumerate().map(bit).collect()
}

fn numbers(column: &Column) -> Result<Vec<f64>, DatasetError> {
    let is_numeric = column.dtype().is_primitive_numeric() || column.dtype().is_bool();
    if !is_numeric || column.null_count() == column.len() {
        return Err(DatasetError::column(
            column.name(),
            "has no numbers: remove it, or name it `label:NAME` if it is a label",
        ));
    }
    if column.name() == "__index_level_0__" {
        return Err(DatasetError::column(
            column.name(),
            "is pandas' index, no feature: write the file with index=False",
        ));
    }
    let column = column.cast(&DataType::Float64).map_err(unreadable)?;
    let finite = |(i, value): (usize, Option<f64>)| {
        let value = value.filter(|value| value.is_finite());
        value.ok_or_else(|| {
            DatasetError::value(column.name(), i, "has no finite number: fill it in, or leave the row out")
        })
    };
    column.f64().map_err(unreadable)?.iter().enumerate().map(finite).collect()
}
