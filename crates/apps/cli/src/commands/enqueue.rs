//! `spotifai enqueue`.

mod file;
mod reader;
mod searches;

use host::Backends;
use model::Timestamp;
use model::job::{Envelope, JobBody, TrackAnalysisJob, TrackPitchesJob, TrackTagsJob, TracksAudioJob};
use model::run::Run;

use crate::args::EnqueueCommand;
use crate::output::{say, thousands};
use crate::playlist_run::{first_pages, new_run, playlist_ids};
use crate::refusals;

/// Tracks of one `tracks.audio` job.
const AUDIO_BATCH: usize = 100;

/// Publishes jobs and says how many.
pub async fn run(command: EnqueueCommand, backends: &Backends) -> anyhow::Result<()> {
    match command {
        EnqueueCommand::Playlist { playlists } => {
            let started_at = Timestamp::now();
            let run = Run { finished_at: Some(started_at), ..new_run(&playlist_ids(&playlists)?, started_at) };
            backends.store.save_run(&run).await?;
            backends.queue.publish(&first_pages(&run, false)).await?;
            refusals::warn_of_remembered(backends).await?;
            say(&format!(
                "enqueued {} as run {}; `spotifai status` shows how far it is",
                count(run.playlists.len(), "playlist"),
                run.id
            ))
        }
        EnqueueCommand::Tags(_) => {
            let tracks = backends.store.tracks_without_tags().await?;
            let jobs: Vec<_> = tracks.into_iter().map(|track_id| Envelope::new(&TrackTagsJob { track_id })).collect();
            backends.queue.publish(&jobs).await?;
            say(&format!("enqueued {}", count(jobs.len(), "track without tags")))
        }
        EnqueueCommand::Pitches(_) => {
            let unfetched = backends.store.tracks_without_audio().await?;
            let uncomputed = backends.store.tracks_without_pitches().await?;
            let fetch =
                unfetched.chunks(AUDIO_BATCH).map(|ids| Envelope::new(&TracksAudioJob { track_ids: ids.to_vec() }));
            let compute = uncomputed.iter().map(|id| Envelope::new(&TrackPitchesJob { track_id: id.clone() }));
            let jobs: Vec<_> = fetch.chain(compute).collect();
            backends.queue.publish(&jobs).await?;
            refusals::warn_of_remembered(backends).await?;
            let [unfetched, uncomputed] = [unfetched, uncomputed].map(|ids| thousands(ids.len()));
            say(&format!("enqueued {unfetched} tracks without audio and {uncomputed} without pitches"))
        }
        EnqueueCommand::File(args) => {
            if [TracksAudioJob::KIND, TrackAnalysisJob::KIND, TrackPitchesJob::KIND].contains(&args.kind.name) {
                refusals::warn_of_remembered(backends).await?;
            }
            file::run(args, backends).await
        }
    }
}

fn count(n: usize, what: &str) -> String {
    let plural = match what.split_once(' ') {
        Some((noun, rest)) => format!("{noun}s {rest}"),
        None => format!("{what}s"),
    };
    format!("{} {}", thousands(n), if n == 1 { what.to_owned() } else { plural })
}
