//! Detecting the separator of a text table.

use super::super::DatasetError;
use super::super::error::shown;
use super::records::{Record, Records};

/// Possible separators, the usual one first.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Records that are examined.
const SAMPLE_RECORDS: usize = 200;

/// The beginning of a line that declares the separator, as Excel writes it.
const SEPARATOR_LINE: &str = "sep=";

/// The separator of a text, and whether another one would give a table as well.
pub(super) struct DetectedSeparator {
    pub(super) separator: u8,
    pub(super) is_doubtful: bool,
}

/// The separator that gives the most columns without any record having more values than there are names.
pub(super) fn detect(text: &str) -> DetectedSeparator {
    let layouts = SEPARATORS.map(|separator| (layout(text, separator), separator));
    // `max_by_key` returns the last maximum, which in reverse is the most usual.
    let best = layouts.iter().rev().max_by_key(|(layout, _)| layout);
    let separator = best.map_or(b',', |(layout, separator)| if layout.names > 1 { *separator } else { b',' });
    let even = layouts.iter().filter(|(layout, _)| layout.names > 1 && layout.is_even);
    DetectedSeparator { separator, is_doubtful: even.count() > 1 }
}

/// Compared from the first field to the last.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Layout {
    /// Whether there are columns, and no record has more values than names.
    fits: bool,
    names: usize,
    /// Whether every record has a value for each name.
    is_even: bool,
}

fn layout(text: &str, separator: u8) -> Layout {
    let mut records = Records::of(text, separator, 1);
    let mut record = Record::default();
    let mut names = 0;
    let (mut fits, mut is_even) = (true, true);
    for i in 0..=SAMPLE_RECORDS {
        match records.read(&mut record) {
            Ok(true) if i == 0 => names = record.len(),
            Ok(true) => {
                fits &= record.len() <= names;
                is_even &= record.len() == names;
            }
            Ok(false) => break,
            Err(_) => {
                (fits, is_even) = (false, false);
                break;
            }
        }
    }
    Layout { fits: fits && names > 1, names, is_even }
}

/// The separator as a first line of its own may say it for Excel, `sep=;` in any case, and the text behind that line.
///
/// # Errors
/// There is such a line, and what it says is no separator.
pub(super) fn declared(text: &str) -> Result<Option<(u8, &str)>, DatasetError> {
    let end = text.find(['\r', '\n']).unwrap_or(text.len());
    let (line, rest) = text.split_at(end);
    let unquoted = line.trim_matches('"');
    let Some(declared) = unquoted
        .get(..SEPARATOR_LINE.len())
        .filter(|start| start.eq_ignore_ascii_case(SEPARATOR_LINE))
        .map(|_| &unquoted[SEPARATOR_LINE.len()..])
    else {
        return Ok(None);
    };
    // A program that wrote the table anew may have filled the line up with separators.
    let separator =
        declared.bytes().next().filter(|first| declared.trim_end().bytes().skip(1).all(|byte| byte == *first));
    match separator.filter(|byte| *byte == b'\t' || byte.is_ascii_punctuation() && *byte != b'"') {
        Some(separator) => {
            Ok(Some((separator, rest.strip_prefix("\r\n").unwrap_or(rest.get(1..).unwrap_or_default()))))
        }
        None => Err(DatasetError::Unreadable(format!(
            "its first line is {}, and what stands behind `=` is no separator: remove that line",
            shown(line)
        ))),
    }
}

/// Its name in a sentence.
pub(super) fn name(separator: u8) -> String {
    match separator {
        b'\t' => "a tab".to_owned(),
        b',' => "a comma".to_owned(),
        b';' => "a semicolon".to_owned(),
        other => format!("`{}`", char::from(other)),
    }
}
