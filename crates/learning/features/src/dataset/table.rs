//! A table from outside: its columns are read by name, as texts or as numbers.

mod arrow_types;
mod cells;
mod decode;
mod lists;
mod parquet;
mod records;
mod separator;
mod typed;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use super::DatasetError;
use super::error::{BadValue, Fault, shown};
use super::place::Place;
use cells::{Cells, DecimalMark, Numbers, is_missing};
use lists::Lists;
use records::{Record, Records};
use typed::Column;

const PARQUET_MAGIC: &[u8] = b"PAR1";

/// The prefix of pandas' names for columns without a name; their position follows.
pub(super) const UNNAMED: &str = "Unnamed: ";

/// What a message says that a column of lists holds.
const LISTS: &str = "lists";

/// Values of the first row that a note shows at most.
const MAX_VALUES_SHOWN: usize = 5;

/// How a table is read.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Columns that are not read at all, whatever is in them.
    pub ignored: Vec<String>,
    /// The column whose lists of texts are read; those of others are not unpacked.
    pub lists: Option<String>,
}

/// How a column will be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnUse {
    /// Not at all: it is not read.
    Skip,
    /// As texts or as numbers, whichever it holds.
    Any,
    /// As numbers: any other text in it is a mistake.
    Numbers,
}

/// A table of Parquet or CSV. Names are without blanks around them; a column without a name is called `Unnamed: 3`, as
/// pandas does, by its position from 0.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<(String, ColumnValues)>,
    rows: usize,
    /// The lines that rows begin in, where it was a text.
    lines: Option<Vec<usize>>,
    /// Rows that have more values than there are columns.
    too_long: BTreeMap<usize, DatasetError>,
    notes: Vec<String>,
}

/// Rows, from 0, with values that cannot be used.
type BadValues = Vec<(usize, BadValue)>;

#[derive(Debug, Clone)]
enum ColumnValues {
    Ignored,
    Texts(Cells),
    Typed(Column),
    Lists(Lists),
    /// What it holds, which is neither numbers nor texts.
    Other(String),
}

impl Table {
    /// Reads a file, packed with gzip or not. Parquet is known by its first bytes. All else is text, of UTF-8, UTF-16 with
    /// its mark, or Windows-1252, whose separator is found out: comma, semicolon, tab or `|`. Numbers have a decimal point,
    /// or where the separator is no comma a decimal comma. What was found out that the file does not say is told in
    /// [`notes`](Self::notes).
    ///
    /// # Errors
    /// One line: [`DatasetError::Unreadable`] for what is no table, [`DatasetError::Quote`] and [`DatasetError::TooLong`]
    /// with the line, [`DatasetError::Column`] for two columns of one name.
    pub fn read(bytes: &[u8], options: &ReadOptions) -> Result<Self, DatasetError> {
        let is_ignored = |name: &str| options.ignored.iter().any(|ignored| ignored.trim() == name);
        let column_use = |name: &str| if is_ignored(name) { ColumnUse::Skip } else { ColumnUse::Any };
        let table = Self::read_wanted(bytes, column_use, options.lists.as_deref())?;
        table.check_names(|_| true)?;
        table.too_long.values().next().map_or(Ok(()), |first| Err(first.clone()))?;
        Ok(table)
    }

    /// [`read`](Self::read) of what is wanted, by the names of columns, and with rows that are too long and names that come
    /// twice.
    pub(super) fn read_wanted(
        bytes: &[u8],
        column_use: impl Fn(&str) -> ColumnUse,
        lists: Option<&str>,
    ) -> Result<Self, DatasetError> {
        let bytes = decode::unpack(bytes)?;
        if bytes.starts_with(PARQUET_MAGIC) {
            return Self::of_parquet(bytes, |name| column_use(name) == ColumnUse::Skip, lists);
        }
        let (text, note) = decode::decode(&bytes)?;
        let mut table = Self::of_text(&text, column_use)?;
        table.notes.splice(0..0, note);
        Ok(table)
    }

    /// Refuses two columns of one name, if they are used.
    pub(super) fn check_names(&self, is_used: impl Fn(&str) -> bool) -> Result<(), DatasetError> {
        let mut seen = HashSet::new();
        match self.read_names().find(|name| is_used(name) && !seen.insert(*name)) {
            Some(name) => Err(DatasetError::column(
                name,
                "comes twice: rename or remove one of them; of several lines of column names, leave one",
            )),
            None => Ok(()),
        }
    }

    /// Whether there is one column of this name that was not ignored, and no other.
    pub(super) fn has_one(&self, name: &str) -> bool {
        self.read_names().filter(|column| *column == name).count() == 1
    }

    fn read_names(&self) -> impl Iterator<Item = &str> {
        let read = self.columns.iter().filter(|(_, values)| !matches!(values, ColumnValues::Ignored));
        read.map(|(name, _)| name.as_str())
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Where a row, counted from 0, stands in its file.
    pub fn place(&self, row: usize) -> Place {
        self.lines.as_ref().map_or(Place::Row(row + 1), |lines| Place::Line(lines[row]))
    }

    /// Where each row stands.
    pub(super) fn places(&self) -> Vec<Place> {
        (0..self.rows).map(|row| self.place(row)).collect()
    }

    /// Rows that have more values than there are columns, with what is to be said of each.
    pub(super) fn too_long(&self) -> impl Iterator<Item = (usize, &DatasetError)> {
        self.too_long.iter().map(|(row, error)| (*row, error))
    }

    /// Names of all columns in the order of the file, ignored ones too.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// Whether there is a column of this name that was not ignored.
    pub fn has(&self, name: &str) -> bool {
        self.read_names().any(|column| column == name)
    }

    /// Sentences for the user about what was detected because the file does not declare it.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The texts of a column, `None` where there is nothing. Blanks around them stay only where they are quoted.
    ///
    /// # Errors
    /// [`DatasetError::Lacks`] where there is none of this name, [`DatasetError::Unusable`] for Parquet's dates,
    /// lists and the like.
    pub fn texts(&self, name: &str) -> Result<Vec<Option<String>>, DatasetError> {
        match self.values(name)? {
            ColumnValues::Texts(cells) => {
                Ok(cells.iter().map(|text| (!text.is_empty()).then(|| text.to_owned())).collect())
            }
            ColumnValues::Typed(column) => Ok(column.texts()),
            ColumnValues::Lists(_) => Err(Fault::Type(LISTS.to_owned()).of(name)),
            ColumnValues::Other(what) => Err(Fault::Type(what.clone()).of(name)),
            ColumnValues::Ignored => Err(self.no_column(name)),
        }
    }

    /// The texts of a column of ids, `None` where there is nothing or a word that stands for nothing.
    pub(super) fn ids(&self, name: &str) -> Result<Vec<Option<String>>, DatasetError> {
        let texts = self.texts(name)?.into_iter();
        Ok(texts.map(|text| text.filter(|text| !cells::is_missing(text))).collect())
    }

    /// The lists of a column, empty where there is none; `None`: it has no lists of texts.
    pub(super) fn lists(&self, name: &str) -> Option<impl Iterator<Item = Vec<&str>>> {
        match self.values(name) {
            Ok(ColumnValues::Lists(lists)) => Some(lists.iter()),
            _ => None,
        }
    }

    /// The numbers of a column, each the nearest to its text and finite, NaN where it is missing: nothing, a null, NaN, or
    /// a word that pandas takes for one, such as `NA`. `True` and `False` are 1 and 0.
    ///
    /// # Errors
    /// [`DatasetError::Lacks`] where there is none of this name, [`DatasetError::Unusable`] where a value is no number
    /// or infinite, or no value is a number.
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>, DatasetError> {
        self.numbers_within(name, f64::MAX)
    }

    /// [`numbers`](Self::numbers) that are no larger than `max_magnitude`, either way.
    pub(super) fn numbers_within(&self, name: &str, max_magnitude: f64) -> Result<Vec<f64>, DatasetError> {
        let (values, bad) = self.numbers_or_bad(name, max_magnitude)?;
        if values.iter().all(|value| value.is_nan()) && self.rows > 0 {
            return Err(Fault::NoNumbers.of(name));
        }
        let (count, mut bad) = (bad.len(), bad.into_iter());
        match bad.next() {
            Some((row, what)) => Err(Fault::Values { what, place: self.place(row), count }.of(name)),
            None => Ok(values),
        }
    }

    /// The numbers of a column, and the rows whose value cannot be used with what is there, in their order.
    pub(super) fn numbers_or_bad(&self, name: &str, max_magnitude: f64) -> Result<(Vec<f64>, BadValues), DatasetError> {
        let (Numbers { values, others }, cells) = match self.values(name)? {
            ColumnValues::Texts(cells) => (cells.numbers(), Some(cells)),
            ColumnValues::Typed(column) => match column.numbers() {
                Some(values) => (Numbers { values, others: Vec::new() }, None),
                None => return Ok(no_numbers(column.texts())),
            },
            ColumnValues::Lists(_) => return Err(Fault::Type(LISTS.to_owned()).of(name)),
            ColumnValues::Other(what) => return Err(Fault::Type(what.clone()).of(name)),
            ColumnValues::Ignored => return Err(self.no_column(name)),
        };
        let text =
            |row: usize| cells.map_or_else(|| format!("{:e}", values[row]), |cells| cells.get(row).trim().to_owned());
        let too_large =
            values.iter().enumerate().filter(|(_, value)| value.abs() > max_magnitude).map(|(row, value)| {
                (row, if value.is_infinite() { BadValue::Infinite } else { BadValue::TooLarge(text(row)) })
            });
        let mut bad: BadValues = others.iter().map(|&row| (row, BadValue::Text(text(row)))).chain(too_large).collect();
        bad.sort_by_key(|(row, _)| *row);
        Ok((values, bad))
    }

    /// What a column of labels says of each row, 0 or 1 (`false` or `true`), `None` where it says nothing or anything else;
    /// and the rows in which it says anything else.
    pub(super) fn bits_or_bad(&self, name: &str) -> Result<(Vec<Option<u8>>, Vec<usize>), DatasetError> {
        let has_commas = matches!(self.values(name)?, ColumnValues::Texts(cells) if cells.mark == DecimalMark::Comma);
        let bit = |text: &str| match text.to_ascii_lowercase().as_str() {
            "0" | "0.0" | "false" => Some(0),
            "1" | "1.0" | "true" => Some(1),
            "0,0" if has_commas => Some(0),
            "1,0" if has_commas => Some(1),
            _ => None,
        };
        let (mut bits, mut bad) = (Vec::with_capacity(self.rows), Vec::new());
        for (row, text) in self.texts(name)?.into_iter().enumerate() {
            let text = text.as_deref().unwrap_or_default();
            bits.push(bit(text));
            if bits[row].is_none() && !is_missing(text) {
                bad.push(row);
            }
        }
        Ok((bits, bad))
    }

    fn values(&self, name: &str) -> Result<&ColumnValues, DatasetError> {
        self.columns
            .iter()
            .find(|(column, _)| column == name)
            .map(|(_, values)| values)
            .ok_or_else(|| self.no_column(name))
    }

    fn no_column(&self, name: &str) -> DatasetError {
        let names: Vec<&str> = self.names().collect();
        DatasetError::Lacks(format!("column `{name}`: it has {}", super::error::listed_names(&names)))
    }

    fn of_parquet(
        bytes: Cow<'_, [u8]>,
        is_ignored: impl Fn(&str) -> bool,
        lists: Option<&str>,
    ) -> Result<Self, DatasetError> {
        let (columns, rows) = parquet::read(bytes, is_ignored, lists)?;
        let columns = columns.into_iter().enumerate().map(|(i, (name, values))| (column_name(i, &name), values));
        Ok(Self { columns: columns.collect(), rows, lines: None, too_long: BTreeMap::new(), notes: Vec::new() })
    }

    fn of_text(text: &str, column_use: impl Fn(&str) -> ColumnUse) -> Result<Self, DatasetError> {
        let (separator, is_doubtful, text, line) = match separator::declared(text)? {
            Some((separator, rest)) => (separator, false, rest, 2),
            None => {
                let found = separator::detect(text);
                (found.separator, found.is_doubtful, text, 1)
            }
        };
        let mut records = Records::of(text, separator, line);
        let mut record = Record::default();
        if !records.read(&mut record)? {
            return Err(DatasetError::Unreadable("it is empty".to_owned()));
        }
        let names: Vec<String> = record.fields().map(str::to_owned).collect();
        if names.iter().all(|name| name.parse::<f64>().is_ok()) {
            return Err(DatasetError::Unreadable(
                "its first line holds numbers and no names of columns: put a line of names above it".to_owned(),
            ));
        }
        let column_names = || names.iter().enumerate().map(|(i, name)| column_name(i, name));
        let new = |name: String| match column_use(&name) {
            ColumnUse::Skip => None,
            column_use => Some(Cells::of_numbers(column_use == ColumnUse::Numbers)),
        };
        let mut cells: Vec<Option<Cells>> = column_names().map(new).collect();
        let (mut lines, mut too_long, mut empty) = (Vec::new(), BTreeMap::new(), 0);
        while records.read(&mut record)? {
            if record.fields().all(str::is_empty) {
                empty += 1;
                continue;
            }
            if record.len() > names.len() {
                let error = DatasetError::TooLong { line: record.line, values: record.len(), names: names.len() };
                too_long.insert(lines.len(), error);
            }
            let fields = record.fields().chain(std::iter::repeat(""));
            cells.iter_mut().zip(fields).for_each(|(cells, field)| {
                if let Some(cells) = cells {
                    cells.push(field);
                }
            });
            lines.push(record.line);
        }
        let is_there = |(name, cells): &(String, Option<Cells>)| {
            // Spreadsheets leave separators behind: a column without name and values is none.
            !name.starts_with(UNNAMED) || cells.as_ref().is_none_or(|cells| cells.iter().any(|text| !text.is_empty()))
        };
        let columns = column_names().zip(cells).filter(is_there);
        let values = |cells: Option<Cells>| cells.map_or(ColumnValues::Ignored, ColumnValues::Texts);
        let columns = columns.map(|(name, cells)| (name, values(cells))).collect();
        let mut table = Self { columns, rows: lines.len(), lines: Some(lines), too_long, notes: Vec::new() };
        table.find_marks(separator, is_doubtful);
        if empty > 0 {
            table.notes.push(format!("it has {empty} rows without any value, which are left out"));
        }
        Ok(table)
    }

    /// Finds out the decimal marks where commas are free to be some, and notes what was found out.
    fn find_marks(&mut self, separator: u8, is_doubtful: bool) {
        if separator != b',' {
            self.columns.iter_mut().for_each(|(_, values)| {
                if let ColumnValues::Texts(cells) = values {
                    cells.find_mark();
                }
            });
        }
        let mut found = Vec::new();
        if separator != b',' || is_doubtful {
            found.push(format!("{} as the separator", separator::name(separator)));
        }
        let mut notes = Vec::new();
        if let commas @ [(name, number, _), ..] = &*self.marked(DecimalMark::Comma) {
            let points = self.marked(DecimalMark::Point);
            found.push(format!("a comma as the decimal mark (`{name}`: {number})"));
            found.extend(
                points.first().map(|(name, number, _)| format!("a point in other columns (`{name}`: {number})")),
            );
            // A fraction of three digits everywhere, or thousands.
            let commas = commas.iter().filter(|_| commas.iter().all(|(.., may)| *may));
            if let Some((name, number, _)) = points.iter().filter(|(.., may)| *may).chain(commas).next() {
                notes.push(format!(
                    "every marked number of `{name}` has three digits behind the mark, such as {number}: it was taken for a \
                     decimal mark; if it separates thousands, remove it"
                ));
            }
        }
        if !found.is_empty() {
            let first = self.first_row();
            notes.insert(0, format!("it was read with {}; the first row is {first}", found.join(", ")));
        }
        self.notes = notes;
    }

    /// Columns whose numbers have this mark, the first such number, and whether the marks may separate thousands.
    fn marked(&self, mark: DecimalMark) -> Vec<(&str, &str, bool)> {
        let marked = self.columns.iter().filter_map(|(name, values)| match values {
            ColumnValues::Texts(cells) if cells.mark == mark => {
                Some((name.as_str(), cells.marked()?, cells.may_be_thousands()))
            }
            _ => None,
        });
        marked.collect()
    }

    fn first_row(&self) -> String {
        let value = |(name, values): &(String, ColumnValues)| match values {
            ColumnValues::Texts(cells) if cells.len() > 0 => {
                let Numbers { values, others } = cells.numbers();
                let are_numbers = cells.are_numbers || others.is_empty();
                let text = match values[0] {
                    number if are_numbers && number.is_finite() => number.to_string(),
                    _ if are_numbers && is_missing(cells.get(0)) => "missing".to_owned(),
                    _ => shown(cells.get(0)),
                };
                Some(format!("{name} = {text}"))
            }
            _ => None,
        };
        let mut first: Vec<String> = self.columns.iter().filter_map(value).take(MAX_VALUES_SHOWN + 1).collect();
        if first.len() > MAX_VALUES_SHOWN {
            first[MAX_VALUES_SHOWN] = "…".to_owned();
        }
        if first.is_empty() { "missing".to_owned() } else { first.join(", ") }
    }
}

/// Texts where numbers are wanted: each is a bad value, unless it stands for a missing one.
fn no_numbers(texts: Vec<Option<String>>) -> (Vec<f64>, BadValues) {
    let values = vec![f64::NAN; texts.len()];
    let texts = texts.into_iter().enumerate();
    let bad = texts.filter_map(|(row, text)| Some((row, BadValue::Text(text.filter(|text| !is_missing(text))?))));
    (values, bad.collect())
}

/// The name of the column at a position.
fn column_name(position: usize, name: &str) -> String {
    match name.trim() {
        "" => format!("{UNNAMED}{position}"),
        name => name.to_owned(),
    }
}
