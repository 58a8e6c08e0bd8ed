//! `spotifai enqueue`.

mod file;
mod reader;
mod searches;

use host::Backends;
use model::Timestamp;
use model::job::{Envelope, JobBody, TrackAnalysisJob, TrackPitchesJob, TrackTagsJob, TracksAudioJob};
use model::run::Run;

use crate::args::EnqueueCommand;
use crate::output::{counted, print_line};
use crate::playlist_run::{first_pages, new_run, playlist_ids};
use crate::refusals;

/// Tracks in one `tracks.audio` job.
const AUDIO_BATCH_TRACKS: usize = 100;

/// Publishes jobs and prints how many.
pub async fn run(command: EnqueueCommand, backends: &Backends) -> anyhow::Result<()> {
    match command {
        EnqueueCommand::Playlist { playlists } => {
            let started_at = Timestamp::now();
            let run = Run { finished_at: Some(started_at), ..new_run(&playlist_ids(&playlists)?, started_at) };
            backends.store.save_run(&run).await?;
            backends.queue.publish(&first_pages(&run, false)).await?;
            refusals::warn_remembered(backends).await?;
            print_line(&format!(
                "enqueued {} as run {}; `spotifai runs` shows its progress",
                counted(run.playlists.len(), "playlist"),
                run.id
            ))
        }
        EnqueueCommand::Tags(_) => {
            let tracks = backends.store.tracks_without_tags().await?;
            let jobs: Vec<_> = tracks.into_iter().map(|track_id| Envelope::new(&TrackTagsJob { track_id })).collect();
            backends.queue.publish(&jobs).await?;
            print_line(&format!("enqueued {}", counted(jobs.len(), "track without tags")))
        }
        EnqueueCommand::Pitches(_) => {
            let unfetched = backends.store.tracks_without_audio().await?;
            let uncomputed = backends.store.tracks_without_pitches().await?;
            let fetch = unfetched
                .chunks(AUDIO_BATCH_TRACKS)
                .map(|ids| Envelope::new(&TracksAudioJob { track_ids: ids.to_vec() }));
            let compute = uncomputed.iter().map(|id| Envelope::new(&TrackPitchesJob { track_id: id.clone() }));
            let jobs: Vec<_> = fetch.chain(compute).collect();
            backends.queue.publish(&jobs).await?;
            refusals::warn_remembered(backends).await?;
            print_line(&format!(
                "enqueued {} and {}",
                counted(unfetched.len(), "track without audio"),
                counted(uncomputed.len(), "track without pitches")
            ))
        }
        EnqueueCommand::File(args) => {
            if [TracksAudioJob::KIND, TrackAnalysisJob::KIND, TrackPitchesJob::KIND].contains(&args.kind.name) {
                refusals::warn_remembered(backends).await?;
            }
            file::run(args, backends).await
        }
    }
}
