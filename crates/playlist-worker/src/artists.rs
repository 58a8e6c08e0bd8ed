//! `artists.genres`: the genres of up to 50 artists.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use model::job::{ArtistsGenres, Envelope};
use model::track::Artist;
use spotify::{Client, Error};
use worker::{Context, Failure, Handler};

use crate::capability::{self, ARTISTS};
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
        if !missing.is_empty() && !capability::was_refused(&*context.store, ARTISTS).await? {
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
                    context.store.save_artists(&artists).await?;
                    return Ok(capability::allowed(&*context.store, ARTISTS).await?);
                }
                Err(error) if error.is_refusal() => tracing::debug!("trying one artist at a time: {error}"),
                Err(error) => return Err(failure(error)),
            }
        }
        for id in ids {
            let artist = match paid(context, self.client.artist(id)).await? {
                Ok(artist) => artist.unwrap_or_else(|| unknown(id.clone())),
                Err(Error::Forbidden { detail, .. }) => {
                    return Ok(capability::refused(&*context.store, ARTISTS, &detail).await?);
                }
                Err(error) => return Err(failure(error)),
            };
            context.store.save_artists(&[artist]).await?;
        }
        self.singly.store(true, Ordering::Relaxed);
        Ok(capability::allowed(&*context.store, ARTISTS).await?)
    }
}

/// An artist that Spotify does not know any more: stored, so that nobody asks again.
fn unknown(id: String) -> Artist {
    Artist { id, name: String::new(), genres: Vec::new() }
}
