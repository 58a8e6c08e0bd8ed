//! Artists and their genres.

use model::track::Artist;
use serde_json::Value;

use crate::batch::Batch;
use crate::{Client, Error, json};

impl Client {
    /// Up to 50 artists in one request, in the order of `ids`. One that Spotify does not know has an empty name; those that
    /// the response does not cover are left out. Newer apps are refused this ([`Error::is_refusal`]) and must use
    /// [`Client::artist`].
    pub async fn artists(&self, ids: &[String]) -> Result<Vec<Artist>, Error> {
        let what = format!("{} artists", ids.len());
        let body = self.get_many(&what, "artists", ids).await?;
        let batch = Batch::read(&body, "artists", ids).map_err(|why| Error::unreadable(&what, why))?;
        Ok(ids.iter().filter_map(|id| Some(read_artist(id, batch.get(id)?))).collect())
    }

    /// One artist. If Spotify does not know it, its name is empty.
    pub async fn artist(&self, id: &str) -> Result<Artist, Error> {
        let what = format!("artist {id}");
        match self.get_one(&what, "artists", id).await {
            Ok(body) => match json::read(&body).map_err(|why| Error::unreadable(&what, why))? {
                artist @ Value::Object(_) => Ok(read_artist(id, &artist)),
                _ => Err(Error::unreadable(&what, "it is not an object")),
            },
            Err(Error::NotFound { .. }) => Ok(read_artist(id, &Value::Null)),
            Err(error) => Err(error),
        }
    }
}

fn read_artist(id: &str, artist: &Value) -> Artist {
    let genres = artist["genres"].as_array().into_iter().flatten().filter_map(Value::as_str);
    Artist {
        id: id.to_owned(),
        name: artist["name"].as_str().unwrap_or_default().to_owned(),
        genres: genres.map(str::to_owned).collect(),
    }
}
