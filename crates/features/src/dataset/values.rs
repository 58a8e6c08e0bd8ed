//! The values of a column.

use model::dataset::Split;
use polars::prelude::*;

use super::error::unreadable;
use super::{DatasetError, SPLIT};

/// A column of numbers.
pub(super) struct Numbers {
    /// NaN where it is missing.
    pub(super) values: Vec<f64>,
    /// How many are.
    pub(super) missing: usize,
    /// The first that is; 0 where none is.
    pub(super) first_missing: usize,
}

impl Numbers {
    pub(super) fn of(column: &Column) -> Result<Self, DatasetError> {
        let is_numeric = column.dtype().is_primitive_numeric() || column.dtype().is_bool();
        if !is_numeric || column.null_count() == column.len() {
            return Err(no_numbers(column));
        }
        if column.name() == "__index_level_0__" {
            return Err(DatasetError::column(
                column.name(),
                "is pandas' index, no feature: write the file with index=False",
            ));
        }
        let column = column.cast(&DataType::Float64).map_err(unreadable)?;
        let values: Vec<f64> =
            column.f64().map_err(unreadable)?.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
        if let Some(row) = values.iter().position(|value| value.is_infinite()) {
            return Err(DatasetError::value(column.name(), row, "is infinite: correct it, or leave the row out"));
        }
        let missing = values.iter().filter(|value| value.is_nan()).count();
        let first_missing = values.iter().position(|value| value.is_nan()).unwrap_or(0);
        Ok(Self { values, missing, first_missing })
    }
}

/// What is to be said of a column that has none.
pub(super) fn no_numbers(column: &Column) -> DatasetError {
    DatasetError::column(
        column.name(),
        "has no numbers: leave it out with `--ignore`, or name it with `--labels` if it is a label",
    )
}

pub(super) fn texts(column: &Column) -> Result<Vec<Option<String>>, DatasetError> {
    let column = column.cast(&DataType::String).map_err(unreadable)?;
    let texts = column.str().map_err(unreadable)?;
    Ok(texts.iter().map(|text| text.map(str::to_owned)).collect())
}

pub(super) fn all_texts(column: &Column, problem: &'static str) -> Result<Vec<String>, DatasetError> {
    let texts = texts(column)?.into_iter().enumerate();
    texts.map(|(i, text)| text.ok_or_else(|| DatasetError::value(column.name(), i, problem))).collect()
}

pub(super) fn sides(column: &Column) -> Result<Vec<Split>, DatasetError> {
    let side = |(i, word): (usize, Option<String>)| match word.as_deref() {
        Some("train") => Ok(Split::Train),
        Some("test") => Ok(Split::Test),
        _ => Err(DatasetError::value(SPLIT, i, "is neither `train` nor `test`: correct it, or remove the column")),
    };
    texts(column)?.into_iter().enumerate().map(side).collect()
}

pub(super) fn bits(column: &Column) -> Result<Vec<u8>, DatasetError> {
    let bit = |(i, text): (usize, Option<String>)| match text.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("0" | "0.0" | "false") => Ok(0),
        Some("1" | "1.0" | "true") => Ok(1),
        _ => Err(DatasetError::value(column.name(), i, "is neither 0 nor 1: correct it, or leave the row out")),
    };
    texts(column)?.into_iter().enumerate().map(bit).collect()
}
