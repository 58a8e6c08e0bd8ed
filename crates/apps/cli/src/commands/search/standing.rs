//! Where a search stands, looked at once or again and again.

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

use super::board::{Place, Varied, accuracy, places};
use crate::fleet::{self, Rates};
use crate::ids;
use crate::output::{length, thousands};

/// What becomes of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Trials, or the model, are missing.
    Open,
    /// Its model is there.
    Finished,
    /// Its jobs do nothing.
    Cancelled,
}

impl State {
    /// The state of a search.
    pub fn of(info: &SearchInfo, has_model: bool) -> Self {
        match info.cancelled_at {
            _ if has_model => Self::Finished,
            Some(_) => Self::Cancelled,
            None => Self::Open,
        }
    }
}

/// Where a search stands. The names are those of `--json`.
#[derive(Serialize)]
pub struct Standing {
    /// The search.
    #[serde(flatten)]
    pub info: SearchInfo,
    /// Its state.
    pub state: State,
    /// Trials of the whole search.
    pub trials: usize,
    /// Trials that are finished.
    pub trials_done: usize,
    /// Blocks all of whose trials are finished.
    pub blocks_done: usize,
    /// How fast, as far as workers that are alive tell.
    pub blocks_per_second: Option<f64>,
    /// How long the blocks that are left take at this rate.
    pub eta_seconds: Option<u64>,
    /// Who works on it.
    pub workers: Vec<AtWork>,
    /// Who cannot work on it, and why.
    pub declined: Vec<DeclinedBy>,
    /// Subset accuracy of the best constant answer, on the training rows.
    pub baseline_accuracy: Option<f64>,
    /// The best settings whose folds are all finished.
    pub leaderboard: Vec<Place>,
    /// The winner.
    pub model: Option<ModelInfo>,
}

/// A job of a search under way.
#[derive(Serialize)]
pub struct AtWork {
    worker: String,
    job: String,
    since: Timestamp,
}

/// A worker that leaves the jobs of a search to others.
#[derive(Serialize)]
pub struct DeclinedBy {
    worker: String,
    reason: String,
    since: Timestamp,
}

/// A search that is looked at; what was read of it once is kept.
pub struct Watched {
    /// The search.
    pub search: Search,
    /// Its dataset, if the store still has it.
    pub dataset: Option<DatasetInfo>,
    /// What tells its settings apart.
    pub varied: Varied,
    top: usize,
    finished: Vec<(u32, u32)>,
    trials: Vec<Trial>,
    leaderboard: Vec<Ranked>,
    rates: Rates,
}

impl Watched {
    /// The search of an id or its beginning, or the newest one, with so many places of its leaderboard.
    pub async fn open(backends: &Backends, id: Option<&str>, top: usize) -> anyhow::Result<Self> {
        let info = find(&*backends.store, id).await?;
        let search = backends.store.search(&info.id).await?.context("the store has lost the search")?;
        let dataset = backends.store.dataset(&search.dataset).await?;
        let varied = Varied::in_search(&search);
        let (finished, trials, leaderboard) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { search, dataset, varied, top, finished, trials, leaderboard, rates: Rates::default() })
    }

    /// Looks at it now.
    pub async fn look(&mut self, backends: &Backends) -> anyhow::Result<Standing> {
        let (store, id) = (&backends.store, &self.search.id);
        // The model first: where it is there, all trials are.
        let model = store.model(id).await?;
        let info = store.search_info(id).await?.context("the store has lost the search")?;
        let alive = fleet::alive(store.workers().await?);
        self.catch_up(backends).await?;
        self.rates.look(&alive);
        let is_done = |block: &&Block| grid_worker::is_finished(block, &self.finished);
        let blocks_done = self.search.blocks.iter().filter(is_done).count();
        let left = info.blocks - blocks_done;
        let rate = self.rates.of(SearchBlockJob::KIND, left > 0);
        Ok(Standing {
            state: State::of(&info, model.is_some()),
            trials: info.trials(),
            trials_done: self.finished.len(),
            blocks_done,
            blocks_per_second: rate,
            eta_seconds: fleet::eta(left as u64, rate),
            workers: at_work(&alive, &self.search.id),
            declined: declined(&alive, &self.search.id),
            baseline_accuracy: self.dataset.as_ref().and_then(|dataset| dataset.training).map(|t| t.baseline),
            leaderboard: places(&self.search, &self.leaderboard, self.top),
            model,
            info,
        })
    }

    /// Reads the trials that were finished since the last look.
    async fn catch_up(&mut self, backends: &Backends) -> anyhow::Result<()> {
        let (store, id) = (&backends.store, &self.search.id);
        if store.trial_count(id).await? == self.finished.len() {
            return Ok(());
        }
        let known: HashSet<(u32, u32)> = self.finished.iter().copied().collect();
        let finished = store.finished_trials(id, None).await?;
        let news: HashSet<(u32, u32)> = finished.iter().copied().filter(|key| !known.contains(key)).collect();
        let settings: BTreeSet<u32> = news.iter().map(|(setting, _)| *setting).collect();
        let trials = store.trials_of(id, &settings.into_iter().collect::<Vec<_>>()).await?;
        self.trials.extend(trials.into_iter().filter(|trial| news.contains(&(trial.setting, trial.fold))));
        self.finished = finished;
        self.leaderboard = learn::leaderboard(&self.search, &self.trials);
        Ok(())
    }
}

impl Standing {
    /// Progress in a line of a log.
    pub fn line(&self, varied: &Varied) -> String {
        let of = |done: usize, all: usize| format!("{}/{}", thousands(done), thousands(all));
        let mut line = format!(
            "trials {}  blocks {}  workers {}  time left {}",
            of(self.trials_done, self.trials),
            of(self.blocks_done, self.info.blocks),
            self.workers.len(),
            self.time_left()
        );
        if let Some(declined) = self.declined.first() {
            let others = if self.declined.len() > 1 { ", as others do" } else { "" };
            line += &format!("  {}{others}", declined.text());
        }
        if let Some(best) = self.leaderboard.first() {
            let (ranked, setting) = best.parts();
            line += &format!("  best {} {} {}", accuracy(ranked), setting.0, varied.of(setting.0, setting.1));
        }
        line + &self.baseline_accuracy.map(|baseline| format!("  baseline {baseline:.3}")).unwrap_or_default()
    }

    /// The time left, in one unit.
    pub fn time_left(&self) -> String {
        self.eta_seconds.map_or_else(|| "–".to_owned(), |seconds| length(Duration::from_secs(seconds)))
    }
}

impl DeclinedBy {
    /// Who, and why.
    pub fn text(&self) -> String {
        format!("{} declines it: {}", self.worker, self.reason)
    }
}

impl AtWork {
    /// Who, at what, for how long.
    pub fn text(&self) -> String {
        format!("{} {} for {}", self.worker, self.job, crate::output::age(self.since))
    }
}

/// The jobs of a search that these workers run.
pub fn at_work(alive: &[Heartbeat], search: &str) -> Vec<AtWork> {
    let of_beat = |beat: &Heartbeat| {
        let worker = format!("{}:{}", beat.host, beat.pid);
        let job = |(kind, key, since): &(String, String, Timestamp)| {
            let job = match key.strip_prefix(search)? {
                "" if kind == SearchRefitJob::KIND => "refit".to_owned(),
                block => format!("block {}", block.strip_prefix('/')?),
            };
            Some(AtWork { worker: worker.clone(), job, since: *since })
        };
        beat.running.iter().filter_map(job).collect::<Vec<_>>()
    };
    alive.iter().flat_map(of_beat).collect()
}

/// Each worker once, whether it declined blocks or the refit.
fn declined(alive: &[Heartbeat], search: &str) -> Vec<DeclinedBy> {
    let of_search = |job: &str| job.strip_prefix(search).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let of_beat = |beat: &Heartbeat| {
        let trouble = beat.troubles.iter().find(|trouble| trouble.job.as_deref().is_some_and(of_search))?;
        let worker = format!("{}:{}", beat.host, beat.pid);
        Some(DeclinedBy { worker, reason: trouble.reason.clone(), since: trouble.since })
    };
    alive.iter().filter_map(of_beat).collect()
}

/// The search whose id begins so, or the newest.
pub async fn find(store: &dyn Store, id: Option<&str>) -> anyhow::Result<SearchInfo> {
    let searches = store.searches().await?;
    match id {
        Some(id) => ids::find("search", "search list", &searches, id, |search| &search.id).cloned(),
        None => {
            let none = || anyhow::anyhow!("there is no search in the store yet: `spotifai search start` makes one");
            searches.into_iter().next().ok_or_else(none)
        }
    }
}
