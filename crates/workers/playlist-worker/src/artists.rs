//! `artists.genres`: the genres of up to 50 artists.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use model::job::{ArtistsGenresJob, Envelope};
use runtime::{Context, Failure, Handler};
use spotify::{Client, Error};

use crate::capability::{self, ARTISTS};
use crate::ids::{distinct, sound, without};
use crate::request::{failure, paid};

/// Fetches artists.
pub(crate) struct Artists {
    client: Client,
    /// The batch form was refused and the single one was not: newer apps may only ask for one artist at a time.
    singly: AtomicBool,
}

#[async_trait]
impl Handler for Artists {
    type Body = ArtistsGenresJob;

    async fn run(&self, job: ArtistsGenresJob, context: &Context) -> Result<Vec<Envelope>, Failure> {
        let store = &*context.store;
        let (ids, odd) = sound(job.artist_ids);
        let known = distinct(store.artists(&ids).await?.into_iter().map(|artist| artist.id));
        let missing = without(&ids, &known);
        let mut apart = match missing.is_empty() || capability::was_refused(store, ARTISTS).await? {
            true => Vec::new(),
            false => self.fetch(&missing, context).await?,
        };
        apart.extend((!odd.is_empty()).then_some(odd));
        Ok(apart.into_iter().map(|artist_ids| Envelope::new(&ArtistsGenresJob { artist_ids })).collect())
    }
}

impl Artists {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, singly: AtomicBool::new(false) }
    }

    /// Fetches and stores them: in one request, or one by one where that is refused. Returns the ids that want a job of their
    /// own: each that Spotify does not accept, and together those that its answer does not speak of.
    async fn fetch(&self, ids: &[String], context: &Context) -> Result<Vec<Vec<String>>, Failure> {
        let store = &*context.store;
        if self.singly.load(Ordering::Relaxed) {
            return self.fetch_singly(ids, context).await;
        }
        match paid(context, self.client.artists(ids)).await? {
            Ok(artists) => {
                store.save_artists(&artists).await?;
                capability::allowed(store, ARTISTS).await?;
                let answered = distinct(artists.into_iter().map(|artist| artist.id));
                let unanswered = without(ids, &answered);
                match unanswered.len() {
                    0 => Ok(Vec::new()),
                    n if n == ids.len() => {
                        Err(Failure::retry("Spotify's answer speaks of none of the artists asked for"))
                    }
                    _ => Ok(vec![unanswered]),
                }
            }
            Err(error) if error.is_refusal() => {
                tracing::debug!("trying one artist at a time: {error}");
                let rejected = self.fetch_singly(ids, context).await?;
                self.singly.store(!capability::was_refused(store, ARTISTS).await?, Ordering::Relaxed);
                Ok(rejected)
            }
            // Something is wrong with this batch, not with the app.
            Err(error @ Error::Rejected { .. }) => {
                tracing::warn!("trying the artists of this batch one at a time: {error}");
                self.fetch_singly(ids, context).await
            }
            Err(error) => Err(failure(error)),
        }
    }

    async fn fetch_singly(&self, ids: &[String], context: &Context) -> Result<Vec<Vec<String>>, Failure> {
        let store = &*context.store;
        let (mut rejected, mut is_allowed) = (Vec::new(), false);
        for id in ids {
            match paid(context, self.client.artist(id)).await? {
                Ok(artist) => {
                    store.save_artists(&[artist]).await?;
                    is_allowed = true;
                }
                Err(Error::Forbidden { detail, .. }) => {
                    capability::refused(store, ARTISTS, &detail).await?;
                    return Ok(rejected);
                }
                Err(error @ Error::Rejected { .. }) if ids.len() == 1 => return Err(failure(error)),
                Err(Error::Rejected { .. }) => rejected.push(vec![id.clone()]),
                Err(error) => return Err(failure(error)),
            }
        }
        if is_allowed {
            capability::allowed(store, ARTISTS).await?;
        }
        Ok(rejected)
    }
}
