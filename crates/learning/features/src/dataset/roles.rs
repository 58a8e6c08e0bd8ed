//! The roles of a file's columns: labels, features, ids, or ignored.

use super::error::{Fault, Unusable, listed_names};
use super::names::{LabelLikeness, id_rank, is_nameless, label_likeness};
use super::{ARTIST, DatasetError, ImportOptions, LABEL, SPLIT, TRACK_ID, Table};

/// The roles of columns, by their names.
pub(super) struct Roles<'a> {
    labels: Vec<&'a str>,
    ignored: Vec<&'a str>,
    /// The column of genres, which takes the place of label columns.
    genres: Option<&'a str>,
    /// The column of ids.
    id: Option<String>,
}

impl<'a> Roles<'a> {
    pub(super) fn of(import: &'a ImportOptions) -> Self {
        let trimmed = |names: &'a [String]| names.iter().map(|name| name.trim()).collect();
        let genres = import.genres.as_ref().map(|column| column.name.trim());
        Self { labels: trimmed(&import.labels), ignored: trimmed(&import.ignored), genres, id: None }
    }

    /// Whether a column is a feature.
    fn is_feature(&self, name: &str) -> bool {
        let is_other = [TRACK_ID, ARTIST, SPLIT].contains(&name)
            || name.starts_with(LABEL)
            || self.genres == Some(name)
            || self.id.as_deref() == Some(name);
        !is_other && self.label(name).is_none() && !self.is_ignored(name)
    }

    /// The name of the label that a column is.
    fn label<'n>(&self, column: &'n str) -> Option<&'n str> {
        let name = column.strip_prefix(LABEL).unwrap_or(column).trim();
        let is_label = if self.labels.is_empty() {
            column.starts_with(LABEL)
        } else {
            self.labels.iter().any(|label| *label == column || *label == name)
        };
        (is_label && !self.is_ignored(column)).then_some(name)
    }

    fn is_ignored(&self, name: &str) -> bool {
        self.ignored.contains(&name)
    }

    /// Whether every column that is chosen is in the table.
    pub(super) fn check(&self, table: &Table) -> Result<(), DatasetError> {
        let names: Vec<&str> = table.names().collect();
        let missing = |option, column: &str| DatasetError::NoColumn {
            option,
            column: column.to_owned(),
            there: listed_names(&names),
        };
        for label in &self.labels {
            let is_this = |column: &&str| column == label || column.strip_prefix(LABEL).map(str::trim) == Some(label);
            if !names.iter().any(is_this) {
                return Err(missing("labels", label));
            }
            if self.is_ignored(label) {
                return Err(DatasetError::column(label, "is named as a label and to be left out: choose one"));
            }
        }
        if let Some(genres) = self.genres {
            if !names.contains(&genres) {
                return Err(missing("genre-column", genres));
            }
            if self.is_ignored(genres) {
                return Err(DatasetError::column(genres, "is named as genres and to be left out: choose one"));
            }
        }
        let unknown = self.ignored.iter().find(|name| !names.contains(name));
        unknown.map_or(Ok(()), |name| Err(missing("ignore", name)))
    }

    /// The column of ids: `track_id`, or else the one with the most reliable name, which then is not a feature.
    pub(super) fn find_id(&mut self, table: &Table) -> Option<String> {
        let named = table.names().find(|name| *name == TRACK_ID && self.has(table, name));
        let known = || table.names().filter(|name| self.may_be_id(table, name)).min_by_key(|name| id_rank(name));
        self.id = named.or_else(known).map(str::to_owned);
        self.id.clone()
    }

    /// Whether a column that has no other meaning is called as ids of tracks are, and holds some: texts or whole numbers.
    fn may_be_id(&self, table: &Table, name: &str) -> bool {
        let has_ids = || table.ids(name).is_ok_and(|ids| ids.iter().any(Option::is_some));
        let are_whole = || table.numbers(name).map_or(true, |values| are_whole(&values));
        id_rank(name).is_some() && self.is_feature(name) && table.has_one(name) && has_ids() && are_whole()
    }

    /// Whether a column has a meaning of its own: `track_id`, `artist` or `split`.
    pub(super) fn has(&self, table: &Table, name: &str) -> bool {
        table.has(name) && self.label(name).is_none()
    }

    /// Names and columns of the labels, sorted.
    pub(super) fn labels<'t>(&self, table: &'t Table) -> Result<Vec<(&'t str, &'t str)>, DatasetError> {
        let mut labels: Vec<_> = table.names().filter_map(|column| Some((self.label(column)?, column))).collect();
        if labels.is_empty() {
            let names: Vec<&str> = table.names().collect();
            return Err(DatasetError::Lacks(format!(
                "label columns among {}: say which they are with `--labels a,b,c`, or name them `label:NAME`; a row has 1 \
                 in each label that it has, else 0",
                listed_names(&names)
            )));
        }
        labels.sort_unstable();
        match labels.windows(2).find(|two| two[0].0 == two[1].0) {
            Some(two) => Err(DatasetError::LabelTwice {
                label: two[0].0.to_owned(),
                columns: [two[0].1, two[1].1].map(str::to_owned),
            }),
            None => Ok(labels),
        }
    }

    /// Names of feature columns, in the order of the file.
    pub(super) fn features<'t>(&self, table: &'t Table) -> Result<Vec<&'t str>, DatasetError> {
        let columns: Vec<_> = table.names().filter(|name| self.is_feature(name)).collect();
        if columns.is_empty() {
            return Err(DatasetError::Lacks(
                "feature columns: every column of numbers beside the labels is one".to_owned(),
            ));
        }
        Ok(columns)
    }

    /// Columns that cannot be what their names make of them.
    pub(super) fn misnamed(&self, table: &Table) -> Vec<Unusable> {
        let fault = |name: &str| {
            if self.label(name) == Some("") {
                return Some(Fault::EmptyLabel);
            }
            if !self.is_feature(name) {
                return None;
            }
            if is_nameless(name) {
                return Some(Fault::Nameless);
            }
            if let Some(id) = self.id.as_ref().filter(|_| self.may_be_id(table, name)) {
                return Some(Fault::OtherIds(id.clone()));
            }
            is_like_label(table, name).then_some(Fault::LikeLabel)
        };
        table.names().filter_map(|name| Some(fault(name)?.at(name))).collect()
    }
}

/// Whether a column is a label by its values, and nearly by its name.
fn is_like_label(table: &Table, name: &str) -> bool {
    let numbers = || table.numbers(name).unwrap_or_default();
    match label_likeness(name) {
        None => false,
        Some(LabelLikeness::Always) => true,
        Some(LabelLikeness::IfWholeNumbers) => are_whole(&numbers()),
        Some(LabelLikeness::IfBits) => are_bits(&numbers()),
    }
}

/// Whether there are numbers, and none of them is a fraction.
pub(super) fn are_whole(values: &[f64]) -> bool {
    are_all(values, |value| value.fract() == 0.0)
}

/// Whether there are numbers, and no others than 0 and 1.
fn are_bits(values: &[f64]) -> bool {
    are_all(values, |value| value == 0.0 || value == 1.0)
}

fn are_all(values: &[f64], is: impl Fn(f64) -> bool) -> bool {
    let mut known = values.iter().copied().filter(|value| !value.is_nan()).peekable();
    known.peek().is_some() && known.all(is)
}
