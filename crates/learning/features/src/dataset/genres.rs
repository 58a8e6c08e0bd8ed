//! Labels from a column of genres.

mod entities;
mod parse_cell;
mod separator;

use std::collections::BTreeMap;

use model::dataset::DatasetInfo;
use model::tag::{LabelSelection, LabelledTrack, LabelledTracks, Tag, canonical_tags};
use model::track::ArtistRef;

use super::{DatasetError, Table, copies};

pub use separator::Separator;

/// A column whose cells are the genres of a row: a list of Python or JSON, or with a separator between them; or one of
/// Parquet's lists of texts.
#[derive(Debug, Clone)]
pub struct GenreColumn {
    /// Its name.
    pub name: String,
    /// What is between genres where a cell is no list; `None`: it is found out.
    pub separator: Option<Separator>,
    /// How their canonical forms become labels.
    pub label_selection: LabelSelection,
}

/// The tracks of a table that have labels.
pub(super) struct Genres {
    /// For each track its rows in the table.
    pub(super) rows: Vec<Vec<usize>>,
    /// For each track its labels, sorted.
    pub(super) labels: Vec<Vec<String>>,
    /// How they were made.
    pub(super) origin: LabelOrigin,
    /// What a person should know, in sentences.
    pub(super) notes: Vec<String>,
}

/// How labels were made of genres, and what was lost.
#[derive(Debug, Clone)]
pub(super) struct LabelOrigin {
    dropped: BTreeMap<String, usize>,
    tags_before: Vec<(String, usize)>,
    label_selection: LabelSelection,
}

impl LabelOrigin {
    pub(super) fn complete(&self, info: DatasetInfo) -> DatasetInfo {
        let Self { dropped, tags_before, label_selection } = self.clone();
        DatasetInfo { dropped, tags_before, label_selection: Some(label_selection), ..info }
    }
}

impl Genres {
    /// Makes labels of genres by the rules for tags that were collected. All rows of a track are one, with all its genres.
    pub(super) fn of(
        table: &Table,
        column: &GenreColumn,
        track_ids: &[String],
        artists: &[String],
    ) -> Result<Self, DatasetError> {
        let name = column.name.trim();
        let (genres, mut notes) = genres(table, name, column.separator.as_ref())?;
        let mut rows_of: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        copies::first_rows(track_ids).into_iter().enumerate().for_each(|(row, first)| {
            rows_of.entry(first).or_default().push(row);
        });
        let tracks = rows_of.len();
        let mut dropped = BTreeMap::new();
        let mut tagged = Vec::new();
        for (first, rows) in &rows_of {
            let tag = |name: &String| Tag { name: name.clone(), count: None };
            let tags: Vec<Tag> = rows.iter().flat_map(|&row| &genres[row]).map(tag).collect();
            let artist = ArtistRef { id: None, name: artists[*first].clone() };
            match tags.is_empty() {
                true => *dropped.entry("no_genre_given".to_owned()).or_default() += 1,
                false => tagged.push((track_ids[*first].clone(), canonical_tags(&tags, &[artist]))),
            }
        }
        let LabelledTracks { tracks: labelled, tag_counts, only_excluded, no_genre } =
            LabelledTracks::select(&tagged, &column.label_selection);
        let others = [("only_excluded_tags", only_excluded), ("no_genre", no_genre)];
        dropped.extend(others.into_iter().filter(|(_, n)| *n > 0).map(|(reason, n)| (reason.to_owned(), n)));
        if labelled.is_empty() {
            return Err(DatasetError::Lacks(format!("row with a genre in `{name}` that can be a label")));
        }
        let mut labels: BTreeMap<String, Vec<String>> =
            labelled.into_iter().map(|LabelledTrack { track_id, labels }| (track_id, labels)).collect();
        let labelled = rows_of.into_iter().filter_map(|(first, rows)| Some((rows, labels.remove(&track_ids[first])?)));
        let (rows, labels) = labelled.unzip();
        let origin = LabelOrigin { dropped, tags_before: tag_counts, label_selection: column.label_selection.clone() };
        notes.extend(left_out(&origin, tracks, tracks < track_ids.len()));
        Ok(Self { rows, labels, origin, notes })
    }

    /// The values of a feature, each track's of its first row that has one.
    pub(super) fn values(&self, of_rows: &[f64]) -> Vec<f64> {
        let first = |rows: &Vec<usize>| rows.iter().map(|&row| of_rows[row]).find(|value| !value.is_nan());
        self.rows.iter().map(|rows| first(rows).unwrap_or(f64::NAN)).collect()
    }

    /// What was joined by the column of ids; `features` are columns of the table.
    pub(super) fn joined(&self, id: &str, features: &[Vec<f64>]) -> Option<String> {
        let several: Vec<&Vec<usize>> = self.rows.iter().filter(|rows| rows.len() > 1).collect();
        if several.is_empty() {
            return None;
        }
        let differs = |rows: &&&Vec<usize>| features.iter().any(|values| differ(values, rows));
        let differing = match several.iter().filter(differs).count() {
            0 => String::new(),
            n => format!("; the features of {n} differ from row to row: the first row's were taken"),
        };
        let (rows, tracks) = (several.iter().map(|rows| rows.len()).sum::<usize>(), several.len());
        Some(format!("{rows} rows were joined by `{id}` into {tracks}, one a track with all its genres{differing}"))
    }
}

/// The genres of each row, and what has to be said about how they were read.
fn genres(
    table: &Table,
    column: &str,
    separator: Option<&Separator>,
) -> Result<(Vec<Vec<String>>, Vec<String>), DatasetError> {
    if let Some(lists) = table.lists(column) {
        let genres = lists.map(|list| parse_cell::names(list.into_iter())).collect();
        return Ok((genres, separator::without_use(column, separator)));
    }
    let no_texts = "holds neither texts nor lists of texts: write the names of genres into it, or name another column";
    let cells = table.texts(column).map_err(|_| DatasetError::column(column, no_texts))?;
    separator::genres(column, &cells, &table.places(), separator)
}

fn differ(values: &[f64], rows: &[usize]) -> bool {
    let mut known = rows.iter().map(|&row| values[row]).filter(|value| !value.is_nan());
    known.next().is_some_and(|first| known.any(|value| value != first))
}

/// What was left out of how many rows, or of as many tracks where these have several.
fn left_out(origin: &LabelOrigin, all: usize, are_joined: bool) -> Option<String> {
    let excluded = origin.label_selection.excluded.join(", ");
    let words = |(reason, n): (&String, &usize)| match reason.as_str() {
        "no_genre_given" => format!("{n} without a genre"),
        "only_excluded_tags" => format!("{n} with excluded genres only ({excluded})"),
        _ => format!("{n} with words that are no genres"),
    };
    let left_out: usize = origin.dropped.values().sum();
    let words: Vec<String> = origin.dropped.iter().map(words).collect();
    let things = if are_joined { "tracks" } else { "rows" };
    (left_out > 0).then(|| format!("{left_out} of {all} {things} were left out: {}", words.join(", ")))
}
