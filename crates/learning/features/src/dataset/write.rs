//! Writing a dataset to a file.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write;
use std::sync::Arc;

use model::dataset::{Dataset, Split};
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type};
use parquet::errors::Result as ParquetResult;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

use super::spreadsheet::harmless;
use super::{ARTIST, DatasetError, LABEL, SPLIT, TRACK_ID};

/// The dataset as Parquet: columns `track_id`, `artist`, `split`, `label:NAME` (0/1), then the features. Equal datasets
/// give equal bytes.
pub fn to_parquet(dataset: &Dataset) -> Result<Vec<u8>, DatasetError> {
    parquet(dataset, &names(dataset)?).map_err(|error| DatasetError::Unwritable(error.to_string()))
}

/// The dataset as CSV with the same columns; numbers in their shortest form that reads back to the same bits.
pub fn to_csv(dataset: &Dataset) -> Result<Vec<u8>, DatasetError> {
    csv(dataset, |text| text.into())
}

/// [`to_csv`] for a spreadsheet: texts and column names that it may take for formulas are prefixed with an apostrophe.
pub fn to_spreadsheet(dataset: &Dataset) -> Result<Vec<u8>, DatasetError> {
    csv(dataset, harmless)
}

fn names(dataset: &Dataset) -> Result<Vec<String>, DatasetError> {
    let mut names = [TRACK_ID, ARTIST, SPLIT].map(str::to_owned).to_vec();
    names.extend(dataset.label_names.iter().map(|name| format!("{LABEL}{name}")));
    names.extend_from_slice(&dataset.feature_names);
    let mut seen = HashSet::new();
    match names.iter().find(|name| !seen.insert(*name)) {
        Some(name) => Err(DatasetError::Unwritable(format!("column `{name}` comes twice"))),
        None => Ok(names),
    }
}

fn parquet(dataset: &Dataset, names: &[String]) -> ParquetResult<Vec<u8>> {
    let (q, d) = (dataset.label_names.len(), dataset.feature_names.len());
    let properties = WriterProperties::builder()
        // The library's default contains its version, and a dataset's id is a hash of the bytes.
        .set_created_by("spotifai".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .build();
    let mut writer = SerializedFileWriter::new(Vec::new(), schema(names, q)?, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    let text = |text: &str| ByteArray::from(text);
    write::<ByteArrayType>(&mut group, dataset.track_ids.iter().map(|id| text(id)))?;
    write::<ByteArrayType>(&mut group, dataset.artists.iter().map(|artist| text(artist)))?;
    write::<ByteArrayType>(&mut group, dataset.split.iter().map(|side| text(word(*side))))?;
    for i in 0..q {
        write::<Int32Type>(&mut group, dataset.labels.iter().skip(i).step_by(q).map(|bit| i32::from(*bit)))?;
    }
    for i in 0..d {
        write::<DoubleType>(&mut group, dataset.features.iter().skip(i).step_by(d).copied())?;
    }
    group.close()?;
    writer.into_inner()
}

/// Three columns of texts, then the labels, then the features.
fn schema(names: &[String], labels: usize) -> ParquetResult<TypePtr> {
    let field = |(i, name): (usize, &String)| {
        let (dtype, logical) = match i {
            0..3 => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            i if i < 3 + labels => (Physical::INT32, None),
            _ => (Physical::DOUBLE, None),
        };
        let field = Type::primitive_type_builder(name, dtype).with_repetition(Repetition::REQUIRED);
        field.with_logical_type(logical).build().map(Arc::new)
    };
    let fields = names.iter().enumerate().map(field).collect::<ParquetResult<_>>()?;
    Type::group_type_builder("dataset").with_fields(fields).build().map(Arc::new)
}

fn write<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: impl Iterator<Item = T::T>,
) -> ParquetResult<()> {
    if let Some(mut column) = group.next_column()? {
        column.typed::<T>().write_batch(&values.collect::<Vec<_>>(), None, None)?;
        column.close()?;
    }
    Ok(())
}

fn csv(dataset: &Dataset, shown: impl Fn(&str) -> Cow<'_, str>) -> Result<Vec<u8>, DatasetError> {
    let cell = |text: &str| quoted(&shown(text)).into_owned();
    let names: Vec<String> = names(dataset)?.iter().map(|name| cell(name)).collect();
    let mut csv = names.join(",") + "\n";
    let mut digits = zmij::Buffer::new();
    for i in 0..dataset.rows() {
        let texts = [&*dataset.track_ids[i], &*dataset.artists[i], word(dataset.split[i])];
        csv += &texts.map(cell).join(",");
        for bit in dataset.label_row(i) {
            let _ = write!(csv, ",{bit}");
        }
        for value in dataset.feature_row(i) {
            csv.push(',');
            csv += digits.format(*value);
        }
        csv.push('\n');
    }
    Ok(csv.into_bytes())
}

/// A text as a cell; one that is empty is quoted too, since no more than nothing would be a missing one, and so is one with
/// blanks around it, which would be taken off.
fn quoted(text: &str) -> Cow<'_, str> {
    match text.is_empty() || text != text.trim() || text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")).into(),
        false => text.into(),
    }
}

fn word(side: Split) -> &'static str {
    match side {
        Split::Train => "train",
        Split::Test => "test",
    }
}
