//! What the columns of a file are: labels, features, ids, or nothing.

use super::error::{Fault, Unusable, some_of};
use super::table::UNNAMED;
use super::{ARTIST, DatasetError, Import, LABEL, SPLIT, TRACK_ID, Table};

/// Names, in small letters, of columns that number rows and may also be features.
const ROW_NUMBERS: [&str; 12] =
    ["index", "idx", "row", "rows", "row_number", "rownum", "row_nr", "rowid", "row_id", "#", "no", "nr"];

/// Names, in small letters and without signs, of columns of Spotify's ids in tables that people have.
const IDS: [&str; 7] =
    ["trackid", "trackuri", "spotifytrackid", "spotifytrackuri", "spotifyid", "spotifyuri", "songid"];

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
    pub(super) fn of(import: &'a Import) -> Self {
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
        let missing =
            |option, column: &str| DatasetError::NoColumn { option, column: column.to_owned(), there: some_of(&names) };
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

    /// The column of ids: `track_id`, or else the first whose name is known for one, which then is no feature.
    pub(super) fn find_id(&mut self, table: &Table) -> Option<String> {
        let is_known = |name: &&str| is_known_id(name) && self.is_feature(name) && self.has(table, name);
        let named = table.names().find(|name| *name == TRACK_ID && self.has(table, name));
        self.id = named.or_else(|| table.names().find(is_known)).map(str::to_owned);
        self.id.clone()
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
                some_of(&names)
            )));
        }
        labels.sort_unstable();
        match labels.windows(2).find(|two| two[0].0 == two[1].0) {
            Some(two) => Err(DatasetError::column(two[0].0, "is a label twice, with `label:` and without: remove one")),
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
            let is_feature = self.is_feature(name);
            if is_feature && is_nameless(name) {
                return Some(Fault::Nameless);
            }
            (is_feature && is_like_label(name)).then_some(Fault::LikeLabel)
        };
        table.names().filter_map(|name| Some(fault(name)?.at(name))).collect()
    }
}

/// Whether ids are in a column of this name if there is no `track_id`.
pub(super) fn is_known_id(name: &str) -> bool {
    let letters: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
    IDS.contains(&letters.to_lowercase().as_str())
}

/// A name that pandas, polars or R gives a column that has none.
fn is_nameless(name: &str) -> bool {
    name.starts_with(UNNAMED) || name.starts_with("__index_level_") || is_numbered(name, "...")
}

/// Characters that nobody sees, as they come along with a name that was copied from a page.
const INVISIBLE: [char; 6] = ['\u{ad}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}'];

/// `label` in other letters, behind characters that nobody sees, or parted from its name by another sign: `Label:pop`,
/// `labels_pop`, `label :pop`.
fn is_like_label(name: &str) -> bool {
    let name = name.replace(INVISIBLE, "").trim().to_lowercase();
    let Some(rest) = name.strip_prefix("label") else { return false };
    let rest = rest.strip_prefix('s').unwrap_or(rest);
    rest.is_empty() || rest.starts_with(|char: char| !char.is_alphanumeric())
}

/// Whether a column of this name is no feature if its values are different whole numbers.
pub(super) fn is_row_number(name: &str) -> bool {
    let name = name.to_lowercase();
    ROW_NUMBERS.contains(&name.as_str()) || is_numbered(&name, "level_")
}

fn is_numbered(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}
