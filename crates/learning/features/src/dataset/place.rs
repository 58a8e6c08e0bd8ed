//! The positions of rows in their file.

use std::fmt;

use model::explain::join_first;

/// Rows, or pairs of them, that a sentence names at most.
pub(super) const MAX_ROWS_LISTED: usize = 3;

/// The position of a row, as a reader finds it in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The line of a text that the row begins in, from 1, the line of column names and empty ones counted: what editors and,
    /// unless cells hold line ends, spreadsheets number.
    Line(usize),
    /// The row of a Parquet file, from 1.
    Row(usize),
}

impl Place {
    /// Its number alone.
    pub fn number(self) -> usize {
        let (Self::Line(number) | Self::Row(number)) = self;
        number
    }

    /// What is numbered, when there are several.
    pub(super) fn plural(self) -> &'static str {
        match self {
            Self::Line(_) => "lines",
            Self::Row(_) => "rows",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Row(number) => write!(f, "row {number}"),
        }
    }
}

/// The first few of some rows: `line 3`, or `lines 3, 5, 6 and 2 more`.
pub(super) fn places(rows: &[Place]) -> String {
    match rows {
        [] => String::new(),
        [single] => single.to_string(),
        [first, ..] => {
            format!("{} {}", first.plural(), join_first(rows.iter().map(|row| row.number()), MAX_ROWS_LISTED))
        }
    }
}
