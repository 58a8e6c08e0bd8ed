//! A Parquet column of lists of texts.

use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::ByteArrayType;
use parquet::errors::ParquetError;
use parquet::file::reader::FileReader;
use parquet::schema::types::Type;

use super::cells::Cells;

/// Texts of a column that are read at most, nulls included. A list is decoded in one piece at 40 bytes per text: 640 MiB
/// if one row holds them all.
const MAX_TEXTS: usize = 1 << 24;
const TOO_MANY_TEXTS: NotRead = NotRead::TooLong("16,777,216 texts");

/// Bytes of text in a column that are read at most: a small file can refer to one long text any number of times.
const MAX_TEXT_BYTES_PER_COLUMN: usize = 1 << 28;
const TOO_MANY_BYTES: NotRead = NotRead::TooLong("256 MiB of text");

/// Rows that are decoded at a time.
const BATCH_ROWS: usize = 1 << 14;

/// Why a column is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotRead {
    /// The file is damaged.
    Damaged,
    /// Its lists hold more than this.
    TooLong(&'static str),
    /// With its texts the file has more text than is read.
    TooMuchText,
}

impl From<ParquetError> for NotRead {
    fn from(_: ParquetError) -> Self {
        Self::Damaged
    }
}

/// A list of texts for each row.
#[derive(Debug, Clone, Default)]
pub(super) struct Lists {
    texts: Cells,
    /// For each row the number of texts up to its end.
    ends: Vec<usize>,
}

/// Whether a field holds lists of texts: in three levels as they are written today, in two as they were, or as a field that
/// is repeated itself.
pub(super) fn are_in(field: &Type) -> bool {
    let is_text = |element: &Type| {
        let info = element.get_basic_info();
        let is_utf8 = matches!(info.logical_type_ref(), Some(LogicalType::String))
            || (info.logical_type_ref().is_none() && info.converted_type() == ConvertedType::UTF8);
        element.is_primitive() && element.get_physical_type() == Physical::BYTE_ARRAY && is_utf8
    };
    element(field).is_some_and(is_text)
}

/// What the lists of a field are made of.
fn element(field: &Type) -> Option<&Type> {
    let is_repeated = |field: &Type| field.get_basic_info().repetition() == Repetition::REPEATED;
    if is_repeated(field) {
        return Some(field);
    }
    let info = field.get_basic_info();
    let is_list =
        matches!(info.logical_type_ref(), Some(LogicalType::List)) || info.converted_type() == ConvertedType::LIST;
    let repeated = single_field(field).filter(|repeated| is_list && is_repeated(repeated))?;
    if repeated.is_primitive() {
        Some(repeated)
    } else {
        single_field(repeated).filter(|element| !is_repeated(element))
    }
}

/// The field of a group that has no other.
fn single_field(group: &Type) -> Option<&Type> {
    if !group.is_group() {
        return None;
    }
    match group.get_fields() {
        [field] => Some(field),
        _ => None,
    }
}

/// Refuses a column that has too many texts, as its pages say before any of them is unpacked: a list of a few bytes may say
/// that it has any number.
pub(super) fn check(file: &dyn FileReader, leaf: usize) -> Result<(), NotRead> {
    let mut texts = 0usize;
    for group in 0..file.num_row_groups() {
        let mut pages = file.get_row_group(group)?.get_column_page_reader(leaf)?;
        while let Some(page) = pages.peek_next_page()? {
            texts = texts.saturating_add(page.num_levels.unwrap_or(0));
            pages.skip_next_page()?;
        }
    }
    if texts > MAX_TEXTS { Err(TOO_MANY_TEXTS) } else { Ok(()) }
}

impl Lists {
    pub(super) fn rows(&self) -> usize {
        self.ends.len()
    }

    /// The texts of each row; none where there is no list.
    pub(super) fn iter(&self) -> impl Iterator<Item = Vec<&str>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| (start..*end).map(|text| self.texts.get(text)).collect())
    }

    /// Adds the lists of a row group, which are refused when there are more than `max_rows` then. A text is there where its
    /// definition level is `full_level`.
    pub(super) fn read(&mut self, reader: ColumnReader, full_level: i16, max_rows: usize) -> Result<(), NotRead> {
        let ColumnReader::ByteArrayColumnReader(mut reader) = reader else {
            // Of another type than the schema says.
            return Err(NotRead::Damaged);
        };
        while self.read_batch(&mut reader, full_level)? {
            // More rows than the file says.
            if self.rows() > max_rows {
                return Err(NotRead::Damaged);
            }
        }
        Ok(())
    }

    fn read_batch(&mut self, reader: &mut ColumnReaderImpl<ByteArrayType>, full_level: i16) -> Result<bool, NotRead> {
        let (mut definitions, mut repetitions, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let (rows, ..) =
            reader.read_records(BATCH_ROWS, Some(&mut definitions), Some(&mut repetitions), &mut values)?;
        let mut values = values.iter();
        for (definition, repetition) in definitions.into_iter().zip(repetitions) {
            if repetition == 0 {
                self.ends.push(self.texts.len());
            }
            if definition == full_level {
                let text = values.next().ok_or(NotRead::Damaged)?.as_utf8()?;
                if self.texts.bytes() + text.len() > MAX_TEXT_BYTES_PER_COLUMN {
                    return Err(TOO_MANY_BYTES);
                }
                self.texts.push(text);
                // The first list begins in a row.
                *self.ends.last_mut().ok_or(NotRead::Damaged)? = self.texts.len();
            }
        }
        Ok(rows > 0)
    }
}
