//! A track with its tags.

use serde::{Deserialize, Serialize};

use super::TagsOutcome;
use super::canonical::{RULES_VERSION, canonical_tags};
use crate::Timestamp;
use crate::track::Track;

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
