//! A run: playlists on their way to a report.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::fleet::JobCounts;

/// One collection of playlists, remembered so that the same command goes on where it stopped.
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
    /// When the command that began it had nothing more to do; until then the same command goes on with it.
    pub finished_at: Option<Timestamp>,
    /// Why it could not go on, where it ended by that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// When somebody cancelled it; its jobs do nothing any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled_at: Option<Timestamp>,
    /// What was served in place of Spotify and last.fm; `None`: it asked the services themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stand_in: Option<StandIn>,
}

/// What stands in for Spotify and last.fm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StandIn {
    /// A file whose column of genres became labels; nothing was collected.
    File,
    /// A table of a person's own, served by a demo: tracks, audio features and genres are what it says.
    Table,
    /// The sample catalogue: songs, artists, tags and audio are invented.
    Sample,
}

/// What was collected, and what was not and why. Rows and `tracks_collected` are of one run, or of all; what was found out
/// about tracks is of the whole store.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Collection {
    /// Playlists read.
    pub playlists: usize,
    /// Rows of their pages: `tracks_collected` + all of `rows_skipped`.
    pub rows: usize,
    /// Playlists whose pages have more or fewer rows than the playlist says that it has: what it says, and what came.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rows_differ: BTreeMap<String, RowsDiffer>,
    /// Distinct tracks.
    pub tracks_collected: usize,
    /// Rows that are no new track, by reason ([`crate::track::SkipReason::as_str`]).
    pub rows_skipped: BTreeMap<String, usize>,
    /// Tracks with tags.
    pub tracks_tagged: usize,
    /// Tracks that last.fm knows and nobody tagged.
    pub tracks_without_tags: usize,
    /// Tracks that last.fm does not know.
    pub tracks_unknown_to_lastfm: usize,
    /// Tracks with audio features.
    pub tracks_with_features: usize,
    /// Part of these: tracks whose features lack some of the values.
    #[serde(default)]
    pub tracks_with_incomplete_features: usize,
    /// Tracks with segments.
    pub tracks_with_analysis: usize,
    /// Tracks with pitch columns.
    pub tracks_with_pitches: usize,
    /// Tracks whose segments make no pitch columns, by reason.
    pub pitches_rejected: BTreeMap<String, usize>,
    /// Parts of the API that this app may not call, with what Spotify said.
    pub refused: BTreeMap<String, String>,
    /// How jobs ended, by kind, as the workers counted them.
    pub jobs: BTreeMap<String, JobCounts>,
}

/// A playlist that is not what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowsDiffer {
    /// Rows that the playlist says it has.
    pub said: u32,
    /// Rows of its pages.
    pub came: u32,
}
