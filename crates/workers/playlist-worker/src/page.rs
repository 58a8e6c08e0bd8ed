//! `playlist.page`: one page of a playlist, and all the work that it brings.

use async_trait::async_trait;
use model::Timestamp;
use model::job::{ArtistsGenresJob, Envelope, PlaylistPageJob, TrackTagsJob, TracksAudioJob};
use model::track::PlaylistPage;
use runtime::{Context, Failure, Handler};
use spotify::{Client, Error};
use store::Store;

use crate::ids::{distinct, without};
use crate::request::{failure, paid};

/// Most artists of one job: as many as Spotify gives at once.
const ARTISTS: usize = 50;

/// Reads pages of playlists.
pub(crate) struct PlaylistPages {
    pub(crate) client: Client,
}

#[async_trait]
impl Handler for PlaylistPages {
    type Body = PlaylistPageJob;

    async fn run(&self, job: PlaylistPageJob, context: &Context) -> Result<Vec<Envelope>, Failure> {
        let store = &*context.store;
        let page = match store.page(&job.run, &job.playlist, job.offset).await? {
            Some(page) => page,
            None => self.fetch(&job, context).await?,
        };
        let mut jobs = other_pages(store, &page, job.labels_only).await?;
        jobs.extend(work_on_tracks(store, &page, job.labels_only).await?);
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
        context.store.save_page(&page, &read.tracks).await?;
        Ok(page)
    }
}

/// The pages that this one brings ([`PlaylistPage::brings`]).
async fn other_pages(store: &dyn Store, page: &PlaylistPage, labels_only: bool) -> Result<Vec<Envelope>, Failure> {
    let of = |offset| {
        let (run, playlist) = (page.run.clone(), page.playlist.clone());
        Envelope::new(&PlaylistPageJob { run, playlist, offset, labels_only })
    };
    let first = match page.offset {
        0 => Some(page.clone()),
        _ => store.page(&page.run, &page.playlist, 0).await?,
    };
    Ok(page.next_offsets(first.as_ref()).into_iter().map(of).collect())
}

/// Jobs for what is not known yet of a page's tracks and their artists. Ids are sorted, so that the jobs' keys are the
/// same each time.
async fn work_on_tracks(store: &dyn Store, page: &PlaylistPage, labels_only: bool) -> Result<Vec<Envelope>, Failure> {
    let ids: Vec<String> = distinct(page.track_ids.iter().cloned());
    let tagged = distinct(store.tags(&ids).await?.into_iter().map(|tags| tags.track_id));
    let untagged = without(&ids, &tagged).into_iter().map(|track_id| Envelope::new(&TrackTagsJob { track_id }));
    let mut jobs: Vec<Envelope> = untagged.collect();
    if labels_only {
        return Ok(jobs);
    }

    let featured = distinct(store.features(&ids).await?.into_iter().map(|features| features.track_id));
    let analysed = distinct(store.analysed(&ids).await?);
    let silent = distinct(without(&ids, &featured).into_iter().chain(without(&ids, &analysed)));
    if !silent.is_empty() {
        jobs.push(Envelope::new(&TracksAudioJob { track_ids: silent }));
    }

    let tracks = store.tracks(&ids).await?;
    let artists = distinct(tracks.into_iter().flat_map(|track| track.artists).filter_map(|artist| artist.id));
    let known = distinct(store.artists(&artists).await?.into_iter().map(|artist| artist.id));
    let unknown = without(&artists, &known);
    jobs.extend(unknown.chunks(ARTISTS).map(|ids| Envelope::new(&ArtistsGenresJob { artist_ids: ids.to_vec() })));
    Ok(jobs)
}
