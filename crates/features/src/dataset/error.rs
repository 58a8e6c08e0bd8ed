//! What can be wrong with a dataset.

use std::fmt;

use model::terminal::{escaped, is_unsafe};

/// Columns that an error names at most where it tells what there is.
const MOST_NAMED: usize = 12;

/// Characters of a cell that an error shows.
const MOST_SHOWN: usize = 40;

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
    /// A quote that is none, so that nobody can tell where cells end.
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
    #[error("column `{column}`, row {row} {problem}")]
    Value {
        /// The column's name.
        column: String,
        /// Row of the data, from 1; in a CSV file the line of column names is not counted.
        row: usize,
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
    /// Values are missing, and nobody said what to do about it.
    #[error(
        "column `{column}` lacks {missing} of {rows} values, the first in row {row}{}: fill them in, leave the rows out, or \
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
        /// The first row that lacks its value, from 1.
        row: usize,
        /// How many columns lack values.
        columns: usize,
    },
    /// A `split` that parts copies of a track: what is learned from one would be asked about the other.
    #[error(
        "column `split` parts the rows of {tracks}: {rows}; put all rows of a `track_id` on one side, or leave the column out \
         with `--ignore split`, and they are kept together"
    )]
    Parted {
        /// How many, as text.
        tracks: String,
        /// The first of them with a row on each side, from 1, as text.
        rows: String,
    },
    /// A cell that looks like a list of genres and is none.
    #[error("column `{column}`, row {row} holds no list of texts but {text}: correct it, or leave the row out")]
    Genres {
        /// The column's name.
        column: String,
        /// Row of the data, from 1.
        row: usize,
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

    /// `index` counts from 0.
    pub(super) fn value(column: &str, index: usize, problem: &'static str) -> Self {
        Self::Value { column: column.to_owned(), row: index + 1, problem }
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

/// What is wrong with a column. Rows count from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// No value is a number.
    NoNumbers,
    /// One is none.
    Text {
        /// Its row.
        row: usize,
        /// What stands there.
        text: String,
    },
    /// One is infinite.
    Infinite {
        /// Its row.
        row: usize,
    },
    /// A label's value that is neither 0 nor 1.
    NoBit {
        /// Its row.
        row: usize,
    },
    /// Parquet's values of another kind, which is named.
    Type(String),
    /// Neither texts nor what can be written as one.
    NoTexts,
    /// It numbers the rows.
    RowNumber,
    /// It has no name.
    Nameless,
    /// Its name is nearly that of a label.
    LikeLabel,
    /// `label:` and no more.
    EmptyLabel,
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
            Self::Text { row, text } => write!(f, "row {} has no number but {}", row + 1, shown(text)),
            Self::Infinite { row } => write!(f, "row {} is infinite", row + 1),
            Self::NoBit { row } => write!(f, "row {} is neither 0 nor 1", row + 1),
            Self::Type(what) => write!(f, "holds {what}"),
            Self::NoTexts => write!(f, "has no texts"),
            Self::RowNumber => write!(f, "numbers the rows"),
            Self::Nameless => write!(f, "has no name, like an index that was written with the table"),
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
    let is_name = |fault: &Fault| matches!(fault, Fault::LikeLabel | Fault::EmptyLabel);
    let may_be_label = |fault: &Fault| matches!(fault, Fault::NoNumbers | Fault::LikeLabel);
    let any = |is: fn(&Fault) -> bool| columns.iter().any(|column| is(&column.fault));
    let names: Vec<&str> = columns.iter().map(|column| column.column.as_str()).collect();
    let in_first = columns.iter().filter(|column| matches!(column.fault, Fault::Text { row: 0, .. })).count();
    format!(
        "cannot use {}: {}{}leave {} out with `--ignore{}`{}",
        listed(columns),
        if in_first > 1 { "of several lines of column names, leave one; else " } else { "" },
        if any(is_name) { "rename, or " } else { "correct the file, or " },
        if columns.len() == 1 { "it" } else { "them" },
        argument(&names),
        if any(may_be_label) { "; name labels with `--labels`" } else { "" },
    )
}

/// A list of column names as an argument of a shell's command, with what parts it from its option: names that hold commas
/// are quoted within the list.
fn argument(names: &[&str]) -> String {
    let name = |name: &&str| match name.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", name.replace('"', "\"\"")),
        false => (*name).to_owned(),
    };
    let list = names.iter().map(name).collect::<Vec<_>>().join(",");
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "_-.,:/@%+=".contains(char);
    // What begins with a hyphen would be taken for an option.
    let before = if list.starts_with('-') { '=' } else { ' ' };
    let word = if list.chars().all(is_plain) && before == ' ' {
        list
    } else if list.contains(is_unsafe) {
        let code = |char: char| match char {
            '\\' | '\'' => format!("\\{char}"),
            char if is_unsafe(char) => format!("\\u{:04x}", u32::from(char)),
            char => char.to_string(),
        };
        format!("$'{}'", list.chars().map(code).collect::<String>())
    } else {
        format!("'{}'", list.replace('\'', "'\\''"))
    };
    format!("{before}{word}")
}

/// The first of names.
pub(super) fn some_of(names: &[&str]) -> String {
    let more = names.len().saturating_sub(MOST_NAMED);
    let named = escaped(&names[..names.len() - more].join(", ")).into_owned();
    if more == 0 { named } else { format!("{named} and {more} more") }
}

/// The beginning of a text from outside, in backticks.
pub(super) fn shown(text: &str) -> String {
    let start: String = text.chars().take(MOST_SHOWN).collect();
    format!("`{}{}`", escaped(&start), if start.len() < text.len() { "…" } else { "" })
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

/// The first line of an error of polars, which adds pages of advice to its programmers.
pub(super) fn first_line(error: &polars::error::PolarsError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
