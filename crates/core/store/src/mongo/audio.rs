use async_trait::async_trait;
use model::analysis::{Analysis, TrackAnalysis};
use model::audio::{AudioFeatures, TrackPitches};
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, doc};
use serde::Deserialize;

use super::bulk::Write;
use super::read::sorted;
use super::tags::without;
use super::{Mongo, schema};
use crate::segments::{pack, unpack};
use crate::{Audio, AudioCounts, Result};

/// A document of `analyses`. Without segments: Spotify has no analysis of the track.
#[derive(Deserialize)]
struct StoredAnalysis {
    track_id: String,
    confidences: Option<[f64; 4]>,
    segments: Option<Binary>,
}

/// A document of `pitches`: the columns as little-endian `f64`, or why there are none.
#[derive(Deserialize)]
struct StoredPitches {
    track_id: String,
    rejected: Option<String>,
    columns: Option<Binary>,
}

#[async_trait]
impl Audio for Mongo {
    async fn save_features(&self, features: &[AudioFeatures]) -> Result<()> {
        let write = |features: &AudioFeatures| {
            let mut entry = self.entry(&features.track_id, features)?;
            entry.insert("found", features.values.is_some());
            if features.is_incomplete() {
                entry.insert("incomplete", true);
            }
            Ok(Write::replace("features", doc! { "_id": &features.track_id }, entry))
        };
        self.save(features.iter().map(write).collect::<Result<_>>()?).await
    }

    async fn features(&self, track_ids: &[String]) -> Result<Vec<AudioFeatures>> {
        self.find_by_ids("features", track_ids).await
    }

    async fn save_analysis(&self, analysis: &TrackAnalysis) -> Result<()> {
        let (id, found) = (&analysis.track_id, analysis.analysis.as_ref());
        let entry = doc! {
            "_id": id,
            "track_id": id,
            "found": found.is_some(),
            "confidences": found.and_then(|found| found.confidences).map(|values| values.to_vec()),
            "segments": found.map(|found| binary(pack(&found.segments))),
        };
        self.save(vec![Write::replace("analyses", doc! { "_id": id }, entry)]).await
    }

    async fn analysis(&self, track_id: &str) -> Result<Option<TrackAnalysis>> {
        let found: Option<StoredAnalysis> = self.get("analyses", track_id).await?;
        found.map(|found| self.unpacked(found)).transpose()
    }

    async fn analysed(&self, track_ids: &[String]) -> Result<Vec<String>> {
        self.existing_ids("analyses", track_ids).await
    }

    async fn confidences(&self) -> Result<Vec<(String, [f64; 4])>> {
        let with_confidences = doc! { "confidences": { "$ne": Bson::Null } };
        let small = doc! { "_id": 0, "track_id": 1, "confidences": 1 };
        let found: Vec<StoredAnalysis> = self.find_fields("analyses", with_confidences, small).await?;
        Ok(found.into_iter().filter_map(|found| Some((found.track_id, found.confidences?))).collect())
    }

    async fn save_pitches(&self, pitches: &TrackPitches) -> Result<()> {
        let id = &pitches.track_id;
        let columns = |values: &Vec<f64>| binary(values.iter().flat_map(|value| value.to_le_bytes()).collect());
        let entry = doc! {
            "_id": id,
            "track_id": id,
            "rejected": pitches.outcome.as_ref().err(),
            "columns": pitches.outcome.as_ref().ok().map(columns),
        };
        self.save(vec![Write::replace("pitches", doc! { "_id": id }, entry)]).await
    }

    async fn pitches(&self, track_ids: &[String]) -> Result<Vec<TrackPitches>> {
        let found: Vec<StoredPitches> = self.find_by_ids("pitches", track_ids).await?;
        found.into_iter().map(|found| self.columns(found)).collect()
    }

    async fn tracks_without_pitches(&self) -> Result<Vec<String>> {
        let analysed = self.find_ids("analyses", doc! { "found": true }, schema::index_on("found")).await?;
        let computed = self.find_ids("pitches", doc! {}, doc! { "_id": 1 }).await?;
        Ok(without(analysed, &computed))
    }

    async fn tracks_without_audio(&self) -> Result<Vec<String>> {
        let tracks = self.find_ids("tracks", doc! {}, doc! { "_id": 1 }).await?;
        let features = self.find_ids("features", doc! {}, doc! { "_id": 1 }).await?;
        let analyses = self.find_ids("analyses", doc! {}, doc! { "_id": 1 }).await?;
        let (no_features, no_analysis) = (without(tracks.clone(), &features), without(tracks, &analyses));
        Ok(sorted(&[no_features, no_analysis].concat()))
    }

    async fn audio_counts(&self) -> Result<AudioCounts> {
        let (tracks, features, incomplete_features, analyses, pitches) = futures::try_join!(
            self.count("tracks", doc! {}),
            self.count_by("features", "found"),
            self.count("features", doc! { "incomplete": true }),
            self.count_by("analyses", "found"),
            self.count_by("pitches", "rejected"),
        )?;
        let count_of = |counts: &[(Bson, usize)], found: bool| {
            counts.iter().find(|(value, _)| value.as_bool() == Some(found)).map_or(0, |(_, n)| *n)
        };
        let rejected = pitches.iter().filter_map(|(reason, n)| Some((reason.as_str()?.to_owned(), *n)));
        Ok(AudioCounts {
            tracks,
            features: count_of(&features, true),
            incomplete_features,
            without_features: count_of(&features, false),
            analyses: count_of(&analyses, true),
            without_analysis: count_of(&analyses, false),
            pitches: pitches.iter().find(|(reason, _)| reason.as_null().is_some()).map_or(0, |(_, n)| *n),
            rejected_pitches: rejected.collect(),
        })
    }
}

impl Mongo {
    fn unpacked(&self, found: StoredAnalysis) -> Result<TrackAnalysis> {
        let StoredAnalysis { track_id, confidences, segments } = found;
        let unpacked = segments.map(|packed| unpack(&packed.bytes)).transpose();
        let segments = unpacked.map_err(|damaged| self.unreadable("analyses", &track_id, &damaged))?;
        Ok(TrackAnalysis { track_id, analysis: segments.map(|segments| Analysis { segments, confidences }) })
    }

    fn columns(&self, found: StoredPitches) -> Result<TrackPitches> {
        let StoredPitches { track_id, rejected, columns } = found;
        let outcome = match (rejected, columns) {
            (Some(reason), _) => Err(reason),
            (None, Some(columns)) => match columns.bytes.as_chunks() {
                (values, []) => Ok(values.iter().map(|value| f64::from_le_bytes(*value)).collect()),
                _ => return Err(self.unreadable("pitches", &track_id, &"pitch columns are damaged: cut short")),
            },
            (None, None) => return Err(self.unreadable("pitches", &track_id, &"neither columns nor a reason")),
        };
        Ok(TrackPitches { track_id, outcome })
    }
}

fn binary(bytes: Vec<u8>) -> Binary {
    Binary { subtype: BinarySubtype::Generic, bytes }
}
