//! A dataset as a file.

use model::dataset::{Dataset, Split};
use polars::prelude::*;

use super::error::first_line;
use super::spreadsheet::harmless;
use super::{ARTIST, DatasetError, LABEL, SPLIT, TRACK_ID};

/// The dataset as Parquet: columns `track_id`, `artist`, `split`, `label:NAME` (0/1), then the features. Equal datasets
/// give equal bytes.
pub fn to_parquet(dataset: &Dataset) -> Result<Vec<u8>, DatasetError> {
    write(dataset, |frame, bytes| ParquetWriter::new(bytes).finish(frame).map(drop))
}

/// The dataset as CSV with the same columns; numbers in their shortest form that reads back to the same bits.
pub fn to_csv(dataset: &Dataset) -> Result<Vec<u8>, DatasetError> {
    write(dataset, |frame, bytes| CsvWriter::new(bytes).finish(frame))
}

/// [`to_csv`] for a spreadsheet: texts and column names that it may take for formulas have an apostrophe before them.
pub fn to_spreadsheet(dataset: &Dataset) -> Result<Vec<u8>, DatasetError> {
    write(dataset, |frame, bytes| {
        let columns = frame.columns().iter().map(shown).collect::<PolarsResult<_>>()?;
        CsvWriter::new(bytes).finish(&mut DataFrame::new(frame.height(), columns)?)
    })
}

/// A column as a spreadsheet shows it; numbers are no formulas.
fn shown(column: &Column) -> PolarsResult<Column> {
    let name = harmless(column.name());
    if *column.dtype() != DataType::String {
        return Ok(column.clone().with_name(name.as_ref().into()));
    }
    let texts: Vec<_> = column.str()?.iter().map(|text| text.map(harmless)).collect();
    Ok(Column::new(name.as_ref().into(), texts))
}

fn write(
    dataset: &Dataset,
    format: impl FnOnce(&mut DataFrame, &mut Vec<u8>) -> PolarsResult<()>,
) -> Result<Vec<u8>, DatasetError> {
    let mut bytes = Vec::new();
    frame(dataset)
        .and_then(|mut frame| format(&mut frame, &mut bytes))
        .map_err(|error| DatasetError::Unwritable(first_line(&error)))?;
    Ok(bytes)
}

fn frame(dataset: &Dataset) -> PolarsResult<DataFrame> {
    let sides: Vec<&str> = dataset.split.iter().map(|side| word(*side)).collect();
    let mut columns = vec![
        Column::new(TRACK_ID.into(), &dataset.track_ids),
        Column::new(ARTIST.into(), &dataset.artists),
        Column::new(SPLIT.into(), sides),
    ];
    let (q, d) = (dataset.label_names.len(), dataset.feature_names.len());
    for (i, name) in dataset.label_names.iter().enumerate() {
        let bits: Vec<i32> = dataset.labels.iter().skip(i).step_by(q).map(|bit| i32::from(*bit)).collect();
        columns.push(Column::new(format!("{LABEL}{name}").into(), bits));
    }
    for (i, name) in dataset.feature_names.iter().enumerate() {
        let values: Vec<f64> = dataset.features.iter().skip(i).step_by(d).copied().collect();
        columns.push(Column::new(name.as_str().into(), values));
    }
    DataFrame::new(dataset.rows(), columns)
}

fn word(side: Split) -> &'static str {
    match side {
        Split::Train => "train",
        Split::Test => "test",
    }
}
