//! Tags, their canonical form and the cut to labels.

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
    /// 0 to 100 where the API said so; pages only rank.
    pub count: Option<u32>,
}

/// What last.fm says of a track: three different facts (an unknown one is not stored).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TagsOutcome {
    /// At least one tag, strongest first.
    Tags(Vec<Tag>),
    /// The track is known and nobody tagged it.
    NoTags,
    /// last.fm does not know the track.
    UnknownTrack,
}

impl TagsOutcome {
    /// The outcome in a word.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Tags(_) => "tags",
            Self::NoTags => "no_tags",
            Self::UnknownTrack => "unknown_track",
        }
    }
}

/// How canonical tags become labels: the `top` most frequent without `excluded`, and `misc` for tracks that have tags
/// but none of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LabelSelection {
    /// How many tags become labels.
    pub top: usize,
    /// Canonical tags that never become labels, nor count towards misc.
    pub excluded: Vec<String>,
    /// Name of the label for everything else.
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

/// All labelled tracks, and what the cut left behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelledTracks {
    /// Rows, sorted by track id.
    pub tracks: Vec<LabelledTrack>,
    /// Tracks by canonical tag before the cut, most frequent first, ties by name.
    pub tag_counts: Vec<(String, usize)>,
    /// Tracks whose only tags are excluded ones.
    pub only_excluded: usize,
    /// Tracks whose tags are all no genres.
    pub no_genre: usize,
}
