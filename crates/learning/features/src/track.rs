//! The row of a track: the only way from what is stored of a track to the features of a model, both when a dataset is built
//! and when a track is predicted.

use std::collections::HashMap;
use std::fmt;

use model::audio::{AudioFeatures, CONFIDENCES, SCALARS, TrackPitches, pitch_columns};

/// What is stored of a track; `None` for parts that are not stored.
#[derive(Debug, Clone, Copy, Default)]
pub struct TrackParts<'a> {
    /// Its pitch columns, or why there are none.
    pub pitches: Option<&'a TrackPitches>,
    /// Its audio features.
    pub features: Option<&'a AudioFeatures>,
    /// In the order of [`CONFIDENCES`].
    pub confidences: Option<&'a [f64; 4]>,
}

/// Feature columns that are computed from stored tracks.
#[derive(Debug, Clone)]
pub struct TrackColumns {
    names: Vec<String>,
    sources: Vec<ColumnSource>,
}

/// Where the value of a column comes from: the part of a track, and the index within it.
#[derive(Debug, Clone, Copy)]
enum ColumnSource {
    Pitch(usize),
    Scalar(usize),
    Confidence(usize),
}

/// Why a track has no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingData {
    /// The first part of it that lacks a value: pitches, then audio features, then confidences.
    pub reason: MissingReason,
    /// Columns without a value.
    pub columns: usize,
    /// The first of them.
    pub first: String,
}

/// Which part of a track is missing. Its text is the word that dropped tracks are counted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MissingReason {
    /// Pitches were not computed.
    NoPitches,
    /// Pitches cannot be computed, for this reason.
    Pitches(String),
    /// Its audio features were not fetched.
    FeaturesNotFetched,
    /// It has no audio features.
    NoFeatures,
    /// It has audio features, but not all of them.
    IncompleteFeatures,
    /// It has no confidences.
    NoConfidences,
}

impl fmt::Display for MissingReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPitches => f.write_str("no_pitches"),
            Self::Pitches(reason) => write!(f, "pitches_{reason}"),
            Self::FeaturesNotFetched => f.write_str("audio_features_not_fetched"),
            Self::NoFeatures => f.write_str("no_audio_features"),
            Self::IncompleteFeatures => f.write_str("incomplete_audio_features"),
            Self::NoConfidences => f.write_str("no_confidences"),
        }
    }
}

impl TrackColumns {
    /// The columns of these names, in this order; none if tracks do not have one of them.
    pub fn from_names(names: Vec<String>) -> Option<Self> {
        let pitches = pitch_columns();
        let named = |names: &'static [&'static str], variant: fn(usize) -> ColumnSource| {
            names.iter().enumerate().map(move |(at, name)| (*name, variant(at)))
        };
        let mut known: HashMap<&str, ColumnSource> = HashMap::new();
        known.extend(pitches.iter().enumerate().map(|(at, name)| (name.as_str(), ColumnSource::Pitch(at))));
        known.extend(named(&SCALARS, ColumnSource::Scalar).chain(named(&CONFIDENCES, ColumnSource::Confidence)));
        let sources = names.iter().map(|name| known.get(name.as_str()).copied()).collect::<Option<_>>()?;
        Some(Self { names, sources })
    }

    /// Their names.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Appends a track's row.
    ///
    /// # Errors
    /// What it lacks; nothing is appended then.
    pub fn append(&self, track: TrackParts<'_>, row: &mut Vec<f64>) -> Result<(), MissingData> {
        self.check(track)?;
        row.extend(self.sources.iter().filter_map(|source| source.value(track)));
        Ok(())
    }

    /// Whether a track has a row.
    ///
    /// # Errors
    /// What it lacks.
    pub fn check(&self, track: TrackParts<'_>) -> Result<(), MissingData> {
        if self.sources.iter().all(|source| source.value(track).is_some()) { Ok(()) } else { Err(self.lack(track)) }
    }

    /// What a track without a row lacks.
    fn lack(&self, track: TrackParts<'_>) -> MissingData {
        let missing = || self.sources.iter().zip(&self.names).filter(|(source, _)| source.value(track).is_none());
        let (source, _) = missing().min_by_key(|(source, _)| source.part()).expect("a value is missing");
        let (_, first) = missing().next().expect("a value is missing");
        MissingData { reason: source.reason(track), columns: missing().count(), first: first.clone() }
    }
}

impl ColumnSource {
    /// The order in which parts are reported as missing.
    fn part(self) -> usize {
        match self {
            Self::Pitch(_) => 0,
            Self::Scalar(_) => 1,
            Self::Confidence(_) => 2,
        }
    }

    fn value(self, track: TrackParts<'_>) -> Option<f64> {
        match self {
            Self::Pitch(at) => track.pitches?.outcome.as_ref().ok()?.get(at).copied(),
            Self::Scalar(at) => track.features?.values.as_ref()?[at],
            Self::Confidence(at) => track.confidences.map(|values| values[at]),
        }
    }

    /// Why there is no value.
    fn reason(self, track: TrackParts<'_>) -> MissingReason {
        match self {
            Self::Pitch(_) => match track.pitches.map(|pitches| &pitches.outcome) {
                Some(Err(reason)) => MissingReason::Pitches(reason.clone()),
                _ => MissingReason::NoPitches,
            },
            Self::Scalar(_) => match track.features.map(|features| features.values) {
                None => MissingReason::FeaturesNotFetched,
                Some(None) => MissingReason::NoFeatures,
                Some(Some(_)) => MissingReason::IncompleteFeatures,
            },
            Self::Confidence(_) => MissingReason::NoConfidences,
        }
    }
}
