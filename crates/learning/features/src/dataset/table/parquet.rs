//! The columns of a Parquet file.

use std::borrow::Cow;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::sync::atomic::AtomicUsize;

use bytes::Bytes;
use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::Type;
use rayon::prelude::*;

use super::super::DatasetError;
use super::lists::{self, Lists, NotRead};
use super::typed::{self, Column};
use super::{ColumnValues, LISTS, arrow_types};

/// Values that are read at most: 4 GiB of numbers. A small file can claim to hold any number of equal values.
const MAX_VALUES: usize = 1 << 29;

/// Names and columns in the order of the file, and the number of rows.
type Columns = (Vec<(String, ColumnValues)>, usize);

/// The columns of a file, without touching those that `skips` says, nor lists but those of one column.
pub(super) fn read(
    bytes: Cow<'_, [u8]>,
    skips: impl Fn(&str) -> bool,
    lists: Option<&str>,
) -> Result<Columns, DatasetError> {
    let file = Bytes::from(bytes.into_owned());
    caught(|| columns(&file, skips, lists.map(str::trim)))
}

thread_local! {
    static IS_READING: Cell<bool> = const { Cell::new(false) };
}

/// A decoder that believes what a file says of itself may panic where that is wrong. That is a damaged file like any
/// other, so nothing is printed.
fn caught<T>(read: impl FnOnce() -> Result<T, DatasetError>) -> Result<T, DatasetError> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !IS_READING.get() {
                before(panic);
            }
        }));
    });
    let was_reading = IS_READING.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(read));
    IS_READING.set(was_reading);
    result.unwrap_or_else(|panic| Err(damaged(panic)))
}

fn columns(file: &Bytes, skips: impl Fn(&str) -> bool, lists: Option<&str>) -> Result<Columns, DatasetError> {
    let reader = SerializedFileReader::new(file.clone()).map_err(damaged)?;
    let metadata = reader.metadata().file_metadata();
    let rows = usize::try_from(metadata.num_rows()).map_err(damaged)?;
    let fields = metadata.schema().get_fields();
    let arrow = arrow_types::columns(metadata);
    if arrow
        .as_ref()
        .is_some_and(|columns| !columns.iter().map(|(name, _)| &**name).eq(fields.iter().map(|field| field.name())))
    {
        return Err(damaged("a name was changed"));
    }
    let mut others = arrow.into_iter().flatten().map(|(_, what)| what);
    let others: Vec<Option<String>> =
        fields.iter().map(|field| other(field, others.next().flatten(), lists == Some(field.name().trim()))).collect();
    let is_wanted = |root: usize| !skips(fields[root].name().trim()) && others[root].is_none();
    let leaves = metadata.schema_descr();
    let mut wanted: Vec<usize> = (0..leaves.num_columns()).collect();
    // A field that is wanted has one leaf.
    wanted.retain(|leaf| is_wanted(leaves.get_column_root_idx(*leaf)));
    if rows.saturating_mul(wanted.len()) > MAX_VALUES {
        return Err(DatasetError::TooLarge { rows, columns: wanted.len(), most: MAX_VALUES, may_leave_out: true });
    }
    let text_bytes = AtomicUsize::new(0);
    let read = |leaf: &usize| column(&reader, *leaf, rows, &text_bytes).map_err(|why| not_read(why, lists));
    let read = wanted.par_iter().map(|leaf| caught(|| read(leaf)));
    let mut columns = read.collect::<Result<Vec<_>, _>>()?.into_iter();
    let mut values = |field: &Type, other| match other {
        _ if skips(field.name().trim()) => Ok(ColumnValues::Ignored),
        Some(what) => Ok(ColumnValues::Other(what)),
        None => columns.next().ok_or_else(|| damaged(())),
    };
    let named =
        fields.iter().zip(others).map(|(field, other)| Ok((field.name().trim().to_owned(), values(field, other)?)));
    Ok((named.collect::<Result<_, DatasetError>>()?, rows))
}

fn column(
    reader: &SerializedFileReader<Bytes>,
    leaf: usize,
    rows: usize,
    text_bytes: &AtomicUsize,
) -> Result<ColumnValues, NotRead> {
    let column = reader.metadata().file_metadata().schema_descr().column(leaf);
    let group = |group| -> Result<_, ParquetError> { reader.get_row_group(group)?.get_column_reader(leaf) };
    let mut groups = (0..reader.num_row_groups()).map(group);
    let (read, values) = if column.max_rep_level() > 0 {
        lists::check(reader, leaf)?;
        let mut lists = Lists::default();
        groups.try_for_each(|group| lists.read(group?, column.max_def_level(), rows))?;
        (lists.rows(), ColumnValues::Lists(lists))
    } else {
        let mut typed = Column::of(&column.self_type_ptr()).ok_or(NotRead::Damaged)?;
        groups.try_for_each(|group| typed.read(group?, rows, text_bytes))?;
        (typed.rows(), ColumnValues::Typed(typed))
    };
    if read == rows { Ok(values) } else { Err(NotRead::Damaged) }
}

fn not_read(why: NotRead, lists: Option<&str>) -> DatasetError {
    match why {
        NotRead::Damaged => damaged(()),
        NotRead::TooMuchText => {
            DatasetError::TooMuchText { most_mib: typed::MAX_TEXT_BYTES >> 20, may_leave_out: true }
        }
        NotRead::TooLong(most) => DatasetError::LongLists { column: lists.unwrap_or_default().to_owned(), most },
    }
}

/// The decoder has words of its own for what is wrong, which say nothing to those who hold the file.
fn damaged<E>(_: E) -> DatasetError {
    DatasetError::Unreadable("the Parquet file is damaged or cut off: fetch or write it again".to_owned())
}

/// What a column holds if it is neither numbers nor texts, nor lists of texts that are read, by Arrow's words if there are
/// any.
fn other(field: &Type, arrow: Option<&str>, reads_lists: bool) -> Option<String> {
    if let Some(what) = arrow {
        return Some(what.to_owned());
    }
    if reads_lists && lists::are_in(field) {
        return None;
    }
    use {ConvertedType as C, LogicalType as L};
    let info = field.get_basic_info();
    let what = match (info.logical_type_ref(), info.converted_type()) {
        _ if info.repetition() == Repetition::REPEATED => LISTS,
        (Some(L::List), _) | (None, C::LIST) => LISTS,
        (Some(L::Map), _) | (None, C::MAP | C::MAP_KEY_VALUE) => "maps",
        _ if field.is_group() => "records (struct)",
        (Some(L::Decimal(_)), _) | (None, C::DECIMAL) => {
            let (digits, scale) = (field.get_precision(), field.get_scale());
            return Some(format!("decimals (decimal({digits}, {scale})), not float64"));
        }
        (Some(L::Date), _) | (None, C::DATE) => "dates",
        (Some(L::Time(_)), _) | (None, C::TIME_MILLIS | C::TIME_MICROS) => "times of day",
        (Some(L::Timestamp(_)), _) | (None, C::TIMESTAMP_MILLIS | C::TIMESTAMP_MICROS) => "points in time (timestamp)",
        (None, C::INTERVAL) => "durations",
        (Some(L::Float16), _) => "numbers of 16 bits (float16), not float32",
        (Some(L::String), _) | (None, C::UTF8) => return None,
        _ => match field.get_physical_type() {
            Physical::INT96 => "points in time (timestamp)",
            Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY => "bytes (binary)",
            _ => return None,
        },
    };
    Some(what.to_owned())
}
