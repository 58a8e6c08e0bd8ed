//! Single tracks.

use model::track::{SkipReason, Track};

use crate::playlist::read_track;
use crate::{Client, Error, json};

impl Client {
    /// A track with its title and artists, or why it cannot be used. One at a time: apps registered since 2026 are refused
    /// requests for many.
    pub async fn track(&self, id: &str) -> Result<Result<Track, SkipReason>, Error> {
        let what = format!("track {id}");
        let body = self.get_one(&what, "tracks", id).await?;
        let track = json::read(&body).map_err(|why| Error::unreadable(&what, why))?;
        // If the user's country has another edition, Spotify responds with the id of that one.
        Ok(read_track(&track).map(|track| Track { id: id.to_owned(), ..track }))
    }
}
