//! A run: from playlists to a report.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::fleet::JobCounts;

/// One collection of playlists, stored so that repeating the command continues where it stopped.
///
/// Natural key: `id`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Unique.
    pub id: String,
    /// Playlist ids, sorted.
    pub playlists: Vec<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When its command had finished; until then, the same command continues it.
    pub finished_at: Option<Timestamp>,
    /// Why it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// When it was cancelled. Its jobs do nothing from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled_at: Option<Timestamp>,
    /// What stood in for Spotify and last.fm; `None`: it used the services themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stand_in: Option<StandIn>,
}

/// What stands in for Spotify and last.fm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StandIn {
    /// A file with a column of genres; nothing was collected.
    File,
    /// A user's table, served by the demo: tracks, audio features and genres come from it.
    Table,
    /// The sample catalogue: songs, artists, tags and audio are invented.
    Sample,
}

/// What was collected, and what was not and why. Rows and `tracks_collected` cover one run, or all runs; all else covers the
/// whole store.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CollectionSummary {
    /// Playlists read.
    pub playlists: usize,
    /// Rows of their pages: `tracks_collected` + all of `rows_skipped`.
    pub rows: usize,
    /// Playlists whose pages have more or fewer rows than the playlist states.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rows_differ: BTreeMap<String, RowCountMismatch>,
    /// Distinct tracks.
    pub tracks_collected: usize,
    /// Rows that are not a new track, by reason ([`crate::track::SkipReason::as_str`]).
    pub rows_skipped: BTreeMap<String, usize>,
    /// Tracks with tags.
    pub tracks_tagged: usize,
    /// Tracks that last.fm knows and nobody tagged.
    pub tracks_without_tags: usize,
    /// Tracks that last.fm does not know.
    pub tracks_unknown_to_lastfm: usize,
    /// Tracks with audio features.
    pub tracks_with_features: usize,
    /// Among these: tracks whose features lack some of the values.
    #[serde(default)]
    pub tracks_with_incomplete_features: usize,
    /// Tracks with segments.
    pub tracks_with_analysis: usize,
    /// Tracks with pitch columns.
    pub tracks_with_pitches: usize,
    /// Tracks whose segments cannot be turned into pitch columns, by reason.
    pub pitches_rejected: BTreeMap<String, usize>,
    /// Parts of the API that this app may not call, with what Spotify said.
    pub refused: BTreeMap<String, String>,
    /// How jobs ended, by kind, as the workers counted them.
    pub jobs: BTreeMap<String, JobCounts>,
}

/// The rows of a playlist, as stated and as received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCountMismatch {
    /// Rows that the playlist states.
    pub said: u32,
    /// Rows of all its pages.
    pub came: u32,
}
