//! The Arrow schema in a Parquet file: to Parquet itself, durations and the like are whole numbers.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use parquet::file::metadata::FileMetaData;

/// The key of a file's metadata that holds Arrow's schema.
const SCHEMA_KEY: &str = "ARROW:schema";

/// In the metadata of a field whose values have a meaning of their own, such as pandas' periods.
const EXTENSION_KEY: &str = "ARROW:extension:name";

/// A column's name, and what it holds if Arrow knows it for more than numbers or texts.
type NamedContent = (String, Option<&'static str>);

/// The columns of a file, in order, if it contains Arrow's schema.
pub(super) fn columns(file: &FileMetaData) -> Option<Vec<NamedContent>> {
    let schema = file.key_value_metadata()?.iter().find(|pair| pair.key == SCHEMA_KEY)?;
    let message = BASE64_STANDARD.decode(schema.value.as_ref()?).ok()?;
    // A mark and a length stand before the message.
    let bytes = message.strip_prefix(&[0xff; 4]).map_or(&*message, |rest| rest.get(4..).unwrap_or_default());
    // Numbers of fields and types are those of Arrow's `Message.fbs` and `Schema.fbs`.
    let schema = FlatTable { bytes, at: number(bytes, 0)? }.table(2)?;
    schema.tables(1)?.iter().map(|column| Some((column.text(0)?.to_owned(), other(column)?))).collect()
}

fn other(column: &FlatTable) -> Option<Option<&'static str>> {
    let is_extension = |pair: &FlatTable| pair.text(0) == Some(EXTENSION_KEY);
    if column.tables(6).is_some_and(|pairs| pairs.iter().any(is_extension)) {
        return Some(Some("values of a type that is not read here"));
    }
    Some(match *column.bytes.get(column.field(2)?)? {
        8 => Some("dates"),
        9 => Some("times of day"),
        10 => Some("points in time (timestamp)"),
        11 | 18 => Some("durations"),
        _ => None,
    })
}

/// A table within a flatbuffer.
struct FlatTable<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> FlatTable<'a> {
    /// Where a field is; `None` for one that is left out.
    fn field(&self, index: usize) -> Option<usize> {
        let back = number(self.bytes, self.at)? as u32 as i32;
        let offsets = usize::try_from(self.at as i64 - i64::from(back)).ok()?;
        let short = |at| Some(usize::from(u16::from_le_bytes(*self.bytes.get(at..)?.first_chunk()?)));
        let place = 4 + 2 * index;
        let offset = if place < short(offsets)? { short(offsets + place)? } else { 0 };
        (offset > 0).then_some(self.at + offset)
    }

    /// Where what a field refers to is.
    fn target(&self, index: usize) -> Option<usize> {
        let at = self.field(index)?;
        Some(at + number(self.bytes, at)?)
    }

    fn table(&self, index: usize) -> Option<Self> {
        Some(Self { bytes: self.bytes, at: self.target(index)? })
    }

    fn tables(&self, index: usize) -> Option<Vec<Self>> {
        let at = self.target(index)?;
        let places = (1..=number(self.bytes, at)?).map(|i| at + 4 * i);
        places.map(|at| Some(Self { bytes: self.bytes, at: at + number(self.bytes, at)? })).collect()
    }

    fn text(&self, index: usize) -> Option<&'a str> {
        let at = self.target(index)?;
        str::from_utf8(self.bytes.get(at + 4..)?.get(..number(self.bytes, at)?)?).ok()
    }
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?) as usize)
}
