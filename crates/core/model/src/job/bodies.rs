//! The kinds of job that several crates refer to: the workers that run them, and those that publish them as follow-ups.

use std::slice::from_ref;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::JobBody;
use crate::id::{is_id, parse_id};
use crate::track::PAGE_ROWS;

const PLAYLIST_WORKER: &str = "playlist-worker";
const GRID_WORKER: &str = "grid-worker";

/// The rate budget of requests to Spotify.
pub const SPOTIFY_BUDGET: &str = "spotify";

/// The rate budget of requests to last.fm.
pub const LASTFM_BUDGET: &str = "lastfm";

/// Time-out of a job that makes a few requests: each has a time-out of its own, and waits for a permit of the team's rate.
const REQUESTS_TIMEOUT: Duration = Duration::from_secs(600);

/// Spotify's limit on tracks per request, and so on tracks per `tracks.audio` job.
const MAX_TRACKS_PER_JOB: usize = 100;

/// Spotify's limit on artists per request, and so on artists per `artists.genres` job.
const MAX_ARTISTS_PER_JOB: usize = 50;

/// Read one page of a playlist. The page at offset 0 fans out all others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaylistPageJob {
    /// The run that collects it.
    pub run: String,
    /// Playlist id.
    pub playlist: String,
    /// Index of the first row. The job requests the rows from there up to the next multiple of 50.
    pub offset: u32,
    /// Whether only the tags of its tracks are wanted: neither audio nor artists are requested.
    #[serde(default)]
    pub labels_only: bool,
}

impl JobBody for PlaylistPageJob {
    const KIND: &'static str = "playlist.page";
    const WORKER: &'static str = PLAYLIST_WORKER;
    const TIMEOUT: Duration = REQUESTS_TIMEOUT;
    const BUDGETS: &'static [&'static str] = &[SPOTIFY_BUDGET];
    const EXAMPLE: &'static str = r#"{"run":"…","playlist":"ID","offset":50}"#;

    fn key(&self) -> String {
        format!("{}/{}/{}", self.run, self.playlist, self.offset)
    }

    fn from_key(key: &str) -> Option<Self> {
        let (rest, offset) = key.rsplit_once('/')?;
        let (run, playlist) = rest.rsplit_once('/')?;
        let (run, playlist) = (run.to_owned(), playlist.to_owned());
        Some(Self { run, playlist, offset: offset.parse().ok()?, labels_only: false })
    }

    fn source_ids(&self) -> &[String] {
        from_ref(&self.playlist)
    }

    fn run(&self) -> Option<&str> {
        Some(&self.run)
    }

    fn validate(&self) -> Result<(), String> {
        require_text("run", &self.run)?;
        validate_id(&self.playlist, "playlist")?;
        match self.offset.is_multiple_of(PAGE_ROWS) {
            true => Ok(()),
            false => Err(format!("the offset {} is not a multiple of {PAGE_ROWS}", self.offset)),
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
    const TIMEOUT: Duration = REQUESTS_TIMEOUT;
    const BUDGETS: &'static [&'static str] = &[SPOTIFY_BUDGET];
    const EXAMPLE: &'static str = r#"{"track_ids":["ID",…]}, at most 100"#;

    fn key(&self) -> String {
        self.track_ids.join(",")
    }

    fn from_key(key: &str) -> Option<Self> {
        Some(Self { track_ids: split_ids(key) })
    }

    fn source_ids(&self) -> &[String] {
        &self.track_ids
    }

    fn validate(&self) -> Result<(), String> {
        validate_ids("track_ids", &self.track_ids, MAX_TRACKS_PER_JOB, "track")
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
    const TIMEOUT: Duration = REQUESTS_TIMEOUT;
    const BUDGETS: &'static [&'static str] = &[SPOTIFY_BUDGET];
    const EXAMPLE: &'static str = r#"{"artist_ids":["ID",…]}, at most 50"#;

    fn key(&self) -> String {
        self.artist_ids.join(",")
    }

    fn from_key(key: &str) -> Option<Self> {
        Some(Self { artist_ids: split_ids(key) })
    }

    fn source_ids(&self) -> &[String] {
        &self.artist_ids
    }

    fn validate(&self) -> Result<(), String> {
        validate_ids("artist_ids", &self.artist_ids, MAX_ARTISTS_PER_JOB, "artist")
    }
}

/// Declares a kind of job about one track.
macro_rules! track_job {
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
            const EXAMPLE: &'static str = r#"{"track_id":"ID"}, or ID, or the track's URI or URL"#;

            fn key(&self) -> String {
                self.track_id.clone()
            }

            fn from_key(key: &str) -> Option<Self> {
                // An invalid key is kept as it is: `validate` reports it.
                Some(Self { track_id: parse_id(key, "track").unwrap_or(key).to_owned() })
            }

            fn source_ids(&self) -> &[String] {
                from_ref(&self.track_id)
            }

            fn validate(&self) -> Result<(), String> {
                validate_id(&self.track_id, "track")
            }
        }
    };
}

track_job! {
    /// Fetch a track's title and artists, for jobs about a track that is on no playlist.
    TrackMetadataJob => "track.metadata", PLAYLIST_WORKER, REQUESTS_TIMEOUT, &[SPOTIFY_BUDGET]
}

track_job! {
    /// Fetch the audio analysis of a track.
    TrackAnalysisJob => "track.analysis", PLAYLIST_WORKER, REQUESTS_TIMEOUT, &[SPOTIFY_BUDGET]
}

track_job! {
    /// Fetch the tags of a track from last.fm.
    TrackTagsJob => "track.tags", "lastfm-worker", REQUESTS_TIMEOUT, &[LASTFM_BUDGET]
}

track_job! {
    /// Resample the segments of a track to the pitch columns.
    TrackPitchesJob => "track.pitches", "pitch-worker", Duration::from_secs(60), &[]
}

/// Fit one block of a search: some candidates on some folds.
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
    /// In addition to what the block's own cost estimate allows.
    const TIMEOUT: Duration = Duration::from_secs(1_800);
    const EXAMPLE: &'static str = r#"{"search":"…","block":0}"#;

    fn key(&self) -> String {
        format!("{}/{}", self.search, self.block)
    }

    fn from_key(key: &str) -> Option<Self> {
        let (search, block) = key.rsplit_once('/')?;
        Some(Self { search: search.to_owned(), block: block.parse().ok()? })
    }

    fn validate(&self) -> Result<(), String> {
        require_text("search", &self.search)
    }
}

/// Refit the winner of a finished search, and evaluate it once on the held-out tracks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchRefitJob {
    /// Search id.
    pub search: String,
}

impl JobBody for SearchRefitJob {
    const KIND: &'static str = "search.refit";
    const WORKER: &'static str = GRID_WORKER;
    const TIMEOUT: Duration = Duration::from_secs(4 * 3_600);
    const EXAMPLE: &'static str = r#"{"search":"…"}, or the search's ID"#;

    fn key(&self) -> String {
        self.search.clone()
    }

    fn from_key(key: &str) -> Option<Self> {
        Some(Self { search: key.to_owned() })
    }

    fn validate(&self) -> Result<(), String> {
        require_text("search", &self.search)
    }
}

fn split_ids(key: &str) -> Vec<String> {
    key.split(',').map(str::to_owned).collect()
}

fn validate_id(text: &str, kind: &str) -> Result<(), String> {
    if is_id(text) { Ok(()) } else { Err(format!("`{text}` is not a valid {kind} id (22 letters and digits)")) }
}

fn validate_ids(field: &str, ids: &[String], max_count: usize, kind: &str) -> Result<(), String> {
    match ids.len() {
        0 => Err(format!("{field} is empty")),
        n if n > max_count => Err(format!("{field} has {n} ids: a job takes at most {max_count}")),
        _ => ids.iter().try_for_each(|text| validate_id(text, kind)),
    }
}

fn require_text(field: &str, value: &str) -> Result<(), String> {
    if value.trim().is_empty() { Err(format!("{field} is empty")) } else { Ok(()) }
}
