//! `playlist.page`: one page of a playlist, and all the jobs that follow from it.

use std::sync::Arc;

use async_trait::async_trait;
use host::Registered;
use model::Timestamp;
use model::job::{ArtistsGenresJob, Envelope, PlaylistPageJob, TrackTagsJob, TracksAudioJob};
use model::track::PlaylistPage;
use runtime::{Context, Failure, Handler};
use spotify::{Client, Error};
use store::{Audio, Store, Tags, Tracks};

use crate::ids::{distinct, without};
use crate::request::{SLOTS, failure, paid};

/// How many artists Spotify returns at once, and so the most of one job.
const MAX_ARTISTS_PER_JOB: usize = 50;

/// Reads pages of playlists.
pub(crate) struct PlaylistPages {
    client: Client,
    tracks: Arc<dyn Tracks>,
    tags: Arc<dyn Tags>,
    audio: Arc<dyn Audio>,
}

impl Registered<Client> for PlaylistPages {
    fn new(client: &Client, store: Arc<dyn Store>) -> Self {
        Self { client: client.clone(), tracks: store.clone(), tags: store.clone(), audio: store }
    }

    fn slots() -> usize {
        SLOTS
    }
}

#[async_trait]
impl Handler for PlaylistPages {
    type Body = PlaylistPageJob;

    async fn run(&self, job: PlaylistPageJob, context: &Context) -> Result<Vec<Envelope>, Failure> {
        let page = match self.tracks.page(&job.run, &job.playlist, job.offset).await? {
            Some(page) => page,
            None => self.fetch(&job, context).await?,
        };
        let mut jobs = self.page_jobs(&page, job.labels_only).await?;
        jobs.extend(self.track_jobs(&page, job.labels_only).await?);
        Ok(jobs)
    }
}

impl PlaylistPages {
    /// Reads and stores a page.
    pub(crate) async fn fetch(&self, job: &PlaylistPageJob, context: &Context) -> Result<PlaylistPage, Failure> {
        let answer = paid(context, self.client.playlist_items(&job.playlist, job.offset)).await?;
        let read = answer.map_err(|error| match error {
            Error::Forbidden { .. } => Failure::dead(format!(
                "{error}; an app registered since 2026 reads only playlists of the user who signed in: run `spotifai login` \
                 as an owner or collaborator of this one"
            )),
            other => failure(other),
        })?;
        let page = PlaylistPage {
            run: job.run.clone(),
            playlist: job.playlist.clone(),
            offset: job.offset,
            total: read.total,
            has_next: read.has_next,
            rows: read.rows,
            track_ids: read.tracks.iter().map(|track| track.id.clone()).collect(),
            skipped: read.skipped,
            fetched_at: Timestamp::now(),
        };
        self.tracks.save_page(&page, &read.tracks).await?;
        Ok(page)
    }

    /// Jobs for the pages that follow from this one ([`PlaylistPage::next_offsets`]).
    async fn page_jobs(&self, page: &PlaylistPage, labels_only: bool) -> Result<Vec<Envelope>, Failure> {
        let page_job = |offset| {
            let (run, playlist) = (page.run.clone(), page.playlist.clone());
            Envelope::new(&PlaylistPageJob { run, playlist, offset, labels_only })
        };
        let first = match page.offset {
            0 => Some(page.clone()),
            _ => self.tracks.page(&page.run, &page.playlist, 0).await?,
        };
        Ok(page.next_offsets(first.as_ref()).into_iter().map(page_job).collect())
    }

    /// Jobs for what is missing of a page's tracks and their artists. Ids are sorted, so that the jobs always have the same
    /// keys.
    async fn track_jobs(&self, page: &PlaylistPage, labels_only: bool) -> Result<Vec<Envelope>, Failure> {
        let ids: Vec<String> = distinct(page.track_ids.iter().cloned());
        let tagged = distinct(self.tags.tags(&ids).await?.into_iter().map(|tags| tags.track_id));
        let untagged = without(&ids, &tagged).into_iter().map(|track_id| Envelope::new(&TrackTagsJob { track_id }));
        let mut jobs: Vec<Envelope> = untagged.collect();
        if labels_only {
            return Ok(jobs);
        }

        let featured = distinct(self.audio.features(&ids).await?.into_iter().map(|features| features.track_id));
        let analysed = distinct(self.audio.analysed(&ids).await?);
        let without_audio = distinct(without(&ids, &featured).into_iter().chain(without(&ids, &analysed)));
        if !without_audio.is_empty() {
            jobs.push(Envelope::new(&TracksAudioJob { track_ids: without_audio }));
        }

        let tracks = self.tracks.tracks(&ids).await?;
        let artists = distinct(tracks.into_iter().flat_map(|track| track.artists).filter_map(|artist| artist.id));
        let known = distinct(self.tracks.artists(&artists).await?.into_iter().map(|artist| artist.id));
        let unknown = without(&artists, &known);
        jobs.extend(
            unknown
                .chunks(MAX_ARTISTS_PER_JOB)
                .map(|ids| Envelope::new(&ArtistsGenresJob { artist_ids: ids.to_vec() })),
        );
        Ok(jobs)
    }
}
