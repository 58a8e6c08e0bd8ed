//! From what was collected to the matrix.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use model::audio::{AudioFeatures, CONFIDENCES, SCALARS, TrackPitches, pitch_columns};
use model::dataset::{Dataset, DatasetInfo};
use model::settings;
use model::tag::{Cut, LabelledTrack, LabelledTracks, TaggedTrack, TagsOutcome};
use model::track::Track;

use super::split::Order;
use super::{DatasetError, describe};

/// What the store holds, in any order.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Every track.
    pub tracks: Vec<Track>,
    /// The tracks that have labels.
    pub labelled: LabelledTracks,
    /// What was found out about tags; says why the other tracks have no labels.
    pub tags: Vec<TaggedTrack>,
    /// Audio features.
    pub features: Vec<AudioFeatures>,
    /// Values in the order of [`CONFIDENCES`] by track id.
    pub confidences: Vec<(String, [f64; 4])>,
    /// Pitch columns.
    pub pitches: Vec<TrackPitches>,
}

/// A dataset and what became of the tracks that are not in it.
#[derive(Debug, Clone)]
pub struct Built {
    /// The matrix.
    pub dataset: Dataset,
    /// Tracks that did not become rows, by reason.
    pub dropped: BTreeMap<String, usize>,
    /// A sentence where the split has other sizes than were asked for.
    pub note: Option<String>,
    tags_before: Vec<(String, usize)>,
    cut: Cut,
}

impl Built {
    /// What is stored beside the bytes of [`super::to_parquet`].
    pub fn info(&self, parquet: &[u8]) -> DatasetInfo {
        DatasetInfo {
            dropped: self.dropped.clone(),
            tags_before: self.tags_before.clone(),
            cut: Some(self.cut.clone()),
            ..describe(&self.dataset, parquet)
        }
    }
}

/// Builds the matrix: a row for each labelled track that has every group of columns in use, sorted by track id and then
/// split. Pitches, scalars and confidences are groups; one is in use if at least one labelled track has it, and so is each
/// scalar, so what the app may not fetch at all costs its columns and not the rows.
///
/// Reasons for no row: `not_looked_up`, `no_tags`, `unknown_track`, `no_genre`, `only_excluded_tags`; for labelled tracks
/// `no_pitches`, `pitches_too_short` and the like, `audio_features_not_fetched`, `no_audio_features`,
/// `incomplete_audio_features`, `no_confidences`.
pub fn build(sources: Sources, settings: &settings::Dataset) -> Result<Built, DatasetError> {
    let groups = Group::in_use(&sources);
    let mut dropped = unlabelled(&sources);
    if groups.is_empty() && !sources.labelled.tracks.is_empty() {
        return Err(DatasetError::NoFeatures { labelled: sources.labelled.tracks.len() });
    }
    let mut rows = Vec::new();
    for track in &sources.labelled.tracks {
        let values: Result<Vec<Cow<[f64]>>, String> = groups.iter().map(|group| group.of(&track.track_id)).collect();
        match values {
            Ok(values) => rows.push(Row { track, values }),
            Err(reason) => *dropped.entry(reason).or_default() += 1,
        }
    }
    if rows.is_empty() {
        let counts: Vec<_> = dropped.iter().map(|(reason, tracks)| format!("{reason} {tracks}")).collect();
        let dropped = if counts.is_empty() { "there are no tracks".to_owned() } else { counts.join(", ") };
        return Err(DatasetError::NoRows { dropped });
    }
    rows.sort_by(|a, b| a.track.track_id.cmp(&b.track.track_id));
    let feature_names = groups.iter().flat_map(|group| group.names.clone()).collect();
    let (dataset, note) = matrix(&rows, feature_names, &sources.tracks, &settings.split)?;
    Ok(Built { dataset, dropped, note, tags_before: sources.labelled.tag_counts.clone(), cut: settings.cut.clone() })
}

struct Row<'a> {
    track: &'a LabelledTrack,
    values: Vec<Cow<'a, [f64]>>,
}

fn matrix(
    rows: &[Row],
    feature_names: Vec<String>,
    tracks: &[Track],
    split: &settings::SplitSettings,
) -> Result<(Dataset, Option<String>), DatasetError> {
    let artist_of: HashMap<&str, &str> =
        tracks.iter().filter_map(|track| Some((track.id.as_str(), track.artists.first()?.name.as_str()))).collect();
    let artists: Vec<String> = rows
        .iter()
        .map(|row| artist_of.get(row.track.track_id.as_str()).copied().unwrap_or_default().to_owned())
        .collect();
    let label_names: BTreeSet<&String> = rows.iter().flat_map(|row| &row.track.labels).collect();
    let track_ids: Vec<String> = rows.iter().map(|row| row.track.track_id.clone()).collect();
    let order = Order::drawn(&track_ids, &artists, split)?;

    let mut dataset = Dataset {
        features: Vec::with_capacity(rows.len() * feature_names.len()),
        feature_names,
        label_names: label_names.iter().map(|name| name.to_string()).collect(),
        split: order.sides(),
        ..Dataset::default()
    };
    for &i in &order.rows {
        let Row { track, values } = &rows[i];
        dataset.track_ids.push(track.track_id.clone());
        dataset.artists.push(artists[i].clone());
        dataset.labels.extend(label_names.iter().map(|name| u8::from(track.labels.contains(name))));
        values.iter().for_each(|part| dataset.features.extend_from_slice(part));
    }
    Ok((dataset, order.note))
}

/// Values by track id, or the reason why there are none.
type Outcomes<'a> = HashMap<&'a str, Result<Cow<'a, [f64]>, String>>;

/// Columns that a track has all of or none of.
struct Group<'a> {
    names: Vec<String>,
    outcomes: Outcomes<'a>,
    missing: &'static str,
}

impl<'a> Group<'a> {
    fn in_use(sources: &'a Sources) -> Vec<Self> {
        let names = |columns: &[&str]| columns.iter().map(|name| name.to_string()).collect();
        let used = scalars_in_use(sources);
        let mut groups = vec![
            Group { names: pitch_columns(), outcomes: pitches(sources), missing: "no_pitches" },
            Group {
                names: used.iter().map(|scalar| SCALARS[*scalar].to_owned()).collect(),
                outcomes: scalars(sources, &used),
                missing: "audio_features_not_fetched",
            },
            Group { names: names(&CONFIDENCES), outcomes: confidences(sources), missing: "no_confidences" },
        ];
        groups.retain(|group| !group.names.is_empty());
        groups.retain(|group| sources.labelled.tracks.iter().any(|track| group.of(&track.track_id).is_ok()));
        groups
    }

    fn of(&self, track_id: &str) -> Result<Cow<'a, [f64]>, String> {
        self.outcomes.get(track_id).cloned().unwrap_or_else(|| Err(self.missing.to_owned()))
    }
}

fn pitches<'a>(sources: &'a Sources) -> Outcomes<'a> {
    let outcome = |track: &'a TrackPitches| match &track.outcome {
        Ok(values) => Ok(Cow::from(values)),
        Err(reason) => Err(format!("pitches_{reason}")),
    };
    sources.pitches.iter().map(|track| (track.track_id.as_str(), outcome(track))).collect()
}

/// The scalars that at least one labelled track has, by their index.
fn scalars_in_use(sources: &Sources) -> Vec<usize> {
    let labelled: HashSet<&str> = sources.labelled.tracks.iter().map(|track| track.track_id.as_str()).collect();
    let of_labelled = sources.features.iter().filter(|track| labelled.contains(track.track_id.as_str()));
    let values: Vec<&[Option<f64>; SCALARS.len()]> = of_labelled.filter_map(|track| track.values.as_ref()).collect();
    (0..SCALARS.len()).filter(|scalar| values.iter().any(|values| values[*scalar].is_some())).collect()
}

fn scalars<'a>(sources: &'a Sources, used: &[usize]) -> Outcomes<'a> {
    let outcome = |track: &'a AudioFeatures| -> Result<Cow<'a, [f64]>, &'static str> {
        let values = track.values.as_ref().ok_or("no_audio_features")?;
        let used: Option<Vec<f64>> = used.iter().map(|scalar| values[*scalar]).collect();
        Ok(Cow::from(used.ok_or("incomplete_audio_features")?))
    };
    let by_id = |track: &'a AudioFeatures| (track.track_id.as_str(), outcome(track).map_err(str::to_owned));
    sources.features.iter().map(by_id).collect()
}

fn confidences(sources: &Sources) -> Outcomes<'_> {
    sources.confidences.iter().map(|(id, values)| (id.as_str(), Ok(Cow::from(values.as_slice())))).collect()
}

/// Tracks without a label, by reason.
fn unlabelled(sources: &Sources) -> BTreeMap<String, usize> {
    let labelled: HashSet<&str> = sources.labelled.tracks.iter().map(|track| track.track_id.as_str()).collect();
    let tags: HashMap<&str, &TaggedTrack> = sources.tags.iter().map(|tags| (tags.track_id.as_str(), tags)).collect();
    let mut counts = BTreeMap::new();
    for track in sources.tracks.iter().filter(|track| !labelled.contains(track.id.as_str())) {
        let reason = match tags.get(track.id.as_str()) {
            None => "not_looked_up",
            Some(TaggedTrack { outcome: TagsOutcome::NoTags, .. }) => "no_tags",
            Some(TaggedTrack { outcome: TagsOutcome::UnknownTrack, .. }) => "unknown_track",
            Some(TaggedTrack { canonical, .. }) if canonical.is_empty() => "no_genre",
            Some(_) => "only_excluded_tags",
        };
        *counts.entry(reason.to_owned()).or_default() += 1;
    }
    counts
}
