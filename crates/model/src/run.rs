//! A run: playlists on their way to a report.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// One collection of playlists, remembered so that the same command goes on where it stopped.
///
/// Natural key: `id`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Unique.
    pub id: String,
    /// Playlist ids, sorted.
    pub playlists: Vec<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When its report was written.
    pub finished_at: Option<Timestamp>,
}
