//! What can be wrong with a dataset.

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
    /// A table without something that a dataset needs.
    #[error("the file has no {0}")]
    Lacks(&'static str),
    /// A column that cannot be used as it is.
    #[error("column `{column}` {problem}")]
    Column {
        /// Its name.
        column: String,
        /// What is wrong and what to do.
        problem: &'static str,
    },
    /// A value that cannot be used as it is.
    #[error("column `{column}`, row {row} {problem}")]
    Value {
        /// The column's name.
        column: String,
        /// Row of the data, from 1; in a CSV file the line of column names is not counted.
        row: usize,
        /// What is wrong and what to do.
        problem: &'static str,
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

pub(super) fn unreadable(error: polars::error::PolarsError) -> DatasetError {
    DatasetError::Unreadable(first_line(&error))
}
