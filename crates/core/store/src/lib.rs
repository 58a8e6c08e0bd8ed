#![doc = include_str!("../README.md")]

mod embedded;
mod gcra;
mod mongo;
mod segments;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::Timestamp;
use model::analysis::TrackAnalysis;
use model::audio::{AudioFeatures, TrackPitches};
use model::dataset::DatasetInfo;
use model::fleet::{Budget, Capability, Heartbeat, Pause, Permits};
use model::run::Run;
use model::search::{ModelInfo, Search, SearchInfo, Trial};
use model::tag::{LabelSelection, LabelledTracks, TagSource, TaggedTrack, TagsOutcome};
use model::track::{Artist, PlaylistPage, Track};

/// The shared collections. Every `save_…` is an upsert by natural key: saving twice changes nothing. Lists are sorted by
/// natural key unless a method says otherwise.
///
/// Code that uses a part of them takes that part: an `Arc<dyn Store>` coerces to an `Arc<dyn Audio>`.
pub trait Store: Tracks + Tags + Audio + Datasets + Searches + Capabilities + Fleet {}
impl<T: Tracks + Tags + Audio + Datasets + Searches + Capabilities + Fleet> Store for T {}

/// `tracks`, `artists`, `playlist_pages`, `runs`.
#[async_trait]
pub trait Tracks: Send + Sync {
    /// Upserts tracks by id.
    async fn save_tracks(&self, tracks: &[Track]) -> Result<()>;
    /// The tracks with these ids. Unknown ids are left out.
    async fn tracks(&self, ids: &[String]) -> Result<Vec<Track>>;
    /// All tracks.
    async fn all_tracks(&self) -> Result<Vec<Track>>;
    /// Which of these tracks lack tags, audio features, an analysis or pitch columns.
    async fn gaps(&self, track_ids: &[String]) -> Result<Gaps>;
    /// Upserts artists by id.
    async fn save_artists(&self, artists: &[Artist]) -> Result<()>;
    /// The artists with these ids. Unknown ids are left out.
    async fn artists(&self, ids: &[String]) -> Result<Vec<Artist>>;
    /// Upserts a page of a playlist and its tracks: a reader who sees the page sees its tracks.
    async fn save_page(&self, page: &PlaylistPage, tracks: &[Track]) -> Result<()>;
    /// A page of a run, if it has been read.
    async fn page(&self, run: &str, playlist: &str, offset: u32) -> Result<Option<PlaylistPage>>;
    /// All pages of one run, or of all runs.
    async fn pages(&self, run: Option<&str>) -> Result<Vec<PlaylistPage>>;
    /// Upserts a run.
    async fn save_run(&self, run: &Run) -> Result<()>;
    /// All runs, oldest first.
    async fn runs(&self) -> Result<Vec<Run>>;
    /// Marks a run as cancelled, unless it is. Returns the run after that; `None` if it does not exist.
    async fn cancel_run(&self, id: &str, at: Timestamp) -> Result<Option<Run>>;
}

/// `tags`, `pages` and the view `labelled_tracks`.
#[async_trait]
pub trait Tags: Send + Sync {
    /// Upserts the outcome of looking up a track's tags, with canonical tags that leave out the track's artists.
    async fn save_tags(&self, track: &Track, outcome: &TagsOutcome, source: TagSource) -> Result<()>;
    /// The tags of these tracks. Tracks that were not looked up are left out.
    async fn tags(&self, track_ids: &[String]) -> Result<Vec<TaggedTrack>>;
    /// Ids of the tracks whose tags were not looked up yet.
    async fn tracks_without_tags(&self) -> Result<Vec<String>>;
    /// Keeps a page that was not understood, for inspection; the latest one of each address.
    async fn save_unrecognised(&self, address: &str, status: u16, body: &str) -> Result<()>;
    /// The view `labelled_tracks`: tracks with the labels that are selected from their canonical tags.
    async fn labelled_tracks(&self, label_selection: &LabelSelection) -> Result<LabelledTracks>;
    /// How many tracks have tags, have none, or are unknown to last.fm.
    async fn tag_outcomes(&self) -> Result<TagOutcomeCounts>;
}

/// `features`, `analyses`, `pitches`.
#[async_trait]
pub trait Audio: Send + Sync {
    /// Upserts audio features by track.
    async fn save_features(&self, features: &[AudioFeatures]) -> Result<()>;
    /// The features of these tracks. Tracks that were not asked for are left out.
    async fn features(&self, track_ids: &[String]) -> Result<Vec<AudioFeatures>>;
    /// Upserts an analysis; segments are packed without loss.
    async fn save_analysis(&self, analysis: &TrackAnalysis) -> Result<()>;
    /// The analysis of a track, if it was asked for.
    async fn analysis(&self, track_id: &str) -> Result<Option<TrackAnalysis>>;
    /// Which of these tracks have an entry in `analyses`, including those that Spotify has no analysis of.
    async fn analysed(&self, track_ids: &[String]) -> Result<Vec<String>>;
    /// The confidences of every analysis that has them, by track id.
    async fn confidences(&self) -> Result<Vec<(String, [f64; 4])>>;
    /// Upserts pitch columns by track.
    async fn save_pitches(&self, pitches: &TrackPitches) -> Result<()>;
    /// The pitch columns of these tracks. Tracks whose columns were not computed are left out.
    async fn pitches(&self, track_ids: &[String]) -> Result<Vec<TrackPitches>>;
    /// Ids of the tracks with an analysis but no entry in `pitches`.
    async fn tracks_without_pitches(&self) -> Result<Vec<String>>;
    /// Ids of the tracks that lack an entry in `features` or in `analyses`.
    async fn tracks_without_audio(&self) -> Result<Vec<String>>;
    /// Totals for progress and summaries.
    async fn audio_counts(&self) -> Result<AudioCounts>;
}

/// `datasets`.
#[async_trait]
pub trait Datasets: Send + Sync {
    /// Upserts a dataset: its description and its Parquet file.
    async fn save_dataset(&self, info: &DatasetInfo, parquet: &[u8]) -> Result<()>;
    /// The description of a dataset.
    async fn dataset(&self, id: &str) -> Result<Option<DatasetInfo>>;
    /// The dataset that was built last.
    async fn latest_dataset(&self) -> Result<Option<DatasetInfo>>;
    /// The Parquet file of a dataset.
    async fn dataset_blob(&self, id: &str) -> Result<Option<Vec<u8>>>;
}

/// `searches`, `trials`, `models`.
#[async_trait]
pub trait Searches: Send + Sync {
    /// Saves a search, unless it exists: a search never changes, so that readers may cache it.
    async fn save_search(&self, search: &Search) -> Result<()>;
    /// A search by id.
    async fn search(&self, id: &str) -> Result<Option<Search>>;
    /// A search without its candidates and blocks.
    async fn search_info(&self, id: &str) -> Result<Option<SearchInfo>>;
    /// All searches without their candidates and blocks, newest first.
    async fn searches(&self) -> Result<Vec<SearchInfo>>;
    /// Marks a search as cancelled, unless it is. Returns the search after that; `None` if it does not exist.
    async fn cancel_search(&self, id: &str, at: Timestamp) -> Result<Option<SearchInfo>>;
    /// Undoes the cancellation of a search; `false` if it was not cancelled.
    async fn resume_search(&self, id: &str) -> Result<bool>;
    /// Saves the trials that do not exist yet: the first result of a trial stays.
    async fn save_trials(&self, trials: &[Trial]) -> Result<()>;
    /// The finished trials of a search, by (candidate, fold).
    async fn trials(&self, search: &str) -> Result<Vec<Trial>>;
    /// The finished trials of these candidates.
    async fn trials_of(&self, search: &str, settings: &[u32]) -> Result<Vec<Trial>>;
    /// (Candidate, fold) of the finished trials of a search, in this order: of these candidates, or of all. Much cheaper than
    /// reading the trials.
    async fn finished_trials(&self, search: &str, settings: Option<&[u32]>) -> Result<Vec<(u32, u32)>>;
    /// The number of finished trials of a search.
    async fn trial_count(&self, search: &str) -> Result<usize>;
    /// Saves the fitted model of a search, unless it has one.
    async fn save_model(&self, info: &ModelInfo, blob: &[u8]) -> Result<()>;
    /// The model of a search.
    async fn model(&self, search: &str) -> Result<Option<ModelInfo>>;
    /// The model that was fitted last.
    async fn latest_model(&self) -> Result<Option<ModelInfo>>;
    /// The bytes of a search's model.
    async fn model_blob(&self, search: &str) -> Result<Option<Vec<u8>>>;
}

/// `capabilities`: which parts of a service an app may use.
#[async_trait]
pub trait Capabilities: Send + Sync {
    /// Upserts what was found out about a capability.
    async fn save_capability(&self, capability: &Capability) -> Result<()>;
    /// What is known about a capability.
    async fn capability(&self, name: &str) -> Result<Option<Capability>>;
    /// All capabilities that were found out.
    async fn capabilities(&self) -> Result<Vec<Capability>>;
}

/// `workers`, `pauses`, `budgets`, `crashes`, and which `runs` are cancelled: what running jobs needs, whatever their kind.
#[async_trait]
pub trait Fleet: Send + Sync {
    /// Upserts a worker's heartbeat.
    async fn heartbeat(&self, beat: &Heartbeat) -> Result<()>;
    /// The latest heartbeats of all workers that ever ran.
    async fn workers(&self) -> Result<Vec<Heartbeat>>;
    /// Stops all workers from taking jobs of a kind, unless it is paused already.
    async fn pause_kind(&self, pause: &Pause) -> Result<()>;
    /// Ends a pause; `false` if the kind was not paused.
    async fn resume_kind(&self, kind: &str) -> Result<bool>;
    /// The paused kinds.
    async fn pauses(&self) -> Result<Vec<Pause>>;
    /// Leases up to `want` permits of a budget of `rate` permits per second, atomically, by the generic cell rate algorithm:
    /// windows never overlap, and unused time is not saved up. While the budget is blocked, the count is 0 and `opens_at`
    /// says when to ask again.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] if the rate is not above 0.
    async fn lease_budget(&self, name: &str, rate: f64, want: u32) -> Result<Permits>;
    /// Blocks a budget for everyone until then, or longer if it is blocked for longer already, and counts a throttled answer.
    async fn block_budget(&self, name: &str, until: Timestamp, reason: &str) -> Result<Budget>;
    /// Resets the count of throttled answers after a success, unless the budget is blocked at the moment.
    async fn reset_throttling(&self, name: &str) -> Result<()>;
    /// Unblocks a budget and resets its count of throttled answers; `false` if it was not blocked.
    async fn unblock_budget(&self, name: &str) -> Result<bool>;
    /// The state of a budget, if it was ever used.
    async fn budget(&self, name: &str) -> Result<Option<Budget>>;
    /// All budgets.
    async fn budgets(&self) -> Result<Vec<Budget>>;
    /// Ids of the cancelled runs.
    async fn cancelled_runs(&self) -> Result<Vec<String>>;
    /// Counts a worker that was lost while it ran this job; returns how often that happened so far.
    async fn count_crash(&self, job_id: &str) -> Result<u32>;
}

/// Ids of tracks that lack data, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Their tags were not looked up yet.
    pub tags: Vec<String>,
    /// They have no entry in `features`.
    pub features: Vec<String>,
    /// They have no entry in `analyses`.
    pub analyses: Vec<String>,
    /// They have an analysis but no entry in `pitches`.
    pub pitches: Vec<String>,
}

/// Totals of `tags`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct TagOutcomeCounts {
    /// Tracks with tags.
    pub tags: usize,
    /// Known tracks that nobody tagged.
    pub no_tags: usize,
    /// Tracks last.fm does not know.
    pub unknown_track: usize,
}

/// Totals of `features`, `analyses` and `pitches`.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct AudioCounts {
    /// Tracks.
    pub tracks: usize,
    /// Tracks with audio features.
    pub features: usize,
    /// Among these: tracks that lack some of the values.
    pub incomplete_features: usize,
    /// Tracks that Spotify has no features for.
    pub without_features: usize,
    /// Tracks with segments.
    pub analyses: usize,
    /// Tracks that Spotify has no analysis for.
    pub without_analysis: usize,
    /// Tracks with pitch columns.
    pub pitches: usize,
    /// Tracks whose segments cannot be turned into pitch columns, by reason.
    pub rejected_pitches: std::collections::BTreeMap<String, usize>,
}

/// What can go wrong with a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store is busy, or cannot be reached at the moment: try again.
    #[error("the store at {at} is unreachable: {cause}")]
    Unavailable {
        /// Address without credentials.
        at: String,
        /// What happened.
        cause: String,
    },
    /// This machine's disk is full, over its quota or read-only: a person has to act before trying again helps. A command
    /// should fail with this error; a worker should continue once it has been fixed.
    #[error("cannot write to {file}: {why}")]
    Unwritable {
        /// The store's file.
        file: String,
        /// Why, and what to do about it.
        why: String,
    },
    /// The address or the store itself is wrong: trying again will not help.
    #[error("{0}")]
    Unusable(String),
}

/// The result of a store operation.
pub type Result<T> = std::result::Result<T, StoreError>;

/// The longest window of permits, unless a single permit lasts longer: long enough to spare the store, short enough that a
/// blocked budget stops everyone within a second.
pub const MAX_LEASE_WINDOW: Duration = Duration::from_millis(500);

/// Opens the store at a URL: `sqlite:FILE`, `mongodb://HOST:PORT/DATABASE` or `mongodb+srv://HOST/DATABASE`.
///
/// # Errors
/// If the address is malformed, or the store refuses it or cannot be reached.
pub async fn open(url: &str) -> Result<Arc<dyn Store>> {
    match url.split_once(':') {
        Some(("sqlite", file)) => match model::settings::url_problem(url) {
            Some(advice) => Err(StoreError::Unusable(format!("the store's address cannot be used: {advice}"))),
            None => Ok(Arc::new(embedded::Embedded::open(file).await?)),
        },
        Some(("mongodb" | "mongodb+srv", _)) => Ok(Arc::new(mongo::Mongo::open(url).await?)),
        _ => {
            let url = model::settings::without_credentials(url);
            let known = "use sqlite:FILE or mongodb://HOST:PORT/DATABASE";
            Err(StoreError::Unusable(format!("unknown kind of store `{url}`: {known}")))
        }
    }
}
