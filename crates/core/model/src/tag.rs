//! Tags, their canonical form, and the selection of labels.

mod canonical;
mod label_selection;
mod rules;
mod spelling;
mod tagged;

use serde::{Deserialize, Serialize};

pub use canonical::{RULES_VERSION, canonical, canonical_tags, is_listed};
pub use tagged::{TagSource, TaggedTrack};

/// A tag as last.fm gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// As written by its users.
    pub name: String,
    /// 0 to 100, from the API; pages only rank tags.
    pub count: Option<u32>,
}

/// The tags of a track at last.fm. A page that was not understood is none of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TagsOutcome {
    /// At least one tag, strongest first.
    Tags(Vec<Tag>),
    /// The track is known and has no tags.
    NoTags,
    /// last.fm does not know the track.
    UnknownTrack,
}

impl TagsOutcome {
    /// The name used in tables and JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Tags(_) => "tags",
            Self::NoTags => "no_tags",
            Self::UnknownTrack => "unknown_track",
        }
    }
}

/// How labels are selected from canonical tags: the `top` most frequent, without `excluded`, and `misc` for tracks that have
/// tags but none of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LabelSelection {
    /// How many tags become labels.
    pub top: usize,
    /// Canonical tags that never become labels, nor count towards misc.
    pub excluded: Vec<String>,
    /// Name of the label for all other tags.
    pub misc: String,
}

impl Default for LabelSelection {
    fn default() -> Self {
        Self { top: 9, excluded: vec!["rock".into()], misc: "misc".into() }
    }
}

/// A track with its labels; a row of the view `labelled_tracks`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelledTrack {
    /// Spotify id.
    pub track_id: String,
    /// Labels, sorted; never empty.
    pub labels: Vec<String>,
}

/// All labelled tracks, and what the label selection left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelledTracks {
    /// Rows, sorted by track id.
    pub tracks: Vec<LabelledTrack>,
    /// Number of tracks with each canonical tag, most frequent first, ties by name.
    pub tag_counts: Vec<(String, usize)>,
    /// Tracks whose only tags are excluded ones.
    pub only_excluded: usize,
    /// Tracks none of whose tags is a genre.
    pub no_genre: usize,
}
