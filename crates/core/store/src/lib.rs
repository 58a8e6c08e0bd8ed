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

/// The shared collections. Every `save_…` is an upsert by natural key: doing it twice changes nothing.
/// Vectors come back sorted by natural key unless a method says otherwise.
pub trait Store: Tracks + Tags + Audio + Datasets + Searches + Fleet {}
impl<T: Tracks + Tags + Audio + Datasets + Searches + Fleet> Store for T {}

/// `tracks`, `artists`, `playlist_pages`, `runs`.
#[async_trait]
pub trait Tracks: Send + Sync {
    /// Upserts tracks by id.
    async fn save_tracks(&self, tracks: &[Track]) -> Result<()>;
    /// Those of `ids` that are known.
    async fn tracks(&self, ids: &[String]) -> Result<Vec<Track>>;
    /// Every track.
    async fn all_tracks(&self) -> Result<Vec<Track>>;
    /// What those of `track_ids` lack, whatever others do.
    async fn gaps(&self, track_ids: &[String]) -> Result<Gaps>;
    /// Upserts artists by id.
    async fn save_artists(&self, artists: &[Artist]) -> Result<()>;
    /// Those of `ids` that are known.
    async fn artists(&self, ids: &[String]) -> Result<Vec<Artist>>;
    /// Upserts a page of a playlist together with its tracks, in one step.
    async fn save_page(&self, page: &PlaylistPage, tracks: &[Track]) -> Result<()>;
    /// The page of a run at an offset, if it was read already.
    async fn page(&self, run: &str, playlist: &str, offset: u32) -> Result<Option<PlaylistPage>>;
    /// All pages, of one run or of all.
    async fn pages(&self, run: Option<&str>) -> Result<Vec<PlaylistPage>>;
    /// Upserts a run.
    async fn save_run(&self, run: &Run) -> Result<()>;
    /// All runs, oldest first.
    async fn runs(&self) -> Result<Vec<Run>>;
    /// Marks a run as cancelled, unless it is already; the run as it is then, `None` where there is no such run.
    async fn cancel_run(&self, id: &str, at: Timestamp) -> Result<Option<Run>>;
    /// Ids of the runs that are cancelled.
    async fn cancelled_runs(&self) -> Result<Vec<String>>;
}

/// `tags`, `pages` and the view `labelled_tracks`.
#[async_trait]
pub trait Tags: Send + Sync {
    /// Upserts what was found about a track's tags; makes the canonical tags from them, leaving out the track's artists.
    async fn save_tags(&self, track: &Track, outcome: &TagsOutcome, source: TagSource) -> Result<()>;
    /// The tags of those of `track_ids` that were looked up.
    async fn tags(&self, track_ids: &[String]) -> Result<Vec<TaggedTrack>>;
    /// Ids of the tracks that were not looked up yet.
    async fn tracks_without_tags(&self) -> Result<Vec<String>>;
    /// Keeps a page that was not understood, for a look; the newest one of each address.
    async fn save_unrecognised(&self, address: &str, status: u16, body: &str) -> Result<()>;
    /// The view `labelled_tracks`: canonical tags cut to labels.
    async fn labelled_tracks(&self, label_selection: &LabelSelection) -> Result<LabelledTracks>;
    /// How many tracks have tags, none, or are unknown to last.fm.
    async fn tag_outcomes(&self) -> Result<TagOutcomeCounts>;
}

/// `features`, `analyses`, `pitches`.
#[async_trait]
pub trait Audio: Send + Sync {
    /// Upserts audio features by track.
    async fn save_features(&self, features: &[AudioFeatures]) -> Result<()>;
    /// The features of those of `track_ids` that were asked for already.
    async fn features(&self, track_ids: &[String]) -> Result<Vec<AudioFeatures>>;
    /// Upserts an analysis; segments are packed without loss.
    async fn save_analysis(&self, analysis: &TrackAnalysis) -> Result<()>;
    /// The analysis of a track, if it was asked for already.
    async fn analysis(&self, track_id: &str) -> Result<Option<TrackAnalysis>>;
    /// Which of `track_ids` have an entry in `analyses`, be it that there is none at Spotify.
    async fn analysed(&self, track_ids: &[String]) -> Result<Vec<String>>;
    /// The confidences of every analysis that has them, by track id.
    async fn confidences(&self) -> Result<Vec<(String, [f64; 4])>>;
    /// Upserts pitch columns by track.
    async fn save_pitches(&self, pitches: &TrackPitches) -> Result<()>;
    /// The pitch columns of those of `track_ids` that were computed already.
    async fn pitches(&self, track_ids: &[String]) -> Result<Vec<TrackPitches>>;
    /// Ids of the tracks with an analysis and without an entry in `pitches`.
    async fn tracks_without_pitches(&self) -> Result<Vec<String>>;
    /// Ids of the tracks without an entry in `features` or in `analyses`.
    async fn tracks_without_audio(&self) -> Result<Vec<String>>;
    /// Totals for progress and summaries.
    async fn audio_counts(&self) -> Result<AudioCounts>;
}

/// `datasets`.
#[async_trait]
pub trait Datasets: Send + Sync {
    /// Upserts a dataset's Parquet blob and what is known of it.
    async fn save_dataset(&self, info: &DatasetInfo, parquet: &[u8]) -> Result<()>;
    /// What is known of a dataset.
    async fn dataset(&self, id: &str) -> Result<Option<DatasetInfo>>;
    /// The dataset built last.
    async fn latest_dataset(&self) -> Result<Option<DatasetInfo>>;
    /// The Parquet blob of a dataset.
    async fn dataset_blob(&self, id: &str) -> Result<Option<Vec<u8>>>;
}

/// `searches`, `trials`, `models`.
#[async_trait]
pub trait Searches: Send + Sync {
    /// Saves a search. What is saved of an id stays: whoever has read a search may keep it.
    async fn save_search(&self, search: &Search) -> Result<()>;
    /// A search by id.
    async fn search(&self, id: &str) -> Result<Option<Search>>;
    /// What is known of a search without opening it.
    async fn search_info(&self, id: &str) -> Result<Option<SearchInfo>>;
    /// What is known of all searches, newest first.
    async fn searches(&self) -> Result<Vec<SearchInfo>>;
    /// Marks a search as cancelled, unless it is already; the search as it is then, `None` where there is no such search.
    async fn cancel_search(&self, id: &str, at: Timestamp) -> Result<Option<SearchInfo>>;
    /// Ends the cancellation of a search; `false` where it was not cancelled.
    async fn resume_search(&self, id: &str) -> Result<bool>;
    /// Upserts trials; the first result of a trial stays.
    async fn save_trials(&self, trials: &[Trial]) -> Result<()>;
    /// The trials of a search that are finished, by (setting, fold).
    async fn trials(&self, search: &str) -> Result<Vec<Trial>>;
    /// Those of [`Searches::trials`] that are of these settings.
    async fn trials_of(&self, search: &str, settings: &[u32]) -> Result<Vec<Trial>>;
    /// (Setting, fold) of the trials of a search that are finished, in this order: of these settings, or of all. It costs
    /// a fraction of reading the trials.
    async fn finished_trials(&self, search: &str, settings: Option<&[u32]>) -> Result<Vec<(u32, u32)>>;
    /// How many trials of a search are finished.
    async fn trial_count(&self, search: &str) -> Result<usize>;
    /// Upserts a fitted model; the first one of a search stays.
    async fn save_model(&self, info: &ModelInfo, blob: &[u8]) -> Result<()>;
    /// The model of a search.
    async fn model(&self, search: &str) -> Result<Option<ModelInfo>>;
    /// The model fitted last.
    async fn latest_model(&self) -> Result<Option<ModelInfo>>;
    /// The bytes of a search's model.
    async fn model_blob(&self, search: &str) -> Result<Option<Vec<u8>>>;
}

/// `workers`, `pauses`, `budgets`, `capabilities`, `crashes`.
#[async_trait]
pub trait Fleet: Send + Sync {
    /// Upserts a worker's sign of life.
    async fn heartbeat(&self, beat: &Heartbeat) -> Result<()>;
    /// All workers that were ever seen.
    async fn workers(&self) -> Result<Vec<Heartbeat>>;
    /// Stops everyone from taking jobs of a kind; the first pause of a kind stays.
    async fn pause_kind(&self, pause: &Pause) -> Result<()>;
    /// Ends a pause; `false` where the kind was not paused.
    async fn resume_kind(&self, kind: &str) -> Result<bool>;
    /// The kinds that are paused.
    async fn pauses(&self) -> Result<Vec<Pause>>;
    /// Leases up to `want` permits of a budget of `rate` a second, in one atomic step, by the generic cell rate
    /// algorithm: windows never overlap, and time that nobody leased is not saved up. While the budget is blocked the
    /// count is 0 and `opens_at` says when to ask again.
    async fn lease_budget(&self, name: &str, rate: f64, want: u32) -> Result<Permits>;
    /// Closes a budget for everyone until then (never earlier than it is closed already), and counts a throttled answer.
    async fn block_budget(&self, name: &str, until: Timestamp, reason: &str) -> Result<Budget>;
    /// Notes a good answer: the count of throttled ones starts anew, unless the budget is blocked at the moment.
    async fn budget_answered(&self, name: &str) -> Result<()>;
    /// Opens a closed budget, and starts the count of throttled answers anew; `false` where it was open.
    async fn open_budget(&self, name: &str) -> Result<bool>;
    /// A budget's state, if it was ever used.
    async fn budget(&self, name: &str) -> Result<Option<Budget>>;
    /// All budgets.
    async fn budgets(&self) -> Result<Vec<Budget>>;
    /// Upserts what was found out about a capability.
    async fn save_capability(&self, capability: &Capability) -> Result<()>;
    /// What is known about a capability.
    async fn capability(&self, name: &str) -> Result<Option<Capability>>;
    /// All capabilities that were found out.
    async fn capabilities(&self) -> Result<Vec<Capability>>;
    /// Notes that a job's worker was lost while it ran; returns how often that happened to this job.
    async fn count_crash(&self, job_id: &str) -> Result<u32>;
}

/// Ids, sorted, of tracks that lack something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gaps {
    /// They were not looked up yet.
    pub tags: Vec<String>,
    /// They have no entry in `features`.
    pub features: Vec<String>,
    /// They have no entry in `analyses`.
    pub analyses: Vec<String>,
    /// They have an analysis and no entry in `pitches`.
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
    /// Part of these: tracks that lack some of the values.
    pub incomplete_features: usize,
    /// Tracks that Spotify has no features for.
    pub without_features: usize,
    /// Tracks with segments.
    pub analyses: usize,
    /// Tracks that Spotify has no analysis for.
    pub without_analysis: usize,
    /// Tracks with pitch columns.
    pub pitches: usize,
    /// Tracks whose segments make no pitch columns, by reason.
    pub rejected_pitches: std::collections::BTreeMap<String, usize>,
}

/// What can go wrong with a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Trying again may help: busy, or out of reach for the moment.
    #[error("the store at {at} is out of reach: {cause}")]
    Unavailable {
        /// Address without credentials.
        at: String,
        /// What was answered.
        cause: String,
    },
    /// This machine's disk does not take it: full, over its quota, read-only. Trying again helps when a person has seen to
    /// it. Who is waited for ends with this; a standing worker goes on then.
    #[error("cannot write to {file}: {why}")]
    Unwritable {
        /// The store's file.
        file: String,
        /// Why, and what to do.
        why: String,
    },
    /// Trying again won't help.
    #[error("{0}")]
    Unusable(String),
}

/// Result of a store's verb.
pub type Result<T> = std::result::Result<T, StoreError>;

/// How long a window of permits lasts at most, unless a single permit lasts longer: long enough to spare the store, short
/// enough that a blocked budget stops everyone within a second.
pub const LEASE_WINDOW: Duration = Duration::from_millis(500);

/// Opens the store at a URL: `sqlite:FILE`, `mongodb://HOST:PORT/DATABASE` or `mongodb+srv://HOST/DATABASE`.
pub async fn open(url: &str) -> Result<Arc<dyn Store>> {
    match url.split_once(':') {
        Some(("sqlite", file)) => match model::settings::torn_by(url) {
            Some(advice) => Err(StoreError::Unusable(format!("the store's address is unusable: {advice}"))),
            None => Ok(Arc::new(embedded::Embedded::open(file).await?)),
        },
        Some(("mongodb" | "mongodb+srv", _)) => Ok(Arc::new(mongo::Mongo::open(url).await?)),
        _ => {
            let url = model::settings::without_credentials(url);
            let known = "use sqlite:FILE or mongodb://HOST:PORT/DATABASE";
            Err(StoreError::Unusable(format!("store `{url}` is of no known kind: {known}")))
        }
    }
}
