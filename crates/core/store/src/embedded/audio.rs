use async_trait::async_trait;
use model::analysis::{Analysis, TrackAnalysis};
use model::audio::{AudioFeatures, TrackPitches};
use sqlite::rusqlite::types::Type;
use sqlite::rusqlite::{self, Connection, Row};

use super::{Embedded, from_doc, to_doc, unreadable};
use crate::segments::{pack, unpack};
use crate::{Audio, AudioCounts, Result};

#[async_trait]
impl Audio for Embedded {
    async fn save_features(&self, features: &[AudioFeatures]) -> Result<()> {
        let rows =
            features.iter().map(|features| (features.track_id.clone(), features.values.as_ref().map(to_doc))).collect();
        self.save("REPLACE INTO features (track_id, scalars) VALUES (?1, ?2)", rows).await
    }

    async fn features(&self, track_ids: &[String]) -> Result<Vec<AudioFeatures>> {
        let query = "SELECT track_id, ifnull(scalars, 'null') FROM features
            WHERE track_id IN (SELECT value FROM json_each(?1)) ORDER BY track_id";
        let features = |row: &Row| Ok(AudioFeatures { track_id: row.get(0)?, values: from_doc(row, 1)? });
        self.rows(query, [to_doc(track_ids)], features).await
    }

    async fn save_analysis(&self, analysis: &TrackAnalysis) -> Result<()> {
        let found = analysis.analysis.as_ref();
        let confidences = found.and_then(|found| found.confidences.as_ref()).map(to_doc);
        let rows = vec![(analysis.track_id.clone(), confidences, found.map(|found| pack(&found.segments)))];
        self.save("REPLACE INTO analyses (track_id, confidences, segments) VALUES (?1, ?2, ?3)", rows).await
    }

    async fn analysis(&self, track_id: &str) -> Result<Option<TrackAnalysis>> {
        let query = "SELECT track_id, ifnull(confidences, 'null'), segments FROM analyses WHERE track_id = ?1";
        Ok(self.rows(query, [track_id.to_owned()], analysis).await?.pop())
    }

    async fn analysed(&self, track_ids: &[String]) -> Result<Vec<String>> {
        let query = "SELECT track_id FROM analyses WHERE track_id IN (SELECT value FROM json_each(?1)) ORDER BY 1";
        self.rows(query, [to_doc(track_ids)], |row| row.get(0)).await
    }

    async fn confidences(&self) -> Result<Vec<(String, [f64; 4])>> {
        let query = "SELECT track_id, confidences FROM analyses WHERE confidences IS NOT NULL ORDER BY track_id";
        self.rows(query, [], |row| Ok((row.get(0)?, from_doc(row, 1)?))).await
    }

    async fn save_pitches(&self, pitches: &TrackPitches) -> Result<()> {
        let columns = |values: &Vec<f64>| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let rejected = pitches.outcome.as_ref().err().cloned();
        let rows = vec![(pitches.track_id.clone(), rejected, pitches.outcome.as_ref().ok().map(columns))];
        self.save("REPLACE INTO pitches (track_id, rejected, columns) VALUES (?1, ?2, ?3)", rows).await
    }

    async fn pitches(&self, track_ids: &[String]) -> Result<Vec<TrackPitches>> {
        let query = "SELECT track_id, rejected, columns FROM pitches
            WHERE track_id IN (SELECT value FROM json_each(?1)) ORDER BY track_id";
        self.rows(query, [to_doc(track_ids)], pitches).await
    }

    async fn tracks_without_pitches(&self) -> Result<Vec<String>> {
        let query = "SELECT track_id FROM analyses WHERE segments IS NOT NULL
            EXCEPT SELECT track_id FROM pitches ORDER BY 1";
        self.rows(query, [], |row| row.get(0)).await
    }

    async fn tracks_without_audio(&self) -> Result<Vec<String>> {
        let query = "SELECT id FROM tracks WHERE id NOT IN (SELECT track_id FROM features)
            OR id NOT IN (SELECT track_id FROM analyses) ORDER BY id";
        self.rows(query, [], |row| row.get(0)).await
    }

    async fn audio_counts(&self) -> Result<AudioCounts> {
        self.read(counts).await
    }
}

fn analysis(row: &Row) -> rusqlite::Result<TrackAnalysis> {
    let analysis = match row.get_ref(2)?.as_blob_or_null()? {
        None => None,
        Some(packed) => {
            let segments = unpack(packed).map_err(|damaged| unreadable(2, Type::Blob, damaged))?;
            Some(Analysis { segments, confidences: from_doc(row, 1)? })
        }
    };
    Ok(TrackAnalysis { track_id: row.get(0)?, analysis })
}

fn pitches(row: &Row) -> rusqlite::Result<TrackPitches> {
    let outcome = match row.get(1)? {
        Some(reason) => Err(reason),
        None => match row.get_ref(2)?.as_blob()?.as_chunks() {
            (values, []) => Ok(values.iter().map(|value| f64::from_le_bytes(*value)).collect()),
            _ => return Err(unreadable(2, Type::Blob, "pitch columns are damaged: cut short")),
        },
    };
    Ok(TrackPitches { track_id: row.get(0)?, outcome })
}

fn counts(connection: &Connection) -> rusqlite::Result<AudioCounts> {
    let count = |query: &str| connection.query_row(query, [], |row| row.get::<_, u32>(0)).map(|count| count as usize);
    let mut rejected = connection
        .prepare_cached("SELECT rejected, count(*) FROM pitches WHERE rejected IS NOT NULL GROUP BY rejected")?;
    let rejected = rejected.query_map([], |row| Ok((row.get(0)?, row.get::<_, u32>(1)? as usize)))?;
    Ok(AudioCounts {
        tracks: count("SELECT count(*) FROM tracks")?,
        features: count("SELECT count(*) FROM features WHERE scalars IS NOT NULL")?,
        incomplete_features: count(
            "SELECT count(*) FROM features WHERE EXISTS (SELECT 1 FROM json_each(scalars) WHERE type = 'null')",
        )?,
        without_features: count("SELECT count(*) FROM features WHERE scalars IS NULL")?,
        analyses: count("SELECT count(*) FROM analyses WHERE segments IS NOT NULL")?,
        without_analysis: count("SELECT count(*) FROM analyses WHERE segments IS NULL")?,
        pitches: count("SELECT count(*) FROM pitches WHERE rejected IS NULL")?,
        rejected_pitches: rejected.collect::<rusqlite::Result<_>>()?,
    })
}
