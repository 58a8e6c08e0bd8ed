//! The status of a search, and monitoring it over time.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use anyhow::Context;
use host::Backends;
use model::Timestamp;
use model::dataset::DatasetInfo;
use model::fleet::Heartbeat;
use model::job::{JobBody, SearchBlockJob, SearchRefitJob};
use model::search::{Block, ModelInfo, Ranked, Search, SearchInfo, Trial};
use serde::Serialize;
use store::Store;

use super::leaderboard::{Place, accuracy, places};
use super::varied_params::VariedParams;
use crate::fleet::{self, Rates};
use crate::ids;
use crate::output::{age, format_duration, thousands};

/// The state of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchState {
    /// Trials or the model are missing.
    Open,
    /// It has its model.
    Finished,
    /// Its jobs are skipped.
    Cancelled,
}

impl SearchState {
    /// Judges a search.
    pub fn of(info: &SearchInfo, has_model: bool) -> Self {
        match info.cancelled_at {
            _ if has_model => Self::Finished,
            Some(_) => Self::Cancelled,
            None => Self::Open,
        }
    }
}

/// The status of a search. The field names are those of `--json`.
#[derive(Serialize)]
pub struct SearchStatus {
    /// The search.
    #[serde(flatten)]
    pub info: SearchInfo,
    /// Its state.
    pub state: SearchState,
    /// All trials (fits of one candidate on one fold).
    pub trials: usize,
    /// Finished trials.
    pub trials_done: usize,
    /// Blocks whose trials are all finished.
    pub blocks_done: usize,
    /// Rate of all live workers together.
    pub blocks_per_second: Option<f64>,
    /// Time left at this rate.
    pub eta_seconds: Option<u64>,
    /// Jobs running now.
    pub workers: Vec<ActiveJob>,
    /// Workers that cannot take its jobs.
    pub declined: Vec<Decline>,
    /// Subset accuracy of the best constant prediction on the training rows.
    pub baseline_accuracy: Option<f64>,
    /// The best candidates whose folds are all finished.
    pub leaderboard: Vec<Place>,
    /// The winner, once fitted on all training rows.
    pub model: Option<ModelInfo>,
}

/// A running job of a search.
#[derive(Serialize)]
pub struct ActiveJob {
    worker: String,
    job: String,
    since: Timestamp,
}

/// A worker that declines the jobs of a search.
#[derive(Serialize)]
pub struct Decline {
    worker: String,
    reason: String,
    since: Timestamp,
}

/// Monitors a search. What was read once is kept between polls.
pub struct SearchMonitor {
    /// The search.
    pub search: Search,
    /// Its dataset, unless the store has lost it.
    pub dataset: Option<DatasetInfo>,
    /// The parameters that distinguish its candidates.
    pub varied: VariedParams,
    top: usize,
    finished: Vec<(u32, u32)>,
    trials: Vec<Trial>,
    leaderboard: Vec<Ranked>,
    rates: Rates,
}

impl SearchMonitor {
    /// Opens the search with this id or prefix, or the newest one; `top` limits the leaderboard.
    pub async fn open(backends: &Backends, id: Option<&str>, top: usize) -> anyhow::Result<Self> {
        let info = find(&*backends.store, id).await?;
        let search = backends.store.search(&info.id).await?.context("the store has lost the search")?;
        let dataset = backends.store.dataset(&search.dataset).await?;
        let varied = VariedParams::in_search(&search);
        let (finished, trials, leaderboard) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { search, dataset, varied, top, finished, trials, leaderboard, rates: Rates::default() })
    }

    /// Reads the current status.
    pub async fn poll(&mut self, backends: &Backends) -> anyhow::Result<SearchStatus> {
        let (store, id) = (&backends.store, &self.search.id);
        // The model first: once it exists, all trials do.
        let model = store.model(id).await?;
        let info = store.search_info(id).await?.context("the store has lost the search")?;
        let alive = fleet::alive(store.workers().await?);
        self.catch_up(backends).await?;
        self.rates.sample(&alive);
        let is_done = |block: &&Block| grid_worker::is_finished(block, &self.finished);
        let blocks_done = self.search.blocks.iter().filter(is_done).count();
        let left = info.blocks - blocks_done;
        let rate = self.rates.per_second(SearchBlockJob::KIND, left > 0);
        Ok(SearchStatus {
            state: SearchState::of(&info, model.is_some()),
            trials: info.trials(),
            trials_done: self.finished.len(),
            blocks_done,
            blocks_per_second: rate,
            eta_seconds: fleet::eta(left as u64, rate),
            workers: active_jobs(&alive, &self.search.id),
            declined: declined(&alive, &self.search.id),
            baseline_accuracy: self.dataset.as_ref().and_then(|dataset| dataset.training).map(|t| t.baseline),
            leaderboard: places(&self.search, &self.leaderboard, self.top),
            model,
            info,
        })
    }

    /// Reads the trials finished since the last poll.
    async fn catch_up(&mut self, backends: &Backends) -> anyhow::Result<()> {
        let (store, id) = (&backends.store, &self.search.id);
        if store.trial_count(id).await? == self.finished.len() {
            return Ok(());
        }
        let known: HashSet<(u32, u32)> = self.finished.iter().copied().collect();
        let finished = store.finished_trials(id, None).await?;
        let new: HashSet<(u32, u32)> = finished.iter().copied().filter(|key| !known.contains(key)).collect();
        let settings: BTreeSet<u32> = new.iter().map(|(setting, _)| *setting).collect();
        let trials = store.trials_of(id, &settings.into_iter().collect::<Vec<_>>()).await?;
        self.trials.extend(trials.into_iter().filter(|trial| new.contains(&(trial.setting, trial.fold))));
        self.finished = finished;
        self.leaderboard = learn::leaderboard(&self.search, &self.trials);
        Ok(())
    }
}

impl SearchStatus {
    /// The progress as one line for a log.
    pub fn line(&self, varied: &VariedParams) -> String {
        let fraction = |done: usize, total: usize| format!("{}/{}", thousands(done), thousands(total));
        let mut line = format!(
            "fits {}  blocks {}  workers {}  time left {}",
            fraction(self.trials_done, self.trials),
            fraction(self.blocks_done, self.info.blocks),
            self.workers.len(),
            self.time_left()
        );
        if let Some(declined) = self.declined.first() {
            let others = if self.declined.len() > 1 { ", and others do too" } else { "" };
            line += &format!("  {}{others}", declined.text());
        }
        if let Some(best) = self.leaderboard.first() {
            line += &format!("  best {} {}", accuracy(&best.ranked), varied.describe(&best.candidate));
        }
        line + &self.baseline_accuracy.map(|baseline| format!("  baseline {baseline:.3}")).unwrap_or_default()
    }

    /// The time left, for people.
    pub fn time_left(&self) -> String {
        self.eta_seconds.map_or_else(|| "–".to_owned(), |seconds| format_duration(Duration::from_secs(seconds)))
    }
}

impl Decline {
    /// The worker and its reason.
    pub fn text(&self) -> String {
        format!("{} declines its jobs: {}", self.worker, self.reason)
    }
}

impl ActiveJob {
    /// The worker, its job, and for how long.
    pub fn text(&self) -> String {
        format!("{} {} for {}", self.worker, self.job, age(self.since))
    }
}

/// The jobs of a search that these workers are running.
pub fn active_jobs(alive: &[Heartbeat], search: &str) -> Vec<ActiveJob> {
    let jobs = |beat: &Heartbeat| {
        let worker = format!("{}:{}", beat.host, beat.pid);
        let job = |(kind, key, since): &(String, String, Timestamp)| {
            let job = match key.strip_prefix(search)? {
                "" if kind == SearchRefitJob::KIND => "refit".to_owned(),
                block => format!("block {}", block.strip_prefix('/')?),
            };
            Some(ActiveJob { worker: worker.clone(), job, since: *since })
        };
        beat.running.iter().filter_map(job).collect::<Vec<_>>()
    };
    alive.iter().flat_map(jobs).collect()
}

/// The workers that declined blocks or the refit, each once.
fn declined(alive: &[Heartbeat], search: &str) -> Vec<Decline> {
    let belongs = |job: &str| job.strip_prefix(search).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let decline = |beat: &Heartbeat| {
        let trouble = beat.troubles.iter().find(|trouble| trouble.job.as_deref().is_some_and(belongs))?;
        let worker = format!("{}:{}", beat.host, beat.pid);
        Some(Decline { worker, reason: trouble.reason.clone(), since: trouble.since })
    };
    alive.iter().filter_map(decline).collect()
}

/// The search with this id or prefix, or the newest.
pub async fn find(store: &dyn Store, id: Option<&str>) -> anyhow::Result<SearchInfo> {
    let searches = store.searches().await?;
    match id {
        Some(id) => ids::find("search", "search list", &searches, id, |search| &search.id).cloned(),
        None => {
            let none = || anyhow::anyhow!("the store has no search yet: `spotifai search start` starts one");
            searches.into_iter().next().ok_or_else(none)
        }
    }
}
