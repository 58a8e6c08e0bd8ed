//! Starting a run over playlists.

use model::Timestamp;
use model::job::{Envelope, PlaylistPageJob};
use model::run::Run;

use crate::error::usage;

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunGoal {
    /// A trained model.
    Model,
    /// Tracks with labels, without audio.
    Labels,
}

/// Parses playlist ids, URIs or URLs; the ids are sorted and unique.
pub fn playlist_ids(playlists: &[String]) -> anyhow::Result<Vec<String>> {
    let ids: Result<Vec<_>, _> = playlists.iter().map(|playlist| spotify::parse_playlist(playlist)).collect();
    let mut ids = ids.map_err(usage)?;
    ids.sort();
    ids.dedup();
    Ok(ids)
}

/// Whether a run is neither finished nor cancelled.
pub fn is_open(run: &Run) -> bool {
    run.finished_at.is_none() && run.cancelled_at.is_none()
}

/// A new run over these playlists.
pub fn new_run(playlists: &[String], started_at: Timestamp) -> Run {
    let id = format!("r{}", uuid::Uuid::new_v4().simple());
    Run {
        id,
        playlists: playlists.to_vec(),
        started_at,
        finished_at: None,
        failure: None,
        cancelled_at: None,
        stand_in: None,
    }
}

/// The first jobs of a run: the first page of each playlist, which publishes the jobs for the others.
pub fn first_pages(run: &Run, labels_only: bool) -> Vec<Envelope> {
    let job = |playlist: &String| {
        let (run, playlist) = (run.id.clone(), playlist.clone());
        PlaylistPageJob { run, playlist, offset: 0, labels_only }
    };
    run.playlists.iter().map(|playlist| Envelope::new(&job(playlist)).urgent()).collect()
}
