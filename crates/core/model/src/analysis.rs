//! Audio analysis: the segments of a track, kept without loss.

use serde::{Deserialize, Serialize};

/// A section of roughly constant sound, 60 ms to a few seconds long, from Spotify's (formerly the Echo Nest's) audio analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Seconds from the start of the track.
    pub start: f64,
    /// Seconds.
    pub duration: Option<f64>,
    /// 0 to 1.
    pub confidence: Option<f64>,
    /// Decibels at the onset.
    pub loudness_start: Option<f64>,
    /// Peak decibels.
    pub loudness_max: Option<f64>,
    /// Seconds from the segment's start to the peak.
    pub loudness_max_time: Option<f64>,
    /// Decibels at the end; real documents have it only for the last segment.
    pub loudness_end: Option<f64>,
    /// Strength of each pitch class, 0 to 1, in the order of [`crate::audio::PITCH_CLASSES`].
    pub pitches: [f64; 12],
    /// Timbre coefficients.
    pub timbre: Option<[f64; 12]>,
}

/// The parts of an audio-analysis document that are kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// Segments in the order of the document.
    pub segments: Vec<Segment>,
    /// Values in the order of [`crate::audio::CONFIDENCES`]; documents without a `track` part have none.
    pub confidences: Option<[f64; 4]>,
}

/// The analysis of one track, or the fact that Spotify has none (404).
///
/// Natural key: `track_id`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrackAnalysis {
    /// Spotify id.
    pub track_id: String,
    /// `None`: Spotify has no analysis of this track.
    pub analysis: Option<Analysis>,
}
