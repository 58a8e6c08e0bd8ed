//! The audio analysis of a sample track: chords of its genres in its key, made anew whenever it is asked for.

use serde::Serialize;
use serde_json::{Value, json};

use super::genre::Genre;
use super::scalars::{MAIN_WEIGHT, blend, round};
use crate::random::Random;

/// What an analysis is made of; a few bytes instead of half a megabyte.
#[derive(Debug, Clone)]
pub(crate) struct Sound {
    pub seed: u64,
    pub genres: Vec<&'static Genre>,
    /// The track's audio features, in the order of [`model::audio::SCALARS`].
    pub scalars: [f64; 13],
    pub form: Document,
}

/// The forms in which real documents come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Document {
    Plain,
    /// Under a key `audio_analysis`.
    Wrapped,
    /// Whole numbers without a decimal point: `"start": 0`.
    Integers,
    /// The segments of the last part alone, which leave fewer than a hundred bins.
    Short,
}

#[derive(Serialize)]
struct Segment {
    start: f64,
    duration: f64,
    confidence: f64,
    loudness_start: f64,
    loudness_max_time: f64,
    loudness_max: f64,
    /// On the last segment only, as in real documents.
    #[serde(skip_serializing_if = "Option::is_none")]
    loudness_end: Option<f64>,
    pitches: [f64; 12],
    timbre: [f64; 12],
}

impl Sound {
    pub(crate) fn is_short(&self) -> bool {
        self.form == Document::Short
    }

    /// The document, as JSON.
    pub(crate) fn document(&self) -> String {
        let mut random = Random::new(self.seed, "analysis");
        let track = self.track(&mut random);
        let mut segments = self.segments(&mut random);
        if self.is_short() {
            segments.drain(..segments.len() / 2);
        }
        let document = Parts {
            meta: json!({"analyzer_version": "4.0.0", "platform": "Linux", "detailed_status": "OK", "status_code": 0}),
            track,
            segments,
        };
        let written = match self.form {
            Document::Plain | Document::Short => serde_json::to_string(&document),
            Document::Wrapped => serde_json::to_string(&json!({"audio_analysis": document})),
            Document::Integers => serde_json::to_value(&document).map(|value| whole_as_integers(value).to_string()),
        };
        written.expect("a document is plain data")
    }

    fn seconds(&self) -> f64 {
        round(self.scalars[0] / 1000.0, 5)
    }

    /// The `track` part: the same key, mode and tempo as the audio features, with confidences.
    fn track(&self, random: &mut Random) -> Value {
        let [_, _, energy, key, loudness, mode, .., tempo, time_signature] = self.scalars;
        let steady = blend(&self.genres, |genre| genre.sound.danceability);
        let tonal = 1.0 - blend(&self.genres, |genre| genre.haze);
        let mut confidence = |mean: f64| round(random.normal(mean, 0.17).clamp(0.0, 1.0), 3);
        json!({
            "num_samples": (self.seconds() * 22_050.0) as u64, "duration": self.seconds(),
            "offset_seconds": 0, "window_seconds": 0, "analysis_sample_rate": 22_050, "analysis_channels": 1,
            "loudness": loudness,
            "tempo": tempo, "tempo_confidence": confidence(steady * 0.8),
            "time_signature": time_signature as i64, "time_signature_confidence": confidence(0.6 + energy * 0.35),
            "key": key as i64, "key_confidence": confidence(tonal - 0.3),
            "mode": mode as i64, "mode_confidence": confidence(tonal - 0.35),
        })
    }

    /// Contiguous from 0.0 to the track's end, 150 to 700 of them.
    fn segments(&self, random: &mut Random) -> Vec<Segment> {
        let density = blend(&self.genres, |genre| genre.density);
        let count = ((self.seconds() * density * random.between(0.85, 1.15)) as usize).clamp(150, 700);
        let weights: Vec<f64> = (0..count).map(|_| random.between(0.3, 1.7)).collect();
        let scale = self.seconds() / weights.iter().sum::<f64>();
        let mut end = 0.0;
        let ends = weights.iter().map(|weight| {
            end += weight * scale;
            round(end, 5)
        });
        let mut start = 0.0;
        let mut segments: Vec<Segment> = ends
            .map(|end| {
                let segment = self.segment(start, round(end - start, 5), random);
                start = end;
                segment
            })
            .collect();
        if let Some(last) = segments.last_mut() {
            last.loudness_end = Some(-60.0);
        }
        segments
    }

    fn segment(&self, start: f64, duration: f64, random: &mut Random) -> Segment {
        let loudness = self.scalars[4];
        let peak = round(random.normal(loudness + 2.0, 2.0).min(0.0), 3);
        let mut timbre = [0.0; 12];
        for (index, value) in timbre.iter_mut().enumerate() {
            let bright = if index == 0 { 50.0 + loudness } else { self.scalars[2] * 40.0 - 20.0 };
            *value = round(random.normal(bright, 60.0 / (1.0 + index as f64)), 3);
        }
        Segment {
            start,
            duration,
            confidence: round(random.uniform(), 3),
            loudness_start: round(peak - random.between(1.0, 14.0), 3),
            loudness_max_time: round(random.between(0.01, 0.9) * duration, 5),
            loudness_max: peak,
            loudness_end: None,
            pitches: self.pitches(start, random),
            timbre,
        }
    }

    /// A chord over the haze, sometimes a drum stroke that has no pitch; the strongest class is 1.0.
    fn pitches(&self, start: f64, random: &mut Random) -> [f64; 12] {
        let haze = blend(&self.genres, |genre| genre.haze);
        let mut pitches = [0.0; 12];
        if random.chance(0.3 * haze) {
            pitches.fill_with(|| random.between(0.35, 1.0));
        } else {
            pitches.fill_with(|| haze * random.between(0.2, 1.8));
            let (root, tones) = self.chord_at(start);
            for tone in tones {
                let strength = if *tone == 0 { 0.7 } else { 0.4 };
                pitches[(root + usize::from(*tone)) % 12] = random.between(strength, 1.0);
            }
            // A note of the melody; any step above the root.
            pitches[(root + random.below(12)) % 12] += random.between(0.0, 0.6);
        }
        let loudest = pitches.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        pitches.map(|pitch| round(pitch / loudest, 3))
    }

    /// One chord a bar; blended songs change their genre every eight bars.
    fn chord_at(&self, start: f64) -> (usize, &'static [u8]) {
        let [.., tempo, beats] = self.scalars;
        let bar = (start * tempo / 60.0 / beats) as usize;
        let section = (self.seed % 1000) as f64 / 1000.0 + (bar / 8) as f64 * 0.381_966;
        let genre = match section.fract() {
            place if place < MAIN_WEIGHT || self.genres.len() == 1 => self.genres[0],
            place => self.genres[1 + (place * 1000.0) as usize % (self.genres.len() - 1)],
        };
        let (root, tones) = genre.progression[bar % genre.progression.len()];
        let key = self.scalars[3].max(0.0) as usize;
        ((key + usize::from(root)) % 12, tones)
    }
}

#[derive(Serialize)]
struct Parts {
    meta: Value,
    track: Value,
    segments: Vec<Segment>,
}

fn whole_as_integers(value: Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 => json!(float as i64),
            _ => Value::Number(number),
        },
        Value::Array(items) => items.into_iter().map(whole_as_integers).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, whole_as_integers(value))).collect(),
        other => other,
    }
}
