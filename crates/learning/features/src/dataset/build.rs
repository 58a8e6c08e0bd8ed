//! From collected data to the matrix.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use model::audio::{AudioFeatures, CONFIDENCES, SCALARS, TrackPitches, pitch_columns};
use model::dataset::{Dataset, DatasetInfo};
use model::settings;
use model::tag::{LabelSelection, LabelledTrack, LabelledTracks, TaggedTrack, TagsOutcome};
use model::track::Track;

use super::split::RowOrder;
use super::{DatasetError, describe};
use crate::track::{TrackColumns, TrackParts};

/// What the store holds, in any order.
#[derive(Debug, Clone, Default)]
pub struct StoredTracks {
    /// Every track.
    pub tracks: Vec<Track>,
    /// The tracks that have labels.
    pub labelled: LabelledTracks,
    /// The tags that were looked up; they say why the other tracks have no labels.
    pub tags: Vec<TaggedTrack>,
    /// Audio features.
    pub features: Vec<AudioFeatures>,
    /// Values in the order of [`CONFIDENCES`] by track id.
    pub confidences: Vec<(String, [f64; 4])>,
    /// Pitch columns.
    pub pitches: Vec<TrackPitches>,
}

/// A dataset, and why the other tracks are not in it.
#[derive(Debug, Clone)]
pub struct BuiltDataset {
    /// The matrix.
    pub dataset: Dataset,
    /// Tracks that did not become rows, by reason.
    pub dropped: BTreeMap<String, usize>,
    /// A sentence where the split has other sizes than were asked for.
    pub note: Option<String>,
    tags_before: Vec<(String, usize)>,
    label_selection: LabelSelection,
}

impl BuiltDataset {
    /// What is stored beside the bytes of [`super::to_parquet`].
    pub fn info(&self, parquet: &[u8]) -> DatasetInfo {
        DatasetInfo {
            dropped: self.dropped.clone(),
            tags_before: self.tags_before.clone(),
            label_selection: Some(self.label_selection.clone()),
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
pub fn build(sources: StoredTracks, settings: &settings::DatasetSettings) -> Result<BuiltDataset, DatasetError> {
    let index = TrackIndex::new(&sources);
    let columns = columns_in_use(&sources, &index);
    let mut dropped = unlabelled(&sources);
    if columns.names().is_empty() && !sources.labelled.tracks.is_empty() {
        return Err(DatasetError::NoFeatures { labelled: sources.labelled.tracks.len() });
    }
    let mut rows = Vec::new();
    for track in &sources.labelled.tracks {
        match columns.check(index.of(&track.track_id)) {
            Ok(()) => rows.push(track),
            Err(lack) => *dropped.entry(lack.reason.to_string()).or_default() += 1,
        }
    }
    if rows.is_empty() {
        let counts: Vec<_> = dropped.iter().map(|(reason, tracks)| format!("{reason} {tracks}")).collect();
        let dropped = if counts.is_empty() { "there are no tracks".to_owned() } else { counts.join(", ") };
        return Err(DatasetError::NoRows { dropped });
    }
    rows.sort_by(|a, b| a.track_id.cmp(&b.track_id));
    let (dataset, note) = matrix(&rows, &columns, &index, &sources.tracks, &settings.split)?;
    Ok(BuiltDataset {
        dataset,
        dropped,
        note,
        tags_before: sources.labelled.tag_counts.clone(),
        label_selection: settings.label_selection.clone(),
    })
}

fn matrix(
    rows: &[&LabelledTrack],
    columns: &TrackColumns,
    index: &TrackIndex<'_>,
    tracks: &[Track],
    split: &settings::SplitSettings,
) -> Result<(Dataset, Option<String>), DatasetError> {
    let artist_of: HashMap<&str, &str> =
        tracks.iter().filter_map(|track| Some((track.id.as_str(), track.artists.first()?.name.as_str()))).collect();
    let artists: Vec<String> =
        rows.iter().map(|row| artist_of.get(row.track_id.as_str()).copied().unwrap_or_default().to_owned()).collect();
    let label_names: BTreeSet<&String> = rows.iter().flat_map(|row| &row.labels).collect();
    let track_ids: Vec<String> = rows.iter().map(|row| row.track_id.clone()).collect();
    let order = RowOrder::shuffled(&track_ids, &artists, split)?;

    let mut dataset = Dataset {
        features: Vec::with_capacity(rows.len() * columns.names().len()),
        feature_names: columns.names().to_vec(),
        label_names: label_names.iter().map(|name| name.to_string()).collect(),
        split: order.sides(),
        ..Dataset::default()
    };
    for &i in &order.rows {
        let track = rows[i];
        dataset.track_ids.push(track.track_id.clone());
        dataset.artists.push(artists[i].clone());
        dataset.labels.extend(label_names.iter().map(|name| u8::from(track.labels.contains(name))));
        columns.append(index.of(&track.track_id), &mut dataset.features).expect("rows are of tracks that lack nothing");
    }
    Ok((dataset, order.note))
}

/// What is stored of each track, by track id.
struct TrackIndex<'a> {
    pitches: HashMap<&'a str, &'a TrackPitches>,
    features: HashMap<&'a str, &'a AudioFeatures>,
    confidences: HashMap<&'a str, &'a [f64; 4]>,
}

impl<'a> TrackIndex<'a> {
    fn new(sources: &'a StoredTracks) -> Self {
        Self {
            pitches: sources.pitches.iter().map(|track| (track.track_id.as_str(), track)).collect(),
            features: sources.features.iter().map(|track| (track.track_id.as_str(), track)).collect(),
            confidences: sources.confidences.iter().map(|(id, values)| (id.as_str(), values)).collect(),
        }
    }

    fn of(&self, track_id: &str) -> TrackParts<'a> {
        TrackParts {
            pitches: self.pitches.get(track_id).copied(),
            features: self.features.get(track_id).copied(),
            confidences: self.confidences.get(track_id).copied(),
        }
    }
}

/// The columns of the groups that at least one labelled track has all of.
fn columns_in_use(sources: &StoredTracks, index: &TrackIndex<'_>) -> TrackColumns {
    let names = |columns: &[&str]| columns.iter().map(|name| name.to_string()).collect();
    let groups = [pitch_columns(), scalars_in_use(sources), names(&CONFIDENCES)];
    let is_in_use = |names: &Vec<String>| {
        let columns = of_tracks(names.clone());
        let has_all = |track: &LabelledTrack| columns.check(index.of(&track.track_id)).is_ok();
        !names.is_empty() && sources.labelled.tracks.iter().any(has_all)
    };
    of_tracks(groups.into_iter().filter(is_in_use).flatten().collect())
}

fn of_tracks(names: Vec<String>) -> TrackColumns {
    TrackColumns::from_names(names).expect("all of them are columns of tracks")
}

/// The names of the scalars that at least one labelled track has.
fn scalars_in_use(sources: &StoredTracks) -> Vec<String> {
    let labelled: HashSet<&str> = sources.labelled.tracks.iter().map(|track| track.track_id.as_str()).collect();
    let of_labelled = sources.features.iter().filter(|track| labelled.contains(track.track_id.as_str()));
    let values: Vec<&[Option<f64>; SCALARS.len()]> = of_labelled.filter_map(|track| track.values.as_ref()).collect();
    let is_used = |scalar: &usize| values.iter().any(|values| values[*scalar].is_some());
    (0..SCALARS.len()).filter(is_used).map(|scalar| SCALARS[scalar].to_owned()).collect()
}

/// Tracks without a label, by reason.
fn unlabelled(sources: &StoredTracks) -> BTreeMap<String, usize> {
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
