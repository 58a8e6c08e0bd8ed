//! `track.metadata`: the title and artists of a track that no playlist brought.

use std::sync::Arc;

use async_trait::async_trait;
use host::Registered;
use model::job::{Envelope, TrackMetadataJob, TrackTagsJob};
use model::track::Track;
use runtime::{Context, Failure, Handler};
use spotify::Client;
use store::{Store, Tags, Tracks};

use crate::request::{SLOTS, failure, paid};

/// Fetches tracks; its follow-up jobs look up their tags.
pub(crate) struct Metadata {
    client: Client,
    tracks: Arc<dyn Tracks>,
    tags: Arc<dyn Tags>,
}

impl Registered<Client> for Metadata {
    fn new(client: &Client, store: Arc<dyn Store>) -> Self {
        Self { client: client.clone(), tracks: store.clone(), tags: store }
    }

    fn slots() -> usize {
        SLOTS
    }
}

#[async_trait]
impl Handler for Metadata {
    type Body = TrackMetadataJob;

    async fn run(&self, job: TrackMetadataJob, context: &Context) -> Result<Vec<Envelope>, Failure> {
        let ids = [job.track_id];
        if self.tracks.tracks(&ids).await?.is_empty() {
            self.tracks.save_tracks(&[self.fetch(&ids[0], context).await?]).await?;
        }
        if !self.tags.tags(&ids).await?.is_empty() {
            return Ok(Vec::new());
        }
        let [track_id] = ids;
        Ok(vec![Envelope::new(&TrackTagsJob { track_id })])
    }
}

impl Metadata {
    async fn fetch(&self, id: &str, context: &Context) -> Result<Track, Failure> {
        let track = paid(context, self.client.track(id)).await?.map_err(failure)?;
        track.map_err(|lack| Failure::dead(format!("Spotify's track {id} cannot be used: {}", lack.as_str())))
    }
}
