//! The table of a file.

use std::io::Cursor;

use polars::prelude::*;

use super::DatasetError;
use super::error::unreadable;
use super::roles::Roles;

const PARQUET_MAGIC: &[u8] = b"PAR1";

/// What stands for a value that is missing, in small letters.
const MISSING: [&str; 6] = ["", "na", "n/a", "nan", "null", "none"];

/// The columns of a file. A feature value that is missing is null or NaN.
pub(super) fn read(bytes: &[u8], roles: &Roles) -> Result<DataFrame, DatasetError> {
    if bytes.starts_with(PARQUET_MAGIC) {
        let frame = ParquetReader::new(Cursor::new(bytes)).finish().map_err(unreadable)?;
        let names: Vec<PlSmallStr> = frame.columns().iter().map(|column| column.name().clone()).collect();
        return roles.check(&names).map(|()| frame);
    }
    // Types are ours to say, not to be guessed from the first rows: ids, sides and labels are text, all else numbers.
    let dtype = |name: &str| if roles.is_feature(name) { DataType::Float64 } else { DataType::String };
    let names = header(bytes)?;
    roles.check(&names)?;
    let frame = csv(bytes, &names, dtype)?;
    // What is no number became null, too. Only columns with nulls are looked at again, as text: it takes much longer.
    let has_nulls = |column: &&Column| column.null_count() > 0 && roles.is_feature(column.name());
    let doubtful: Vec<&str> = frame.columns().iter().filter(has_nulls).map(|column| column.name().as_str()).collect();
    if !doubtful.is_empty() {
        let texts = csv(bytes, &names, |_| DataType::String)?;
        doubtful.into_iter().try_for_each(|name| check_numbers(texts.column(name).map_err(unreadable)?))?;
    }
    Ok(frame)
}

fn csv(bytes: &[u8], names: &[PlSmallStr], dtype: impl Fn(&str) -> DataType) -> Result<DataFrame, DatasetError> {
    let schema: Schema = names.iter().map(|name| (name.clone(), dtype(name))).collect();
    let options = CsvReadOptions::default().with_schema(Some(schema.into())).with_ignore_errors(true);
    options.into_reader_with_file_handle(Cursor::new(bytes)).finish().map_err(unreadable)
}

/// The names as they stand in the first line, each once; polars would make them unique by renaming.
fn header(bytes: &[u8]) -> Result<Vec<PlSmallStr>, DatasetError> {
    let options =
        CsvReadOptions::default().with_has_header(false).with_infer_schema_length(Some(0)).with_n_rows(Some(1));
    let line = options.into_reader_with_file_handle(Cursor::new(bytes)).finish().map_err(unreadable)?;
    let mut names: Vec<PlSmallStr> = Vec::new();
    for column in line.columns() {
        let name = column.str().map_err(unreadable)?.get(0).unwrap_or_default();
        if name.is_empty() {
            return Err(DatasetError::column("", "has no name: name it, or write the file without an index"));
        }
        if names.iter().any(|other| other == name) {
            return Err(DatasetError::column(name, "comes twice: rename or remove one of them"));
        }
        names.push(name.into());
    }
    Ok(names)
}

/// Whether each text of a column that could not be read says that there is no number. Blanks behind a number make it a
/// text: it must not be taken for a missing one.
fn check_numbers(column: &Column) -> Result<(), DatasetError> {
    let texts = column.str().map_err(unreadable)?;
    let is_word = |text: &str| {
        let is_padded = text.trim_end() != text && text.trim().parse::<f64>().is_ok();
        let text = text.trim();
        (is_padded || text.parse::<f64>().is_err()) && !MISSING.contains(&text.to_ascii_lowercase().as_str())
    };
    let is_word = |text: Option<&str>| text.is_some_and(is_word);
    let words = texts.iter().filter(|text| is_word(*text)).count();
    match texts.iter().position(is_word) {
        None => Ok(()),
        Some(_) if words == texts.len() - texts.null_count() => Err(super::values::no_numbers(column)),
        Some(row) => Err(DatasetError::value(
            column.name(),
            row,
            "has no number but a text (blanks behind a number make it one): correct it, leave the row out, or leave the column out with `--ignore`",
        )),
    }
}
