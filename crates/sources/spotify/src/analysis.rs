//! Audio analyses.

use model::analysis::{Analysis, Segment, TrackAnalysis};
use model::audio::CONFIDENCES;
use model::explain;
use serde::Deserialize;
use serde_json::Value;

use crate::{Client, Error, Unreadable, json};

impl Client {
    /// The audio analysis of a track. Its `analysis` is `None` if Spotify has none.
    pub async fn audio_analysis(&self, id: &str) -> Result<TrackAnalysis, Error> {
        let what = format!("the audio analysis of track {id}");
        let analysis = match self.get_one(&what, "audio-analysis", id).await {
            Ok(body) => Some(read_analysis(&body).map_err(|why| Error::unreadable(&what, why))?),
            Err(Error::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(TrackAnalysis { track_id: id.to_owned(), analysis })
    }
}

/// The parts of a document that are used; bars, beats, tatums, sections and fingerprints are skipped.
#[derive(Deserialize)]
struct Document {
    /// Some programs save the document wrapped in this field.
    audio_analysis: Option<Box<Document>>,
    segments: Option<Vec<RawSegment>>,
    track: Option<RawTrack>,
}

/// Fields are raw JSON at first, so that an error can name the segment and the field.
#[derive(Default, Deserialize)]
#[serde(default)]
struct RawSegment {
    start: Value,
    duration: Value,
    confidence: Value,
    loudness_start: Value,
    loudness_max: Value,
    loudness_max_time: Value,
    loudness_end: Value,
    pitches: Value,
    timbre: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawTrack {
    tempo_confidence: Value,
    key_confidence: Value,
    mode_confidence: Value,
    time_signature_confidence: Value,
}

/// Reads an audio-analysis document: Spotify's of any year, wrapped in `audio_analysis` or not, without its `meta` or
/// `track`, with integers for floats, or the Echo Nest's of 2010. An error names the segment's index and the field.
pub fn read_analysis(bytes: &[u8]) -> Result<Analysis, Unreadable> {
    let bytes = json::without_bom(bytes);
    let document: Document = serde_json::from_slice(bytes).map_err(|error| invalid_json(&error, bytes))?;
    let document = match document {
        Document { audio_analysis: Some(wrapped), .. } => *wrapped,
        plain => plain,
    };
    let segments = document.segments.ok_or_else(|| Unreadable("it has no `segments`".into()))?;
    let segments = segments
        .iter()
        .enumerate()
        .map(|(index, segment)| read_segment(segment).map_err(|why| Unreadable(format!("segment {index}: {why}"))));
    Ok(Analysis {
        segments: segments.collect::<Result<_, _>>()?,
        confidences: document.track.as_ref().and_then(read_confidences),
    })
}

/// JSON has only finite numbers, but Python writes others all the same.
fn invalid_json(error: &serde_json::Error, bytes: &[u8]) -> Unreadable {
    let place = bytes.split(|byte| *byte == b'\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let at = error.column().saturating_sub(1).min(place.len());
    let found = &place[at..];
    let is_number = [&b"NaN"[..], b"Infinity", b"nfinity", b"aN"].iter().any(|word| found.starts_with(word));
    if is_number || error.to_string().starts_with("number out of range") {
        return Unreadable(format!("not_finite: a value at line {} is not a finite number", error.line()));
    }
    Unreadable(explain::utf8_text(bytes).map_or_else(str::to_owned, |_| explain::json(error)))
}

fn read_segment(raw: &RawSegment) -> Result<Segment, String> {
    Ok(Segment {
        start: optional_number("start", &raw.start)?.ok_or("it has no `start`")?,
        duration: optional_number("duration", &raw.duration)?,
        confidence: optional_number("confidence", &raw.confidence)?,
        loudness_start: optional_number("loudness_start", &raw.loudness_start)?,
        loudness_max: optional_number("loudness_max", &raw.loudness_max)?,
        loudness_max_time: optional_number("loudness_max_time", &raw.loudness_max_time)?,
        loudness_end: optional_number("loudness_end", &raw.loudness_end)?,
        pitches: twelve_numbers("pitches", &raw.pitches)?.ok_or("it has no `pitches`")?,
        timbre: twelve_numbers("timbre", &raw.timbre)?,
    })
}

fn optional_number(field: &str, value: &Value) -> Result<Option<f64>, String> {
    match value {
        Value::Null => Ok(None),
        value => value.as_f64().map(Some).ok_or_else(|| format!("its `{field}` is not a number")),
    }
}

fn twelve_numbers(field: &str, value: &Value) -> Result<Option<[f64; 12]>, String> {
    let values = match value {
        Value::Null => return Ok(None),
        Value::Array(values) => values,
        _ => return Err(format!("its `{field}` is not a list")),
    };
    let numbers: Option<Vec<f64>> = values.iter().map(Value::as_f64).collect();
    let numbers = numbers.ok_or_else(|| format!("its `{field}` holds something that is not a number"))?;
    let count = numbers.len();
    let twelve = numbers.try_into().map_err(|_| format!("its `{field}` holds {count} values instead of 12"))?;
    Ok(Some(twelve))
}

/// In the order of [`CONFIDENCES`]; all four, or none.
fn read_confidences(track: &RawTrack) -> Option<[f64; CONFIDENCES.len()]> {
    Some([
        track.tempo_confidence.as_f64()?,
        track.key_confidence.as_f64()?,
        track.mode_confidence.as_f64()?,
        track.time_signature_confidence.as_f64()?,
    ])
}
