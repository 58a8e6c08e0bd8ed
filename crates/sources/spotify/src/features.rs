//! Audio features.

use model::audio::{AudioFeatures, SCALARS};
use serde_json::Value;

use crate::batch::Batch;
use crate::{Client, Error, json};

impl Client {
    /// The audio features of up to 100 tracks in one request, in the order of `ids`. Tracks that the response does not cover
    /// are left out: they stay unknown. Apps registered after November 2024 are refused this ([`Error::is_refusal`]); some
    /// of them may still use [`Client::audio_features_of`].
    pub async fn audio_features(&self, ids: &[String]) -> Result<Vec<AudioFeatures>, Error> {
        let what = format!("the audio features of {} tracks", ids.len());
        let body = self.get_many(&what, "audio-features", ids).await?;
        let batch = Batch::read(&body, "audio_features", ids).map_err(|why| Error::unreadable(&what, why))?;
        let of_track = |id: &String| {
            let features = batch.get(id)?;
            let values = (!features.is_null()).then(|| read_scalars(features));
            Some(AudioFeatures { track_id: id.clone(), values })
        };
        Ok(ids.iter().filter_map(of_track).collect())
    }

    /// The audio features of one track.
    pub async fn audio_features_of(&self, id: &str) -> Result<AudioFeatures, Error> {
        let what = format!("the audio features of track {id}");
        let values = match self.get_one(&what, "audio-features", id).await {
            Ok(body) => match json::read(&body).map_err(|why| Error::unreadable(&what, why))? {
                Value::Null => None,
                features @ Value::Object(_) => Some(read_scalars(&features)),
                _ => return Err(Error::unreadable(&what, "it is not an object")),
            },
            Err(Error::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(AudioFeatures { track_id: id.to_owned(), values })
    }
}

/// The thirteen values. One that is missing or not a number is `None`, and does not affect the others.
fn read_scalars(features: &Value) -> [Option<f64>; 13] {
    SCALARS.map(|name| features[name].as_f64().filter(|value| value.is_finite()))
}
