//! Tracks, artists and the pages of a playlist.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A track as a playlist shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// Spotify id, 22 base-62 characters.
    pub id: String,
    /// Title, never empty.
    pub name: String,
    /// Credited artists, in the order of the credit.
    pub artists: Vec<ArtistRef>,
    /// Album title.
    pub album: Option<String>,
    /// Length in milliseconds (a float in some real answers).
    pub duration_ms: Option<f64>,
    /// International Standard Recording Code.
    pub isrc: Option<String>,
}

/// An artist as a track credits it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtistRef {
    /// Spotify id; local artists have none.
    pub id: Option<String>,
    /// Name as credited.
    pub name: String,
}

/// An artist with the genres that Spotify lists for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artist {
    /// Spotify id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Genres; empty where Spotify lists none or does not know the artist any more.
    pub genres: Vec<String>,
}

/// Why a row of a playlist did not become a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// `item`/`track` is null: removed from the catalogue.
    Removed,
    /// A file of the playlist's owner, unknown to Spotify.
    Local,
    /// A podcast episode.
    Episode,
    /// A track without an id.
    NoId,
    /// A track without a title, which no tag page can be found for.
    NoName,
    /// A track without a named artist, which no tag page can be found for.
    NoArtist,
    /// A row of none of the known forms.
    Unreadable,
    /// The same id as an earlier row of the run.
    Duplicate,
}

impl SkipReason {
    /// The name used in reports and in `summary.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Local => "local",
            Self::Episode => "episode",
            Self::NoId => "no_id",
            Self::NoName => "no_name",
            Self::NoArtist => "no_artist",
            Self::Unreadable => "unreadable",
            Self::Duplicate => "duplicate",
        }
    }
}

/// What one page of a playlist held. `rows == track_ids.len() + skipped.values().sum()`.
///
/// Natural key: (`run`, `playlist`, `offset`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlaylistPage {
    /// The run that asked for it.
    pub run: String,
    /// Playlist id.
    pub playlist: String,
    /// Index of the page's first row in the playlist.
    pub offset: u32,
    /// Rows of the whole playlist, where the page said so.
    pub total: Option<u32>,
    /// Whether the page named a next one; used where `total` is missing.
    pub has_next: bool,
    /// Rows on this page.
    pub rows: u32,
    /// Ids of the page's tracks in their order; the same id may come twice.
    pub track_ids: Vec<String>,
    /// Rows that are no tracks, by reason ([`SkipReason::Duplicate`] is not counted here: only a whole run can).
    pub skipped: BTreeMap<SkipReason, u32>,
    /// When it was fetched.
    pub fetched_at: Timestamp,
}
