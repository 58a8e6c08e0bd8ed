//! Audio features.

use std::collections::HashMap;

use model::audio::{AudioFeatures, SCALARS};
use serde::Deserialize;
use serde_json::Value;

use crate::{Client, Error};

#[derive(Deserialize)]
struct Batch {
    audio_features: Vec<Value>,
}

impl Client {
    /// The audio features of up to 100 tracks in one request: one answer for each id that was asked for, in that order.
    /// Apps registered after November 2024 are refused ([`Error::is_refusal`]); some of them, only in this form.
    pub async fn audio_features(&self, ids: &[String]) -> Result<Vec<AudioFeatures>, Error> {
        let what = format!("the audio features of {} tracks", ids.len());
        let body = self.get(&what, "audio-features", &[("ids", &ids.join(","))]).await?;
        let batch: Batch = serde_json::from_slice(&body).map_err(|why| Error::unreadable(&what, why))?;
        // Nulls stand for tracks without features, and not always in their place.
        let by_id: HashMap<&str, &Value> =
            batch.audio_features.iter().filter_map(|features| Some((features["id"].as_str()?, features))).collect();
        let of_track = |id: &String| AudioFeatures {
            track_id: id.clone(),
            values: by_id.get(id.as_str()).and_then(|features| read_scalars(features)),
        };
        Ok(ids.iter().map(of_track).collect())
    }

    /// The audio features of one track.
    pub async fn audio_features_of(&self, id: &str) -> Result<AudioFeatures, Error> {
        let what = format!("the audio features of track {id}");
        let values = match self.get(&what, &format!("audio-features/{id}"), &[]).await {
            Ok(body) => {
                let features: Value = serde_json::from_slice(&body).map_err(|why| Error::unreadable(&what, why))?;
                read_scalars(&features)
            }
            Err(Error::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(AudioFeatures { track_id: id.to_owned(), values })
    }
}

/// All thirteen, or none: a row of the matrix has no gaps.
fn read_scalars(features: &Value) -> Option<[f64; 13]> {
    let mut values = [0.0; SCALARS.len()];
    for (value, name) in values.iter_mut().zip(SCALARS) {
        *value = features[name].as_f64()?;
    }
    Some(values)
}
