//! `artists.genres`: the genres of up to 50 artists.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use model::job::{ArtistsGenres, Envelope};
use model::track::Artist;
use spotify::Client;
use worker::{Context, Failure, Handler};

use crate::ids::{distinct, without};
use crate::request::{BUDGET, failure, paid};

/// Fetches artists.
pub(crate) struct Artists {
    client: Client,
    /// The batch form was refused and the single one was not: newer apps may only ask for one artist at a time.
    singly: AtomicBool,
}

#[async_trait]
impl Handler for Artists {
    type Body = ArtistsGenres;

    fn budgets(&self) -> &[&'static str] {
        &[BUDGET]
    }

    async fn run(&self, job: ArtistsGenres, context: &Context) -> Result<Vec<Envelope>, Failure> {
        let ids = distinct(job.artist_ids);
        let known = distinct(context.store.artists(&ids).await?.into_iter().map(|artist| artist.id));
        let missing = without(&ids, &known);
        if !missing.is_empty() {
            self.fetch(&missing, context).await?;
        }
        Ok(Vec::new())
    }
}

impl Artists {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, singly: AtomicBool::new(false) }
    }

    /// Fetches and stores them: in one request, or one by one where that is refused.
    async fn fetch(&self, ids: &[String], context: &Context) -> Result<(), Failure> {
        if !self.singly.load(Ordering::Relaxed) {
            match paid(context, self.client.artists(ids)).await? {
                Ok(mut artists) => {
                    let found = distinct(artists.iter().map(|artist| artist.id.clone()));
                    artists.extend(without(ids, &found).into_iter().map(unknown));
                    return Ok(context.store.save_artists(&artists).await?);
                }
                Err(error) if error.is_refusal() => tracing::debug!("trying one artist at a time: {error}"),
                Err(error) => return Err(failure(error)),
            }
        }
        for id in ids {
            let artist = paid(context, self.client.artist(id)).await?.map_err(failure)?;
            context.store.save_artists(&[artist.unwrap_or_else(|| unknown(id.clone()))]).await?;
        }
        self.singly.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// An artist that Spotify does not know any more: stored, so that nobody asks again.
fn unknown(id: String) -> Artist {
    Artist { id, name: String::new(), genres: Vec::new() }
}
