//! `artists.genres`: the genres of up to 50 artists.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use host::Registered;
use model::job::{ArtistsGenresJob, Envelope};
use runtime::{Context, Failure, Handler};
use spotify::{Client, Error};
use store::{Store, Tracks};

use crate::capability::{ARTISTS, ApiAccess};
use crate::ids::{distinct, split_malformed, without};
use crate::request::{SLOTS, failure, paid};

/// Fetches artists.
pub(crate) struct Artists {
    client: Client,
    tracks: Arc<dyn Tracks>,
    access: ApiAccess,
    /// Batches were refused, but single requests were not: newer apps may only ask for one artist at a time.
    one_by_one: AtomicBool,
}

impl Registered<Client> for Artists {
    fn new(client: &Client, store: Arc<dyn Store>) -> Self {
        Self {
            client: client.clone(),
            tracks: store.clone(),
            access: ApiAccess::new(store),
            one_by_one: AtomicBool::new(false),
        }
    }

    fn slots() -> usize {
        SLOTS
    }
}

#[async_trait]
impl Handler for Artists {
    type Body = ArtistsGenresJob;

    async fn run(&self, job: ArtistsGenresJob, context: &Context) -> Result<Vec<Envelope>, Failure> {
        let (ids, malformed) = split_malformed(job.artist_ids);
        let known = distinct(self.tracks.artists(&ids).await?.into_iter().map(|artist| artist.id));
        let missing = without(&ids, &known);
        let mut separate = match missing.is_empty() || self.access.is_refused(ARTISTS).await? {
            true => Vec::new(),
            false => self.fetch(&missing, context).await?,
        };
        separate.extend((!malformed.is_empty()).then_some(malformed));
        Ok(separate.into_iter().map(|artist_ids| Envelope::new(&ArtistsGenresJob { artist_ids })).collect())
    }
}

impl Artists {
    /// Fetches and stores them: in one request, or one by one if that is refused. Returns the ids
    /// that need jobs of their own: each one that Spotify rejects, and together those that its answer does not mention.
    async fn fetch(&self, ids: &[String], context: &Context) -> Result<Vec<Vec<String>>, Failure> {
        if self.one_by_one.load(Ordering::Relaxed) {
            return self.fetch_one_by_one(ids, context).await;
        }
        match paid(context, self.client.artists(ids)).await? {
            Ok(artists) => {
                self.tracks.save_artists(&artists).await?;
                self.access.record_grant(ARTISTS).await?;
                let answered = distinct(artists.into_iter().map(|artist| artist.id));
                let unanswered = without(ids, &answered);
                match unanswered.len() {
                    0 => Ok(Vec::new()),
                    n if n == ids.len() => {
                        Err(Failure::retry("Spotify's answer contains none of the artists asked for"))
                    }
                    _ => Ok(vec![unanswered]),
                }
            }
            Err(error) if error.is_refusal() => {
                tracing::debug!("trying one artist at a time: {error}");
                let rejected = self.fetch_one_by_one(ids, context).await?;
                self.one_by_one.store(!self.access.is_refused(ARTISTS).await?, Ordering::Relaxed);
                Ok(rejected)
            }
            // The batch is at fault, not the app.
            Err(error @ Error::Rejected { .. }) => {
                tracing::warn!("trying the artists of this batch one at a time: {error}");
                self.fetch_one_by_one(ids, context).await
            }
            Err(error) => Err(failure(error)),
        }
    }

    async fn fetch_one_by_one(&self, ids: &[String], context: &Context) -> Result<Vec<Vec<String>>, Failure> {
        let (mut rejected, mut is_allowed) = (Vec::new(), false);
        for id in ids {
            match paid(context, self.client.artist(id)).await? {
                Ok(artist) => {
                    self.tracks.save_artists(&[artist]).await?;
                    is_allowed = true;
                }
                Err(Error::Forbidden { detail, .. }) => {
                    self.access.record_refusal(ARTISTS, &detail).await?;
                    return Ok(rejected);
                }
                Err(error @ Error::Rejected { .. }) if ids.len() == 1 => return Err(failure(error)),
                Err(Error::Rejected { .. }) => rejected.push(vec![id.clone()]),
                Err(error) => return Err(failure(error)),
            }
        }
        if is_allowed {
            self.access.record_grant(ARTISTS).await?;
        }
        Ok(rejected)
    }
}
