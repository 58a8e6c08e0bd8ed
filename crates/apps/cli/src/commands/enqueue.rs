//! `spotifai enqueue`.

mod file;
mod reader;
mod searches;

use host::Home;
use model::Timestamp;
use model::job::{Body, Envelope, TrackAnalysisJob, TrackPitchesJob, TrackTags, TracksAudio};
use model::run::Run;

use crate::args::Enqueue;
use crate::output::{say, thousands};
use crate::playlist_run::{first_pages, new_run, playlist_ids};
use crate::refusals;

/// Tracks of one `tracks.audio` job.
const AUDIO_BATCH: usize = 100;

/// Publishes jobs and says how many.
pub async fn run(command: Enqueue, home: &Home) -> anyhow::Result<()> {
    match command {
        Enqueue::Playlist { playlists } => {
            let started_at = Timestamp::now();
            let run = Run { finished_at: Some(started_at), ..new_run(&playlist_ids(&playlists)?, started_at) };
            home.store.save_run(&run).await?;
            home.queue.publish(&first_pages(&run, false)).await?;
            refusals::warn_of_remembered(home).await?;
            say(&format!(
                "enqueued {} as run {}; `spotifai status` shows how far it is",
                count(run.playlists.len(), "playlist"),
                run.id
            ))
        }
        Enqueue::Tags(_) => {
            let tracks = home.store.tracks_without_tags().await?;
            let jobs: Vec<_> = tracks.into_iter().map(|track_id| Envelope::new(&TrackTags { track_id })).collect();
            home.queue.publish(&jobs).await?;
            say(&format!("enqueued {}", count(jobs.len(), "track without tags")))
        }
        Enqueue::Pitches(_) => {
            let unfetched = home.store.tracks_without_audio().await?;
            let uncomputed = home.store.tracks_without_pitches().await?;
            let fetch =
                unfetched.chunks(AUDIO_BATCH).map(|ids| Envelope::new(&TracksAudio { track_ids: ids.to_vec() }));
            let compute = uncomputed.iter().map(|id| Envelope::new(&TrackPitchesJob { track_id: id.clone() }));
            let jobs: Vec<_> = fetch.chain(compute).collect();
            home.queue.publish(&jobs).await?;
            refusals::warn_of_remembered(home).await?;
            let [unfetched, uncomputed] = [unfetched, uncomputed].map(|ids| thousands(ids.len()));
            say(&format!("enqueued {unfetched} tracks without audio and {uncomputed} without pitches"))
        }
        Enqueue::File(args) => {
            if [TracksAudio::KIND, TrackAnalysisJob::KIND, TrackPitchesJob::KIND].contains(&args.kind.name) {
                refusals::warn_of_remembered(home).await?;
            }
            file::run(args, home).await
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
