//! A column of typed values.

use std::sync::atomic::{AtomicUsize, Ordering};

use parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::schema::types::Type;

use super::cells::Cells;
use super::lists::NotRead;

/// Values that are decoded at once.
const BATCH: usize = 1 << 16;

/// Bytes of text that a file's columns may hold together. A small file can name one long text in every row.
pub(super) const MOST_TEXT_BYTES: usize = 1 << 30;

/// A column of Parquet's numbers, truth values or texts.
#[derive(Debug, Clone)]
pub(super) struct Column {
    values: Values,
    /// For each row, whether it has a value.
    has: Vec<bool>,
}

/// Values as they are stored, without rows that have none.
#[derive(Debug, Clone)]
enum Values {
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
            (Physical::BOOLEAN, _) => Values::Truths(Vec::new()),
            (Physical::INT32, false) => Values::Int32(Vec::new()),
            (Physical::INT32, true) => Values::UInt32(Vec::new()),
            (Physical::INT64, false) => Values::Int64(Vec::new()),
            (Physical::INT64, true) => Values::UInt64(Vec::new()),
            (Physical::FLOAT, _) => Values::Float(Vec::new()),
            (Physical::DOUBLE, _) => Values::Double(Vec::new()),
            (Physical::BYTE_ARRAY, _) => Values::Texts(Cells::default()),
            _ => return None,
        };
        Some(Self { values, has: Vec::new() })
    }

    pub(super) fn rows(&self) -> usize {
        self.has.len()
    }

    /// Adds the values of a row group, which are refused when there are more than `most` then, or when the texts of the file
    /// are too long together, of which `text_bytes` were read.
    pub(super) fn read(&mut self, reader: ColumnReader, most: usize, text_bytes: &AtomicUsize) -> Result<(), NotRead> {
        let has = &mut Rows { has: &mut self.has, most };
        match (reader, &mut self.values) {
            (ColumnReader::BoolColumnReader(reader), Values::Truths(values)) => read(reader, has, values, |_| Ok(())),
            (ColumnReader::Int32ColumnReader(reader), Values::Int32(values) | Values::UInt32(values)) => {
                read(reader, has, values, |_| Ok(()))
            }
            (ColumnReader::Int64ColumnReader(reader), Values::Int64(values) | Values::UInt64(values)) => {
                read(reader, has, values, |_| Ok(()))
            }
            (ColumnReader::FloatColumnReader(reader), Values::Float(values)) => read(reader, has, values, |_| Ok(())),
            (ColumnReader::DoubleColumnReader(reader), Values::Double(values)) => read(reader, has, values, |_| Ok(())),
            (ColumnReader::ByteArrayColumnReader(reader), Values::Texts(cells)) => {
                read(reader, has, &mut Vec::new(), |texts| {
                    // Those of a dictionary are one text until they are copied.
                    let bytes: usize = texts.iter().map(ByteArray::len).sum();
                    if text_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > MOST_TEXT_BYTES {
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
            Values::Truths(values) => self.each(values, None, |value| Some(value.to_string())),
            Values::Int32(values) => self.each(values, None, |value| Some(value.to_string())),
            Values::UInt32(values) => self.each(values, None, |value| Some((*value as u32).to_string())),
            Values::Int64(values) => self.each(values, None, |value| Some(value.to_string())),
            Values::UInt64(values) => self.each(values, None, |value| Some((*value as u64).to_string())),
            Values::Float(values) => self.each(values, None, |value| Some(digits.format(*value).to_owned())),
            Values::Double(values) => self.each(values, None, |value| Some(digits.format(*value).to_owned())),
            Values::Texts(cells) => self.each(cells.iter(), None, |text| Some(text.to_owned())),
        }
    }

    /// The values as numbers, NaN where there is none; of truth values 1 and 0. `None`: they are texts.
    pub(super) fn numbers(&self) -> Option<Vec<f64>> {
        Some(match &self.values {
            Values::Truths(values) => self.each(values, f64::NAN, |value| f64::from(u8::from(*value))),
            Values::Int32(values) => self.each(values, f64::NAN, |value| f64::from(*value)),
            Values::UInt32(values) => self.each(values, f64::NAN, |value| f64::from(*value as u32)),
            Values::Int64(values) => self.each(values, f64::NAN, |value| *value as f64),
            Values::UInt64(values) => self.each(values, f64::NAN, |value| *value as u64 as f64),
            Values::Float(values) => self.each(values, f64::NAN, |value| f64::from(*value)),
            Values::Double(values) => self.each(values, f64::NAN, |value| *value),
            Values::Texts(_) => return None,
        })
    }

    fn each<T, N: Clone>(&self, values: impl IntoIterator<Item = T>, missing: N, mut of: impl FnMut(T) -> N) -> Vec<N> {
        let mut values = values.into_iter();
        let value = |has: &bool| has.then(|| values.next()).flatten().map_or_else(|| missing.clone(), &mut of);
        self.has.iter().map(value).collect()
    }
}

/// For each row, whether it has a value; of no more rows than the file says it has.
struct Rows<'a> {
    has: &'a mut Vec<bool>,
    most: usize,
}

fn read<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    Rows { has, most }: &mut Rows<'_>,
    values: &mut Vec<T::T>,
    mut then: impl FnMut(&mut Vec<T::T>) -> Result<(), NotRead>,
) -> Result<(), NotRead> {
    let mut levels = Vec::new();
    loop {
        levels.clear();
        let (rows, ..) = reader.read_records(BATCH, Some(&mut levels), None, values)?;
        if rows == 0 {
            return Ok(());
        }
        // A column without nulls has no levels.
        has.extend(levels.iter().map(|level| *level > 0));
        has.extend(std::iter::repeat_n(true, rows - levels.len()));
        if has.len() > *most {
            return Err(NotRead::Damaged);
        }
        then(values)?;
    }
}
