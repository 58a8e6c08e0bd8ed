//! `track.metadata`: the title and artists of a track that no playlist brought.

use async_trait::async_trait;
use model::job::{Envelope, TrackMetadataJob, TrackTagsJob};
use model::track::Track;
use runtime::{Context, Failure, Handler};
use spotify::Client;

use crate::request::{failure, paid};

/// Fetches tracks, and names the tags jobs that wait for them.
pub(crate) struct Metadata {
    pub(crate) client: Client,
}

#[async_trait]
impl Handler for Metadata {
    type Body = TrackMetadataJob;

    async fn run(&self, job: TrackMetadataJob, context: &Context) -> Result<Vec<Envelope>, Failure> {
        let store = &*context.store;
        let ids = [job.track_id];
        if store.tracks(&ids).await?.is_empty() {
            store.save_tracks(&[self.fetch(&ids[0], context).await?]).await?;
        }
        if !store.tags(&ids).await?.is_empty() {
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
