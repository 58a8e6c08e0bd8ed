//! A column of typed values.

use std::sync::atomic::{AtomicUsize, Ordering};

use parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::schema::types::Type;

use super::cells::Cells;
use super::lists::NotRead;

/// Values that are decoded at a time.
const BATCH_VALUES: usize = 1 << 16;

/// Bytes of text that all columns of a file may hold together. A small file can refer to one long text in every row.
pub(super) const MAX_TEXT_BYTES: usize = 1 << 30;

/// A column of Parquet's numbers, truth values or texts.
#[derive(Debug, Clone)]
pub(super) struct Column {
    values: TypedValues,
    /// For each row, whether it has a value.
    presence: Vec<bool>,
}

/// Values as they are stored, without rows that have none.
#[derive(Debug, Clone)]
enum TypedValues {
    Truths(Vec<bool>),
    Int32(Vec<i32>),
    UInt32(Vec<i32>),
    Int64(Vec<i64>),
    UInt64(Vec<i64>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    Texts(Cells),
}

impl Column {
    /// An empty column of a primitive type; `None` for one that is not read.
    pub(super) fn of(dtype: &Type) -> Option<Self> {
        let info = dtype.get_basic_info();
        let is_unsigned = match info.logical_type_ref() {
            Some(LogicalType::Integer(int)) => !int.is_signed,
            _ => [ConvertedType::UINT_32, ConvertedType::UINT_64].contains(&info.converted_type()),
        };
        let values = match (dtype.get_physical_type(), is_unsigned) {
            (Physical::BOOLEAN, _) => TypedValues::Truths(Vec::new()),
            (Physical::INT32, false) => TypedValues::Int32(Vec::new()),
            (Physical::INT32, true) => TypedValues::UInt32(Vec::new()),
            (Physical::INT64, false) => TypedValues::Int64(Vec::new()),
            (Physical::INT64, true) => TypedValues::UInt64(Vec::new()),
            (Physical::FLOAT, _) => TypedValues::Float(Vec::new()),
            (Physical::DOUBLE, _) => TypedValues::Double(Vec::new()),
            (Physical::BYTE_ARRAY, _) => TypedValues::Texts(Cells::default()),
            _ => return None,
        };
        Some(Self { values, presence: Vec::new() })
    }

    pub(super) fn rows(&self) -> usize {
        self.presence.len()
    }

    /// Adds the values of a row group, which are refused when there are more than `max_rows` then, or when the texts of the file
    /// are too long together, of which `text_bytes` were read.
    pub(super) fn read(
        &mut self,
        reader: ColumnReader,
        max_rows: usize,
        text_bytes: &AtomicUsize,
    ) -> Result<(), NotRead> {
        let presence = &mut RowPresence { presence: &mut self.presence, max_rows };
        match (reader, &mut self.values) {
            (ColumnReader::BoolColumnReader(reader), TypedValues::Truths(values)) => {
                read(reader, presence, values, |_| Ok(()))
            }
            (ColumnReader::Int32ColumnReader(reader), TypedValues::Int32(values) | TypedValues::UInt32(values)) => {
                read(reader, presence, values, |_| Ok(()))
            }
            (ColumnReader::Int64ColumnReader(reader), TypedValues::Int64(values) | TypedValues::UInt64(values)) => {
                read(reader, presence, values, |_| Ok(()))
            }
            (ColumnReader::FloatColumnReader(reader), TypedValues::Float(values)) => {
                read(reader, presence, values, |_| Ok(()))
            }
            (ColumnReader::DoubleColumnReader(reader), TypedValues::Double(values)) => {
                read(reader, presence, values, |_| Ok(()))
            }
            (ColumnReader::ByteArrayColumnReader(reader), TypedValues::Texts(cells)) => {
                read(reader, presence, &mut Vec::new(), |texts| {
                    // Those of a dictionary are one text until they are copied.
                    let bytes: usize = texts.iter().map(ByteArray::len).sum();
                    if text_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > MAX_TEXT_BYTES {
                        return Err(NotRead::TooMuchText);
                    }
                    texts.drain(..).try_for_each(|text| {
                        cells.push(text.as_utf8()?);
                        Ok(())
                    })
                })
            }
            // Of another type than the schema says.
            _ => Err(NotRead::Damaged),
        }
    }

    /// The values as texts, `None` where there is nothing.
    pub(super) fn texts(&self) -> Vec<Option<String>> {
        let mut digits = zmij::Buffer::new();
        match &self.values {
            TypedValues::Truths(values) => self.map_rows(values, None, |value| Some(value.to_string())),
            TypedValues::Int32(values) => self.map_rows(values, None, |value| Some(value.to_string())),
            TypedValues::UInt32(values) => self.map_rows(values, None, |value| Some((*value as u32).to_string())),
            TypedValues::Int64(values) => self.map_rows(values, None, |value| Some(value.to_string())),
            TypedValues::UInt64(values) => self.map_rows(values, None, |value| Some((*value as u64).to_string())),
            TypedValues::Float(values) => self.map_rows(values, None, |value| Some(digits.format(*value).to_owned())),
            TypedValues::Double(values) => self.map_rows(values, None, |value| Some(digits.format(*value).to_owned())),
            TypedValues::Texts(cells) => self.map_rows(cells.iter(), None, |text| Some(text.to_owned())),
        }
    }

    /// The values as numbers, NaN where there is none; of truth values 1 and 0. `None`: they are texts.
    pub(super) fn numbers(&self) -> Option<Vec<f64>> {
        Some(match &self.values {
            TypedValues::Truths(values) => self.map_rows(values, f64::NAN, |value| f64::from(u8::from(*value))),
            TypedValues::Int32(values) => self.map_rows(values, f64::NAN, |value| f64::from(*value)),
            TypedValues::UInt32(values) => self.map_rows(values, f64::NAN, |value| f64::from(*value as u32)),
            TypedValues::Int64(values) => self.map_rows(values, f64::NAN, |value| *value as f64),
            TypedValues::UInt64(values) => self.map_rows(values, f64::NAN, |value| *value as u64 as f64),
            TypedValues::Float(values) => self.map_rows(values, f64::NAN, |value| f64::from(*value)),
            TypedValues::Double(values) => self.map_rows(values, f64::NAN, |value| *value),
            TypedValues::Texts(_) => return None,
        })
    }

    fn map_rows<T, N: Clone>(
        &self,
        values: impl IntoIterator<Item = T>,
        missing: N,
        mut convert: impl FnMut(T) -> N,
    ) -> Vec<N> {
        let mut values = values.into_iter();
        let value =
            |presence: &bool| presence.then(|| values.next()).flatten().map_or_else(|| missing.clone(), &mut convert);
        self.presence.iter().map(value).collect()
    }
}

/// For each row, whether it has a value; of no more rows than the file says it has.
struct RowPresence<'a> {
    presence: &'a mut Vec<bool>,
    max_rows: usize,
}

fn read<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    RowPresence { presence, max_rows }: &mut RowPresence<'_>,
    values: &mut Vec<T::T>,
    mut then: impl FnMut(&mut Vec<T::T>) -> Result<(), NotRead>,
) -> Result<(), NotRead> {
    let mut levels = Vec::new();
    loop {
        levels.clear();
        let (rows, ..) = reader.read_records(BATCH_VALUES, Some(&mut levels), None, values)?;
        if rows == 0 {
            return Ok(());
        }
        // A column without nulls has no levels.
        presence.extend(levels.iter().map(|level| *level > 0));
        presence.extend(std::iter::repeat_n(true, rows - levels.len()));
        if presence.len() > *max_rows {
            return Err(NotRead::Damaged);
        }
        then(values)?;
    }
}
