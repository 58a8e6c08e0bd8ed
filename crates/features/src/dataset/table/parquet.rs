//! The columns of a Parquet file.

use std::cell::Cell;
use std::io::Cursor;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use polars::prelude::*;

use super::super::DatasetError;

/// Values that are read at most: 4 GiB of numbers. A small file can say that it holds any number of equal ones.
const MOST_VALUES: usize = 1 << 29;

/// A column, or what it holds that is neither number nor text.
pub(super) type Typed = Result<Column, String>;

/// Names and columns in the order of the file, `None` for those left out, and the number of rows.
type Columns = (Vec<(String, Option<Typed>)>, usize);

/// The columns of a file, without touching those that `skips` says.
pub(super) fn read(bytes: &[u8], skips: impl Fn(&str) -> bool) -> Result<Columns, DatasetError> {
    caught(|| columns(bytes, skips))
}

thread_local! {
    static IS_READING: Cell<bool> = const { Cell::new(false) };
}

/// Polars believes what a file says of itself, and panics where that is wrong. That is a damaged file like any other, so
/// nothing is printed.
fn caught<T>(read: impl FnOnce() -> Result<T, DatasetError>) -> Result<T, DatasetError> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let is_of_polars = std::thread::current().name().is_some_and(|name| name.starts_with("polars"));
            if !IS_READING.get() && !is_of_polars {
                before(panic);
            }
        }));
    });
    IS_READING.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(read));
    IS_READING.set(false);
    result.unwrap_or_else(|panic| Err(damaged(panic)))
}

fn columns(bytes: &[u8], skips: impl Fn(&str) -> bool) -> Result<Columns, DatasetError> {
    let mut reader = ParquetReader::new(Cursor::new(bytes));
    let schema = reader.schema().map_err(damaged)?;
    let rows = reader.num_rows().map_err(damaged)?;
    // Of other types not even the frame is made: polars panics on those that it was compiled without.
    let wanted: Vec<usize> = schema
        .iter_values()
        .enumerate()
        .filter(|(_, field)| !skips(field.name.trim()) && other(&field.dtype).is_none())
        .map(|(i, _)| i)
        .collect();
    if rows.saturating_mul(wanted.len()) > MOST_VALUES {
        let columns = wanted.len();
        return Err(DatasetError::TooLarge { rows, columns, most: MOST_VALUES, may_leave_out: true });
    }
    let mut columns = vec![];
    if !wanted.is_empty() {
        let frame = reader.with_projection(Some(wanted)).finish().map_err(damaged)?;
        columns = frame.columns().to_vec();
        if columns.iter().any(|column| column.len() != rows) {
            return Err(damaged(()));
        }
    }
    let mut columns = columns.into_iter();
    let mut typed = |field: &ArrowField| match other(&field.dtype) {
        _ if skips(field.name.trim()) => Ok(None),
        Some(what) => Ok(Some(Err(what))),
        None => columns.next().map(|column| Some(Ok(column))).ok_or_else(|| damaged(())),
    };
    let named = schema.iter_values().map(|field| Ok((field.name.trim().to_owned(), typed(field)?)));
    Ok((named.collect::<Result<_, DatasetError>>()?, rows))
}

/// Polars has words of its own for what is wrong, which say nothing to those who hold the file.
fn damaged<E>(_: E) -> DatasetError {
    DatasetError::Unreadable("the Parquet file is damaged or cut off: fetch or write it again".to_owned())
}

/// What a column holds if it is neither numbers nor texts.
fn other(dtype: &ArrowDataType) -> Option<String> {
    use ArrowDataType as T;
    Some(match dtype {
        T::Null | T::Boolean | T::Float32 | T::Float64 => return None,
        T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::UInt8 | T::UInt16 | T::UInt32 | T::UInt64 => return None,
        T::Utf8 | T::LargeUtf8 | T::Utf8View => return None,
        T::Dictionary(_, values, _) => return other(values),
        T::Date32 | T::Date64 => "dates".to_owned(),
        T::Timestamp(..) => "points in time (timestamp)".to_owned(),
        T::Time32(_) | T::Time64(_) => "times of day".to_owned(),
        T::Duration(_) | T::Interval(_) => "durations".to_owned(),
        T::Decimal(digits, scale)
        | T::Decimal32(digits, scale)
        | T::Decimal64(digits, scale)
        | T::Decimal256(digits, scale) => format!("decimals (decimal({digits}, {scale})), not float64"),
        T::Float16 => "numbers of 16 bits (float16), not float32".to_owned(),
        T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_) => "bytes (binary)".to_owned(),
        T::List(_) | T::LargeList(_) | T::FixedSizeList(..) => "lists".to_owned(),
        T::Struct(_) => "records (struct)".to_owned(),
        T::Map(..) => "maps".to_owned(),
        _ => "values of a type that is not read here".to_owned(),
    })
}
