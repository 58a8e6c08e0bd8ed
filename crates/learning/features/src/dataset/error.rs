//! What can be wrong with a table or a dataset.

use std::fmt;

use model::explain::{join_first, shell_quote};
use model::terminal::{escaped, excerpt};

use super::place::{Place, places};

/// Columns that an error lists at most.
const MAX_COLUMNS_LISTED: usize = 12;

/// Characters of a cell that an error shows.
const MAX_CHARACTERS_SHOWN: usize = 40;

/// Why there is no dataset. None of these gets better by itself; each says what to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatasetError {
    /// Nothing collected has labels and all the features that are in use.
    #[error("no track has both labels and features: {dropped}; collect more tracks, tags or audio first")]
    NoRows {
        /// Counts by reason, as text.
        dropped: String,
    },
    /// Tracks have labels, and none of them has any feature.
    #[error("none of the {labelled} labelled tracks has audio features or pitches: collect these first")]
    NoFeatures {
        /// Tracks with labels.
        labelled: usize,
    },
    /// Learning needs rows on both sides of the split.
    #[error("all {rows} rows are on the {side} side of the split: add rows, or change `split` or `test_size`")]
    OneSided {
        /// All rows.
        rows: usize,
        /// The side that has them.
        side: &'static str,
    },
    /// A file that is no table.
    #[error("cannot be read as Parquet, nor as CSV with a line of column names: {0}")]
    Unreadable(String),
    /// An unbalanced quote: the ends of cells cannot be told.
    #[error(
        "line {line}: a quote opens a cell that {}: remove the quote, or double it and quote the whole cell",
        ending(*.end)
    )]
    Quote {
        /// Line of the file, from 1, in which the quote stands.
        line: usize,
        /// Line of the next quote; `None`: there is no other.
        end: Option<usize>,
    },
    /// A row with more values than there are columns.
    #[error(
        "line {line} has {values} values, and the line of column names has {names}: remove what is too much, or quote the \
         cell that holds the separator"
    )]
    TooLong {
        /// Line of the file, from 1.
        line: usize,
        /// Its values.
        values: usize,
        /// Names in the first line.
        names: usize,
    },
    /// A table without something that a dataset needs.
    #[error("the file has no {0}")]
    Lacks(String),
    /// A column that cannot be used as it is, and cannot be done without.
    #[error("column `{column}` {problem}")]
    Column {
        /// Its name.
        column: String,
        /// What is wrong and what to do.
        problem: &'static str,
    },
    /// A value that cannot be used as it is, in a column that cannot be done without.
    #[error("column `{column}`, {place} {problem}")]
    Value {
        /// The column's name.
        column: String,
        /// Where.
        place: Place,
        /// What is wrong and what to do.
        problem: &'static str,
    },
    /// Columns that can neither be features nor labels as they are: all of them.
    #[error("{}", unusable(.0))]
    Unusable(Vec<Unusable>),
    /// Columns that a model takes and that are no numbers: all of them.
    #[error("cannot use {}, which the model takes: correct the file", listed(.0))]
    UnusableForModel(Vec<Unusable>),
    /// A Parquet file that says of itself that it is larger than what is read.
    #[error(
        "the Parquet file has {rows} rows of {columns} columns to read, more than {most} values: take fewer rows{}",
        if *.may_leave_out { ", or leave columns out" } else { "" }
    )]
    TooLarge {
        /// Its rows.
        rows: usize,
        /// Columns that were to be read.
        columns: usize,
        /// Values that are read at most.
        most: usize,
        /// Whether the one who gave it may do without columns.
        may_leave_out: bool,
    },
    /// A Parquet file with more text than what is read.
    #[error(
        "the Parquet file has more than {most_mib} MiB of text to read: take fewer rows{}",
        if *.may_leave_out { ", or leave columns out" } else { "" }
    )]
    TooMuchText {
        /// What is read at most, in MiB.
        most_mib: usize,
        /// Whether the one who gave it may do without columns.
        may_leave_out: bool,
    },
    /// Lists of Parquet that hold more than what is read.
    #[error("the lists of `{column}` hold more than {most}: take fewer rows")]
    LongLists {
        /// Their column.
        column: String,
        /// What is read at most.
        most: &'static str,
    },
    /// Values are missing, and no imputation was chosen.
    #[error(
        "column `{column}` lacks {missing} of {rows} values, the first in {place}{}: fill them in, leave the rows out, or \
         choose how to impute them with `--impute mean`, `median`, `zero` or `most_frequent`",
        others(*columns)
    )]
    Missing {
        /// The first such column.
        column: String,
        /// Values it lacks.
        missing: usize,
        /// All rows.
        rows: usize,
        /// The first row that lacks its value.
        place: Place,
        /// How many columns lack values.
        columns: usize,
    },
    /// A `split` that parts copies of a track: what is learned from one would be asked about the other.
    #[error(
        "column `split` parts the rows of {tracks}: {rows}; put all rows of a track on one side, or leave the column out \
         with `--ignore split`, and they are kept together"
    )]
    Parted {
        /// How many, as text.
        tracks: String,
        /// The first of them with the place of a row on each side, as text.
        rows: String,
    },
    /// Two columns of one label.
    #[error(
        "`{}` is a label twice, as the columns `{}` and `{}`: rename or remove one of them",
        escaped(.label), escaped(&.columns[0]), escaped(&.columns[1])
    )]
    LabelTwice {
        /// Its name.
        label: String,
        /// The columns.
        columns: [String; 2],
    },
    /// A cell that looks like a list of genres and is none.
    #[error("column `{column}`, {place} holds no list of texts but {text}: correct it, or leave the row out")]
    Genres {
        /// The column's name.
        column: String,
        /// Where.
        place: Place,
        /// The beginning of the cell.
        text: String,
    },
    /// A choice of columns that the file does not have: the choice has to be changed, not the file.
    #[error("`--{option}` names `{column}`, and the file has no such column: it has {there}")]
    NoColumn {
        /// The option.
        option: &'static str,
        /// The name.
        column: String,
        /// The first columns of the file.
        there: String,
    },
    /// A dataset that makes no file: its columns are not told apart by name.
    #[error("the dataset cannot be written: {0}")]
    Unwritable(String),
}

impl DatasetError {
    pub(super) fn column(column: &str, problem: &'static str) -> Self {
        Self::Column { column: column.to_owned(), problem }
    }

    pub(super) fn value(column: &str, place: Place, problem: &'static str) -> Self {
        Self::Value { column: column.to_owned(), place, problem }
    }
}

/// A column and why it cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// Its name.
    pub column: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// No value is a number.
    NoNumbers,
    /// Some values cannot be used.
    Values {
        /// What the first of them is.
        what: BadValue,
        /// Where it is.
        place: Place,
        /// How many there are.
        count: usize,
    },
    /// No value is a label's, 0 or 1.
    NoBits,
    /// Parquet's values of another kind, which is named.
    Type(String),
    /// It numbers the rows.
    RowNumber,
    /// It has no name.
    Nameless,
    /// It has ids of tracks, and those of this column are used.
    OtherIds(String),
    /// It has ids.
    Ids,
    /// Its name is nearly that of a label.
    LikeLabel,
    /// `label:` and no more.
    EmptyLabel,
}

/// A value that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadValue {
    /// No number, but this text.
    Text(String),
    /// An infinite number.
    Infinite,
    /// A number beyond what models compute with, as a text.
    TooLarge(String),
    /// A label's value that is neither 0 nor 1.
    NoBit,
}

impl fmt::Display for BadValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "has no number but {}", shown(text)),
            Self::Infinite => write!(f, "is infinite"),
            Self::TooLarge(number) => write!(f, "is {number}, beyond ±3.4e38"),
            Self::NoBit => write!(f, "is neither 0 nor 1"),
        }
    }
}

impl Fault {
    pub(super) fn at(self, column: &str) -> Unusable {
        Unusable { column: column.to_owned(), fault: self }
    }

    pub(super) fn of(self, column: &str) -> DatasetError {
        DatasetError::Unusable(vec![self.at(column)])
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNumbers => write!(f, "has no numbers"),
            Self::Values { what, place, count: 1 } => write!(f, "{place} {what}"),
            Self::Values { what, place, count: 2 } => write!(f, "{place} {what}, and 1 more is no better"),
            Self::Values { what, place, count } => write!(f, "{place} {what}, and {} more are no better", count - 1),
            Self::NoBits => write!(f, "has neither 0 nor 1"),
            Self::Type(what) => write!(f, "holds {what}"),
            Self::RowNumber => write!(f, "numbers the rows"),
            Self::Nameless => write!(f, "has no name, like an index that was written with the table"),
            Self::OtherIds(used) => write!(f, "holds ids of tracks, and those in `{}` are used", escaped(used)),
            Self::Ids => write!(f, "holds ids, by its name and its whole numbers"),
            Self::LikeLabel => write!(f, "looks like a label, and those are called `label:NAME`"),
            Self::EmptyLabel => write!(f, "is a label without a name"),
        }
    }
}

/// Columns with what is wrong with each.
fn listed(columns: &[Unusable]) -> String {
    let listed: Vec<String> =
        columns.iter().map(|column| format!("`{}` ({})", escaped(&column.column), column.fault)).collect();
    let what = if columns.len() == 1 { "column".to_owned() } else { format!("{} columns,", columns.len()) };
    format!("{what} {}", listed.join(", "))
}

fn unusable(columns: &[Unusable]) -> String {
    let any = |is: fn(&Fault) -> bool| columns.iter().any(|column| is(&column.fault));
    let mut ways = Vec::new();
    ways.extend(lone_rows(columns));
    if any(|fault| matches!(fault, Fault::LikeLabel | Fault::EmptyLabel | Fault::Ids)) {
        ways.push("rename".to_owned());
    } else if ways.is_empty() && !columns.iter().all(|column| matches!(column.fault, Fault::OtherIds(_))) {
        ways.push("correct the file".to_owned());
    }
    // A label that most rows have right is wanted.
    let is_label = |fault: &Fault| matches!(fault, Fault::Values { what: BadValue::NoBit, .. });
    let others = columns.iter().filter(|column| !is_label(&column.fault));
    let others: Vec<&str> = others.map(|column| column.column.as_str()).collect();
    if !others.is_empty() {
        let these = if others.len() == 1 { "the column" } else { "the columns" };
        ways.push(format!("leave {these} out with `--ignore{}`", argument(&others)));
    }
    let may_be_label = any(|fault| matches!(fault, Fault::NoNumbers | Fault::LikeLabel));
    let labels = if may_be_label { "; name labels with `--labels`" } else { "" };
    format!("cannot use {}: {}{labels}", listed(columns), ways.join(", or "))
}

/// What to do about rows that alone are the fault of their columns.
fn lone_rows(columns: &[Unusable]) -> Option<String> {
    let lone = columns.iter().filter_map(|column| match column.fault {
        Fault::Values { place, count: 1, .. } => Some(place),
        _ => None,
    });
    let mut lone: Vec<Place> = lone.collect();
    lone.sort_unstable();
    lone.dedup();
    let pronoun = match lone.len() {
        0 => return None,
        1 => "it",
        _ => "them",
    };
    Some(format!("correct {}, or remove {pronoun} if that is a sum, a note or other names of columns", places(&lone)))
}

/// A list of column names as an argument of a shell's command, with what parts it from its option: names that hold commas
/// are quoted within the list.
fn argument(names: &[&str]) -> String {
    let name = |name: &&str| match name.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", name.replace('"', "\"\"")),
        false => (*name).to_owned(),
    };
    let list = names.iter().map(name).collect::<Vec<_>>().join(",");
    // What begins with a hyphen would be taken for an option.
    let before = if list.starts_with('-') { '=' } else { ' ' };
    format!("{before}{}", shell_quote(&list))
}

/// The first of names.
pub(super) fn listed_names(names: &[&str]) -> String {
    escaped(&join_first(names, MAX_COLUMNS_LISTED)).into_owned()
}

/// The beginning of a text from outside, in backticks.
pub(super) fn shown(text: &str) -> String {
    format!("`{}`", excerpt(text, MAX_CHARACTERS_SHOWN))
}

fn ending(end: Option<usize>) -> String {
    match end {
        None => "no other quote ends".to_owned(),
        Some(line) => format!("ends in line {line}, in the middle of a text"),
    }
}

fn others(columns: usize) -> String {
    match columns {
        1 => String::new(),
        2 => ", and so does another column".to_owned(),
        _ => format!(", and so do {} other columns", columns - 1),
    }
}
