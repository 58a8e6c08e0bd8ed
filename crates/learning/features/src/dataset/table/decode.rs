//! From the bytes of a file to its text: compression, encoding, and formats that are not tables.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::MultiGzDecoder;

use super::super::DatasetError;
use super::super::error::shown;

const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// Bytes that any gzip file may unpack to, however small it is.
const MIN_UNPACKED_LIMIT_BYTES: u64 = 64 << 20;

/// How many times its size a larger gzip file may unpack to: tables of numbers reach 3 to 10 times, sparse ones 100.
const MAX_UNPACKED_RATIO: u64 = 200;

/// The file without its compression.
pub(super) fn unpack(bytes: &[u8]) -> Result<Cow<'_, [u8]>, DatasetError> {
    if !bytes.starts_with(GZIP_MAGIC) {
        return Ok(Cow::Borrowed(bytes));
    }
    let limit = MIN_UNPACKED_LIMIT_BYTES.max(MAX_UNPACKED_RATIO * bytes.len() as u64);
    let mut unpacked = Vec::new();
    match MultiGzDecoder::new(bytes).take(limit + 1).read_to_end(&mut unpacked) {
        Err(_) => Err(unreadable("the gzip file is damaged or cut off: fetch or pack it again")),
        Ok(length) if length as u64 > limit => Err(unreadable(format!(
            "the gzip file unpacks to more than {} MiB, which is {} times its size or more: unpack it yourself if that is right",
            limit >> 20,
            limit / bytes.len() as u64
        ))),
        Ok(_) => Ok(Cow::Owned(unpacked)),
    }
}

/// First bytes of formats that are mistaken for tables, with what to do.
const FORMATS: [(&[u8], &str); 11] = [
    (b"PK\x03\x04", "a zip archive, as Excel's .xlsx is: save the sheet as CSV, or unpack the archive"),
    (b"\xd0\xcf\x11\xe0", "an old Office file (.xls): save the sheet as CSV"),
    (b"ARROW1", "an Arrow (Feather) file: write Parquet (`to_parquet`) or CSV"),
    (b"FEA1", "a Feather file: write Parquet (`to_parquet`) or CSV"),
    (b"\x89HDF", "an HDF5 file: write Parquet (`to_parquet`) or CSV"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd: unpack it first"),
    (b"BZh", "packed with bzip2: unpack it first"),
    (b"\xfd7zXZ", "packed with xz: unpack it first"),
    (b"SQLite format 3", "an SQLite database: export the table as CSV"),
    (b"%PDF", "a PDF: a table is needed as CSV or Parquet"),
    (
        b"version https://git-lfs.github.com/",
        "a pointer of Git LFS in place of the file: fetch that with `git lfs pull`",
    ),
];

/// Characters from the start of a text in which markup is looked for.
const MARKUP_CHARACTERS: usize = 1_000;

/// Beginnings of HTML pages and fragments, in lower case.
const HTML: [&str; 19] = [
    "<!doctype html",
    "<!--",
    "<html",
    "<head",
    "<body",
    "<title",
    "<meta",
    "<link",
    "<script",
    "<style",
    "<table",
    "<div",
    "<p>",
    "<p ",
    "<b>",
    "<br",
    "<center",
    "<h1",
    "<span",
];

/// Text, and a sentence where its encoding was not said by the file itself.
pub(super) fn decode(bytes: &[u8]) -> Result<(Cow<'_, str>, Option<String>), DatasetError> {
    if let Some((_, what)) = FORMATS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(unreadable(format!("it is {what}")));
    }
    let (text, note) = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => eight_bit(rest)?,
        [0xff, 0xfe, rest @ ..] => (Cow::Owned(utf16(rest, u16::from_le_bytes)?), None),
        [0xfe, 0xff, rest @ ..] => (Cow::Owned(utf16(rest, u16::from_be_bytes)?), None),
        _ => eight_bit(bytes)?,
    };
    if let Some(at) = text.find('\0') {
        return Err(zero(line(text.as_bytes(), at)));
    }
    match markup(&text) {
        Some(what) => Err(unreadable(format!("it {what}"))),
        None => Ok((text, note)),
    }
}

/// What a text is that begins like a document rather than with names of columns, and what to do about it.
fn markup(text: &str) -> Option<&'static str> {
    const PAGE: &str = "is an HTML page, as a server sends it in place of a file: fetch the file itself, or save the page's \
                        table as CSV";
    let start: String = text.trim_start().chars().take(MARKUP_CHARACTERS).collect::<String>().to_lowercase();
    // Comments come before a page as before anything else.
    let mut page = start.as_str();
    while let Some((_, behind)) = page.strip_prefix("<!--").and_then(|rest| rest.split_once("-->")) {
        page = behind.trim_start();
    }
    if page.starts_with(['{', '[']) {
        return Some("looks like JSON: write the table as CSV or Parquet");
    }
    // A table may also begin with `<`: `<title>,<artist>`.
    let is_markup = page.strip_prefix('<').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()))
        && ["<html", "</", "/>"].iter().any(|tag| page.contains(tag));
    if !is_markup && !["<!doctype", "<!--", "<?xml"].iter().any(|tag| page.starts_with(tag)) {
        return None;
    }
    let is_page = page.contains("<html") || HTML.iter().any(|tag| page.starts_with(tag));
    Some(if is_page { PAGE } else { "is XML: write the table as CSV or Parquet" })
}

fn zero(line: usize) -> DatasetError {
    unreadable(format!(
        "line {line} has a zero byte: it is no text, or UTF-16 without a byte-order mark; save it as UTF-8"
    ))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, DatasetError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let text: Option<String> = char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).map(Result::ok).collect();
    text.filter(|_| rest.is_empty())
        .ok_or_else(|| unreadable("it begins like UTF-16 and is none to its end: it is cut off or mixes encodings"))
}

/// UTF-8, else Windows-1252. That is guessed, so its first line is shown; a file that holds some UTF-8 as well is of
/// neither.
fn eight_bit(bytes: &[u8]) -> Result<(Cow<'_, str>, Option<String>), DatasetError> {
    let Err(first) = std::str::from_utf8(bytes) else {
        return Ok((String::from_utf8_lossy(bytes), None));
    };
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        return Err(zero(line(bytes, at)));
    }
    let foreign = line(bytes, first.valid_up_to());
    let utf8 = bytes.utf8_chunks().find_map(|chunk| chunk.valid().chars().find(|char| !char.is_ascii()));
    if let Some(char) = utf8 {
        return Err(unreadable(format!(
            "it mixes encodings: it has a UTF-8 `{char}`, and line {foreign} is no UTF-8; save it as UTF-8 throughout"
        )));
    }
    let text: String = bytes.iter().map(|byte| windows_1252(*byte)).collect();
    // All before it is ASCII, so the text has it at the same place.
    let at = first.valid_up_to();
    let start = text[..at].rfind(|char: char| !char.is_alphanumeric()).map_or(0, |before| before + 1);
    let end = text[at..].find(['\r', '\n']).map_or(text.len(), |length| at + length);
    let word = shown(&text[start..end]);
    let note =
        format!("it is not UTF-8 and was read as Windows-1252 (Latin-1), which makes line {foreign} read {word}");
    Ok((Cow::Owned(text), Some(note)))
}

/// As browsers read it: what Windows leaves undefined is a control character.
fn windows_1252(byte: u8) -> char {
    const FROM_0X80: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => FROM_0X80[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// The line, from 1, that a byte stands in.
fn line(bytes: &[u8], at: usize) -> usize {
    let breaks = |pair: &&[u8]| pair[0] == b'\n' || (pair[0] == b'\r' && pair[1] != b'\n');
    bytes[..=at.min(bytes.len() - 1)].windows(2).filter(breaks).count() + 1
}

fn unreadable(why: impl Into<String>) -> DatasetError {
    DatasetError::Unreadable(why.into())
}
