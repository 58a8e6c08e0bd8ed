//! Tags, their canonical form and the cut to labels.

mod canonical;
mod cut;
mod rules;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::track::Track;

pub use canonical::{RULES_VERSION, canonical, canonical_tags, is_listed};

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

/// Where tags came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TagSource {
    /// The tag page.
    Page,
    /// `track.getTopTags`.
    Api,
}

/// The tags of one track. Natural key: `track_id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaggedTrack {
    /// Spotify id.
    pub track_id: String,
    /// What was found.
    pub outcome: TagsOutcome,
    /// Where.
    pub source: TagSource,
    /// Canonical tags, made on write by the rules of version [`TaggedTrack::rules`]; strongest first, no repeats.
    pub canonical: Vec<String>,
    /// Version of the rules that made them.
    pub rules: u32,
    /// When.
    pub fetched_at: Timestamp,
}

impl TaggedTrack {
    /// What was found about a track just now, with its canonical tags, which leave out the track's artists.
    pub fn new(track: &Track, outcome: &TagsOutcome, source: TagSource) -> Self {
        let canonical = match outcome {
            TagsOutcome::Tags(tags) => canonical_tags(tags, &track.artists),
            TagsOutcome::NoTags | TagsOutcome::UnknownTrack => Vec::new(),
        };
        let (track_id, outcome, fetched_at) = (track.id.clone(), outcome.clone(), Timestamp::now());
        Self { track_id, outcome, source, canonical, rules: RULES_VERSION, fetched_at }
    }
}

/// How canonical tags become labels: the `top` most frequent without `excluded`, and `misc` for tracks that have tags
/// but none of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cut {
    /// How many tags become labels.
    pub top: usize,
    /// Canonical tags that never become labels, nor count towards misc.
    pub excluded: Vec<String>,
    /// Name of the label for everything else.
    pub misc: String,
}

impl Default for Cut {
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
