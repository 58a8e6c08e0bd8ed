//! Audio features, and the names of all 1,241 feature columns.

use serde::{Deserialize, Serialize};

/// Pitch classes in the order of a segment's 12 values.
pub const PITCH_CLASSES: [&str; 12] = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];

/// Time steps every track is resampled to.
pub const STEPS: usize = 100;

/// Pitch columns of a track: 12 × 100 resampled values and 12 × 2 extremes.
pub const PITCH_COLUMNS: usize = 12 * STEPS + 24;

/// The scalars of Spotify's audio-features object, in the order of [`AudioFeatures::values`].
pub const SCALARS: [&str; 13] = [
    "duration_ms",
    "danceability",
    "energy",
    "key",
    "loudness",
    "mode",
    "speechiness",
    "acousticness",
    "instrumentalness",
    "liveness",
    "valence",
    "tempo",
    "time_signature",
];

/// The confidences of an audio analysis, in the order of [`crate::analysis::Analysis::confidences`].
pub const CONFIDENCES: [&str; 4] =
    ["tempo_confidence", "key_confidence", "mode_confidence", "time_signature_confidence"];

/// Names of the 1,224 pitch columns: `C_0` … `C_99`, `C#_0` … `B_99`, then `C_max`, `C_min`, … `B_min`.
pub fn pitch_columns() -> Vec<String> {
    let steps = PITCH_CLASSES.iter().flat_map(|class| (0..STEPS).map(move |step| format!("{class}_{step}")));
    let extremes = PITCH_CLASSES.iter().flat_map(|class| [format!("{class}_max"), format!("{class}_min")]);
    steps.chain(extremes).collect()
}

/// Spotify's audio features of one track.
///
/// Natural key: `track_id`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioFeatures {
    /// Spotify id.
    pub track_id: String,
    /// Values in the order of [`SCALARS`]; `None` if Spotify has no features of the track. A single value is `None` if the
    /// response lacks it, or has something else than a number.
    pub values: Option<[Option<f64>; 13]>,
}

impl AudioFeatures {
    /// Whether Spotify has features of the track, but not all of them.
    pub fn is_incomplete(&self) -> bool {
        self.values.is_some_and(|values| values.contains(&None))
    }
}

/// The pitch columns of one track, or why there are none.
///
/// Natural key: `track_id`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrackPitches {
    /// Spotify id.
    pub track_id: String,
    /// [`PITCH_COLUMNS`] values in the order of [`pitch_columns`], or the named reason (`too_short`, `empty`, …).
    pub outcome: Result<Vec<f64>, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_1241_feature_columns() {
        let pitches = pitch_columns();
        assert_eq!(pitches.len() + SCALARS.len() + CONFIDENCES.len(), 1_241);
        assert_eq!((pitches[0].as_str(), pitches[1199].as_str()), ("C_0", "B_99"));
        assert_eq!((pitches[1200].as_str(), pitches[1223].as_str()), ("C_max", "B_min"));
    }
}
