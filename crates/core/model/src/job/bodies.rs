//! The kinds of job that several workers know: who runs them, and who names them as follow-up jobs.

use std::slice::from_ref;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::JobBody;
use crate::id::{is_id, named as named_id};
use crate::track::PAGE_ROWS;

const PLAYLIST_WORKER: &str = "playlist-worker";
const GRID_WORKER: &str = "grid-worker";

/// The rate budget of requests to Spotify.
pub const SPOTIFY_BUDGET: &str = "spotify";

/// The rate budget of requests to last.fm.
pub const LASTFM_BUDGET: &str = "lastfm";

/// Some requests, each with its own time-out, and the waits for their permits while others of the team use the rate too.
const REQUESTS: Duration = Duration::from_secs(600);

/// Tracks of one `tracks.audio` job: as many as one request may name.
const MOST_TRACKS: usize = 100;

/// Artists of one `artists.genres` job: as many as one request may name.
const MOST_ARTISTS: usize = 50;

/// Read one page of a playlist. The page at offset 0 fans out all others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaylistPageJob {
    /// The run that collects it.
    pub run: String,
    /// Playlist id.
    pub playlist: String,
    /// Index of the first row; asked for are the rows from there up to the next multiple of 50.
    pub offset: u32,
    /// Whether of its tracks only the tags are wanted: neither audio nor artists are asked for.
    #[serde(default)]
    pub labels_only: bool,
}

impl JobBody for PlaylistPageJob {
    const KIND: &'static str = "playlist.page";
    const WORKER: &'static str = PLAYLIST_WORKER;
    const TIMEOUT: Duration = REQUESTS;
    const BUDGETS: &'static [&'static str] = &[SPOTIFY_BUDGET];
    const EXAMPLE: &'static str = r#"{"run":"…","playlist":"ID","offset":50}"#;

    fn key(&self) -> String {
        format!("{}/{}/{}", self.run, self.playlist, self.offset)
    }

    fn of_key(key: &str) -> Option<Self> {
        let (rest, offset) = key.rsplit_once('/')?;
        let (run, playlist) = rest.rsplit_once('/')?;
        let (run, playlist) = (run.to_owned(), playlist.to_owned());
        Some(Self { run, playlist, offset: offset.parse().ok()?, labels_only: false })
    }

    fn ids(&self) -> &[String] {
        from_ref(&self.playlist)
    }

    fn run(&self) -> Option<&str> {
        Some(&self.run)
    }

    fn check(&self) -> Result<(), String> {
        named("run", &self.run)?;
        id(&self.playlist, "playlist")?;
        match self.offset.is_multiple_of(PAGE_ROWS) {
            true => Ok(()),
            false => Err(format!("the offset {} is no multiple of {PAGE_ROWS}", self.offset)),
        }
    }
}

/// Fetch the audio features of up to 100 tracks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracksAudioJob {
    /// Spotify ids.
    pub track_ids: Vec<String>,
}

impl JobBody for TracksAudioJob {
    const KIND: &'static str = "tracks.audio";
    const WORKER: &'static str = PLAYLIST_WORKER;
    const TIMEOUT: Duration = REQUESTS;
    const BUDGETS: &'static [&'static str] = &[SPOTIFY_BUDGET];
    const EXAMPLE: &'static str = r#"{"track_ids":["ID",…]}, at most 100"#;

    fn key(&self) -> String {
        self.track_ids.join(",")
    }

    fn of_key(key: &str) -> Option<Self> {
        Some(Self { track_ids: list(key) })
    }

    fn ids(&self) -> &[String] {
        &self.track_ids
    }

    fn check(&self) -> Result<(), String> {
        ids("track_ids", &self.track_ids, MOST_TRACKS, "track")
    }
}

/// Fetch the genres of up to 50 artists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtistsGenresJob {
    /// Spotify ids.
    pub artist_ids: Vec<String>,
}

impl JobBody for ArtistsGenresJob {
    const KIND: &'static str = "artists.genres";
    const WORKER: &'static str = PLAYLIST_WORKER;
    const TIMEOUT: Duration = REQUESTS;
    const BUDGETS: &'static [&'static str] = &[SPOTIFY_BUDGET];
    const EXAMPLE: &'static str = r#"{"artist_ids":["ID",…]}, at most 50"#;

    fn key(&self) -> String {
        self.artist_ids.join(",")
    }

    fn of_key(key: &str) -> Option<Self> {
        Some(Self { artist_ids: list(key) })
    }

    fn ids(&self) -> &[String] {
        &self.artist_ids
    }

    fn check(&self) -> Result<(), String> {
        ids("artist_ids", &self.artist_ids, MOST_ARTISTS, "artist")
    }
}

/// A kind of job about one track.
macro_rules! of_track {
    ($(#[$doc:meta])* $body:ident => $kind:literal, $worker:expr, $timeout:expr, $budgets:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $body {
            /// Spotify id.
            pub track_id: String,
        }

        impl JobBody for $body {
            const KIND: &'static str = $kind;
            const WORKER: &'static str = $worker;
            const TIMEOUT: Duration = $timeout;
            const BUDGETS: &'static [&'static str] = $budgets;
            const EXAMPLE: &'static str = r#"{"track_id":"ID"}, or ID, or the track's URI or address"#;

            fn key(&self) -> String {
                self.track_id.clone()
            }

            fn of_key(key: &str) -> Option<Self> {
                // As it is where it is none: then that is said.
                Some(Self { track_id: named_id(key, "track").unwrap_or(key).to_owned() })
            }

            fn ids(&self) -> &[String] {
                from_ref(&self.track_id)
            }

            fn check(&self) -> Result<(), String> {
                id(&self.track_id, "track")
            }
        }
    };
}

of_track! {
    /// Fetch a track's title and artists: for a job about a track that no playlist brought.
    TrackMetadataJob => "track.metadata", PLAYLIST_WORKER, REQUESTS, &[SPOTIFY_BUDGET]
}

of_track! {
    /// Fetch the audio analysis of a track.
    TrackAnalysisJob => "track.analysis", PLAYLIST_WORKER, REQUESTS, &[SPOTIFY_BUDGET]
}

of_track! {
    /// Fetch the tags of a track from last.fm.
    TrackTagsJob => "track.tags", "lastfm-worker", REQUESTS, &[LASTFM_BUDGET]
}

of_track! {
    /// Resample the segments of a track to the pitch columns.
    TrackPitchesJob => "track.pitches", "pitch-worker", Duration::from_secs(60), &[]
}

/// Fit one block of a search's settings on its folds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchBlockJob {
    /// Search id.
    pub search: String,
    /// Index into the search's blocks.
    pub block: u32,
}

impl JobBody for SearchBlockJob {
    const KIND: &'static str = "search.block";
    const WORKER: &'static str = GRID_WORKER;
    /// Beside what the block's own estimate allows.
    const TIMEOUT: Duration = Duration::from_secs(1_800);
    const EXAMPLE: &'static str = r#"{"search":"…","block":0}"#;

    fn key(&self) -> String {
        format!("{}/{}", self.search, self.block)
    }

    fn of_key(key: &str) -> Option<Self> {
        let (search, block) = key.rsplit_once('/')?;
        Some(Self { search: search.to_owned(), block: block.parse().ok()? })
    }

    fn check(&self) -> Result<(), String> {
        named("search", &self.search)
    }
}

/// Refit the winner of a finished search and look at the held-out tracks once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchRefitJob {
    /// Search id.
    pub search: String,
}

impl JobBody for SearchRefitJob {
    const KIND: &'static str = "search.refit";
    const WORKER: &'static str = GRID_WORKER;
    const TIMEOUT: Duration = Duration::from_secs(4 * 3_600);
    const EXAMPLE: &'static str = r#"{"search":"…"}, or the search's id"#;

    fn key(&self) -> String {
        self.search.clone()
    }

    fn of_key(key: &str) -> Option<Self> {
        Some(Self { search: key.to_owned() })
    }

    fn check(&self) -> Result<(), String> {
        named("search", &self.search)
    }
}

fn list(key: &str) -> Vec<String> {
    key.split(',').map(str::to_owned).collect()
}

fn id(text: &str, what: &str) -> Result<(), String> {
    if is_id(text) { Ok(()) } else { Err(format!("`{text}` is no {what} id (22 letters and digits)")) }
}

fn ids(field: &str, ids: &[String], most: usize, what: &str) -> Result<(), String> {
    match ids.len() {
        0 => Err(format!("{field} names nothing")),
        n if n > most => Err(format!("{field} has {n} ids, at most {most} fit into a job")),
        _ => ids.iter().try_for_each(|text| id(text, what)),
    }
}

fn named(field: &str, value: &str) -> Result<(), String> {
    if value.trim().is_empty() { Err(format!("{field} is empty")) } else { Ok(()) }
}
