//! What the columns of a file are: labels, features, ids, or nothing.

use polars::prelude::*;

use super::{ARTIST, DatasetError, Import, LABEL, SPLIT, TRACK_ID};

/// Columns of a file that an error names at most.
const MOST_NAMED: usize = 12;

/// The roles of columns, by their names.
pub(super) struct Roles<'a> {
    labels: &'a [String],
    ignored: &'a [String],
}

impl<'a> Roles<'a> {
    pub(super) fn of(import: &'a Import) -> Self {
        Self { labels: &import.labels, ignored: &import.ignored }
    }

    /// Whether a column is a feature.
    pub(super) fn is_feature(&self, name: &str) -> bool {
        let is_other = [TRACK_ID, ARTIST, SPLIT].contains(&name) || name.starts_with(LABEL);
        !is_other && self.label(name).is_none() && !self.is_ignored(name)
    }

    /// The name of the label that a column is.
    fn label<'n>(&self, column: &'n str) -> Option<&'n str> {
        let name = column.strip_prefix(LABEL).unwrap_or(column);
        let is_named = |label: &String| label == column || label == name;
        let is_label =
            if self.labels.is_empty() { column.starts_with(LABEL) } else { self.labels.iter().any(is_named) };
        (is_label && !self.is_ignored(column)).then_some(name)
    }

    fn is_ignored(&self, name: &str) -> bool {
        self.ignored.iter().any(|ignored| ignored == name)
    }

    /// Whether every column that is chosen is among these.
    pub(super) fn check(&self, names: &[PlSmallStr]) -> Result<(), DatasetError> {
        let has = |name: &str| names.iter().any(|column| column == name);
        let there = || {
            let more = names.len().saturating_sub(MOST_NAMED);
            let named = names[..names.len() - more].join(", ");
            if more == 0 { named } else { format!("{named} and {more} more") }
        };
        let missing =
            |option, column: &String| DatasetError::NoColumn { option, column: column.clone(), there: there() };
        for label in self.labels {
            if !has(label) && !has(&format!("{LABEL}{label}")) {
                return Err(missing("labels", label));
            }
            if self.is_ignored(label) {
                return Err(DatasetError::column(label, "is named as a label and to be left out: choose one"));
            }
        }
        self.ignored.iter().find(|name| !has(name)).map_or(Ok(()), |name| Err(missing("ignore", name)))
    }

    /// A column with a meaning of its own.
    pub(super) fn find<'f>(&self, frame: &'f DataFrame, name: &str) -> Option<&'f Column> {
        let is_free = !self.is_ignored(name) && self.label(name).is_none();
        frame.columns().iter().find(|column| is_free && column.name() == name)
    }

    /// Names and columns of the labels, sorted.
    pub(super) fn labels<'f>(&self, frame: &'f DataFrame) -> Result<Vec<(String, &'f Column)>, DatasetError> {
        let label = |column: &'f Column| Some((self.label(column.name())?.to_owned(), column));
        let mut labels: Vec<_> = frame.columns().iter().filter_map(label).collect();
        if labels.is_empty() {
            return Err(DatasetError::Lacks(
                "label columns: say which they are with `--labels a,b,c`, or name them `label:NAME`; a row has 1 in each \
                 label that it has, else 0",
            ));
        }
        labels.sort_by(|(a, _), (b, _)| a.cmp(b));
        match labels.windows(2).find(|two| two[0].0 == two[1].0) {
            Some(two) => {
                Err(DatasetError::column(&two[0].0, "is a label twice, with `label:` and without: remove one"))
            }
            None => Ok(labels),
        }
    }

    /// Feature columns, in the order of the file.
    pub(super) fn features<'f>(&self, frame: &'f DataFrame) -> Result<Vec<&'f Column>, DatasetError> {
        let columns: Vec<_> = frame.columns().iter().filter(|column| self.is_feature(column.name())).collect();
        if columns.is_empty() {
            return Err(DatasetError::Lacks("feature columns: every column of numbers beside the labels is one"));
        }
        Ok(columns)
    }
}
