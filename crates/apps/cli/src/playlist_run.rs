//! A run of playlists: what it is for, and its first jobs.

use model::Timestamp;
use model::job::{Envelope, PlaylistPageJob};
use model::run::Run;

use crate::error::usage;

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// A model.
    Model,
    /// Tracks with their labels.
    Labels,
}

/// The ids of playlists named by id, URI or address, sorted, each once.
pub fn playlist_ids(playlists: &[String]) -> anyhow::Result<Vec<String>> {
    let ids: Result<Vec<_>, _> = playlists.iter().map(|playlist| spotify::parse_playlist(playlist)).collect();
    let mut ids = ids.map_err(usage)?;
    ids.sort();
    ids.dedup();
    Ok(ids)
}

/// Whether the command that began it has something left to do.
pub fn is_open(run: &Run) -> bool {
    run.finished_at.is_none() && run.cancelled_at.is_none()
}

/// A run of these playlists that begins now.
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

/// The jobs that begin a run: the first page of each playlist, which fans out all others.
pub fn first_pages(run: &Run, labels_only: bool) -> Vec<Envelope> {
    let job = |playlist: &String| {
        let (run, playlist) = (run.id.clone(), playlist.clone());
        PlaylistPageJob { run, playlist, offset: 0, labels_only }
    };
    run.playlists.iter().map(|playlist| Envelope::new(&job(playlist)).urgent()).collect()
}
