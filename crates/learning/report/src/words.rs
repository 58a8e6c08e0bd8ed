//! Numbers and reasons as people read them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use model::dataset::DatasetInfo;
use model::run::{RowCountMismatch, StandIn};

/// Names that a sentence lists.
const MAX_NAMES_LISTED: usize = 8;

/// What the rows and labels of a dataset are called: a table from elsewhere need not be of music.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// One row.
    pub row: &'static str,
    /// Rows.
    pub rows: &'static str,
    /// One label.
    pub label: &'static str,
    /// Labels.
    pub labels: &'static str,
}

impl Words {
    /// Those of a dataset that was collected here, or of one from a file.
    pub fn of(info: &DatasetInfo) -> Self {
        match (is_collected(info), &info.label_selection) {
            (true, _) => Self { row: "track", rows: "tracks", label: "genre", labels: "genres" },
            // A file with a column of genres: of songs, films or books.
            (false, Some(_)) => Self { row: "row", rows: "rows", label: "genre", labels: "genres" },
            (false, None) => Self { row: "row", rows: "rows", label: "label", labels: "labels" },
        }
    }
}

/// Whether the rows are tracks that were collected here; a file may be of anything, even where its labels were cut from a
/// column of genres.
pub fn is_collected(info: &DatasetInfo) -> bool {
    info.label_selection.is_some() && info.stand_in != Some(StandIn::File)
}

/// The first names, and how many more.
pub fn listed(names: &[String]) -> String {
    model::explain::join_first(names, MAX_NAMES_LISTED)
}

/// 10702 as "10,702".
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|g| std::str::from_utf8(g).unwrap_or_default()).collect();
    groups.join(",")
}

/// A line for each playlist that is not what it says.
pub fn differing(playlists: &BTreeMap<String, RowCountMismatch>) -> impl Iterator<Item = String> + '_ {
    let line = |(playlist, rows): (&String, &RowCountMismatch)| {
        let [said, came] = [rows.said, rows.came].map(|rows| thousands(rows as usize));
        format!("playlist {playlist} has {said} rows according to Spotify, but {came} were received")
    };
    playlists.iter().map(line)
}

/// What a reason's name means, for tracks of the services or of what stood in for them.
pub fn reason<'n>(name: &'n str, info: &DatasetInfo) -> Cow<'n, str> {
    let excluded = info.label_selection.as_ref().map_or(&[][..], |label_selection| &label_selection.excluded);
    match (name, info.stand_in) {
        ("no_id", Some(StandIn::Table)) => "a row without a track URI".into(),
        ("no_tags" | "unknown_track", Some(StandIn::Table)) => "its Genres cell is empty".into(),
        ("no_audio_features", Some(StandIn::Table)) => "its row lacks some of the audio features".into(),
        ("only_excluded_tags", _) if !excluded.is_empty() => {
            format!("tagged only with excluded genres ({})", listed(excluded)).into()
        }
        _ => reason_of_services(name).into(),
    }
}

fn reason_of_services(name: &str) -> &str {
    match name {
        "removed" => "removed from Spotify's catalogue",
        "local" => "a local file of the playlist's owner",
        "episode" => "a podcast episode",
        "no_id" => "a track without an ID",
        "odd_id" => "a track whose ID is not a Spotify ID",
        "no_name" => "a track without a title",
        "no_artist" => "a track without a named artist",
        "unreadable" => "a row in an unknown format",
        "duplicate" => "a duplicate track",
        "not_looked_up" => "tags not looked up yet",
        "no_genre_given" => "the table has no genre for it",
        "no_tags" => "no tags on last.fm",
        "unknown_track" => "unknown to last.fm",
        "no_genre" => "none of its tags is a genre",
        "only_excluded_tags" => "tagged only with excluded genres",
        "no_audio_features" => "Spotify has no audio features for it",
        "incomplete_audio_features" => "some of its audio features are missing",
        "no_pitches" => "its audio analysis is missing or unreadable",
        "no_confidences" => "its audio analysis has no confidences",
        "audio_features_not_fetched" => "its audio features were not fetched",
        "not_finite" | "pitches_not_finite" => "its segments contain values that are not finite",
        "not_ascending" | "pitches_not_ascending" => "its segments are out of order",
        "start_out_of_range" | "pitches_start_out_of_range" => "a segment starts before 0",
        "too_short" | "pitches_too_short" => "its segments are too short for 100 steps",
        "empty" | "pitches_empty" => "its analysis has no segments",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_are_told_apart() {
        assert_eq!([7, 999, 1_000, 1_234_567].map(super::thousands), ["7", "999", "1,000", "1,234,567"]);
    }
}
