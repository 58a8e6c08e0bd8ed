//! Artists and their genres.

use model::track::Artist;
use serde::Deserialize;
use serde_json::Value;

use crate::{Client, Error};

#[derive(Deserialize)]
struct Batch {
    artists: Vec<Value>,
}

impl Client {
    /// Those of up to 50 artists that Spotify knows, in one request. Newer apps are refused it
    /// ([`Error::is_refusal`]) and ask for one at a time.
    pub async fn artists(&self, ids: &[String]) -> Result<Vec<Artist>, Error> {
        let what = format!("{} artists", ids.len());
        let body = self.get(&what, "artists", &[("ids", &ids.join(","))]).await?;
        let batch: Batch = serde_json::from_slice(&body).map_err(|why| Error::unreadable(&what, why))?;
        Ok(batch.artists.iter().filter_map(read_artist).collect())
    }

    /// One artist; `None`: Spotify does not know it.
    pub async fn artist(&self, id: &str) -> Result<Option<Artist>, Error> {
        let what = format!("artist {id}");
        match self.get(&what, &format!("artists/{id}"), &[]).await {
            Ok(body) => {
                let artist = serde_json::from_slice(&body).map_err(|why| Error::unreadable(&what, why))?;
                read_artist(&artist).map(Some).ok_or_else(|| Error::unreadable(&what, "it has no id"))
            }
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn read_artist(artist: &Value) -> Option<Artist> {
    let genres = artist["genres"].as_array().into_iter().flatten().filter_map(Value::as_str);
    Some(Artist {
        id: artist["id"].as_str()?.to_owned(),
        name: artist["name"].as_str().unwrap_or_default().to_owned(),
        genres: genres.map(str::to_owned).collect(),
    })
}
