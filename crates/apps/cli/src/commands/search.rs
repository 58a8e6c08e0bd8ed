//! `spotifai search`: grid search over a dataset.

mod begin;
mod board;
mod data;
mod list;
mod plan;
mod show;
mod standing;
mod unfinished;
mod watch;

use std::io;
use std::path::Path;

use anyhow::{anyhow, bail};
use learn::grid::GridError;
use model::dataset::DatasetInfo;
use model::job::{Body, SearchBlock, SearchRefit};
use model::plain;
use model::run::Run;
use model::search::{ModelInfo, Search, Setting, Trial};
use worker::{Home, Shutdown, Until};

use crate::args::{self, SearchRun, WorkerKind};
use crate::commands::{pause, report, work};
use crate::error::{stopped, usage};
use crate::files::{make_folder, try_folder, turn_to_write};
use crate::home::OwnQueue;
use crate::output::say;
use crate::progress;
use crate::shell;
use crate::stop::unless_stopped;
use crate::summary::Summary;

pub use standing::find;

/// What to search.
pub struct Plan {
    /// Settings of the grid, in order.
    pub settings: Vec<Setting>,
    /// Folds of the cross-validation.
    pub folds: u32,
    /// Seed of the models.
    pub seed: u64,
    /// Whether the winner gets thresholds.
    pub thresholds: bool,
    /// The command line of this search, which advice repeats.
    pub command: Option<String>,
}

impl Default for Plan {
    fn default() -> Self {
        let settings = learn::grid::read(learn::grid::QUICK, &[]).expect("the built-in grid is right");
        Self { settings, folds: 5, seed: 0, thresholds: false, command: None }
    }
}

impl Plan {
    /// The built-in quick grid on the newest dataset of the store that these flags name, or else the settings.
    pub fn quick(flags: Vec<String>, seed: u64) -> Self {
        let mut words = flags;
        words.extend(["search", "run", "--grid", "quick"].map(str::to_owned));
        if seed != 0 {
            words.extend(["--seed".to_owned(), seed.to_string()]);
        }
        Self { seed, command: Some(shell::command(words)), ..Self::default() }
    }

    fn of(grid: &args::Grid, seed: u64) -> anyhow::Result<Self> {
        let settings = match learn::grid::named(&grid.grid.to_string_lossy()) {
            Some(text) => {
                learn::grid::read(text, &grid.families).map_err(|error| usage(format!("--families: {error}")))?
            }
            None => {
                let file = &grid.grid;
                let bytes = std::fs::read(file).map_err(|error| unread(file, error))?;
                let text = plain::text(&bytes).map_err(|why| anyhow!("{} is no grid: {why}", file.display()))?;
                learn::grid::read(text, &grid.families).map_err(|error| match error {
                    GridError::NoFamily { .. } => usage(format!("--families: {}: {error}", file.display())),
                    error => anyhow::Error::new(error).context(file.display().to_string()),
                })?
            }
        };
        Ok(Self { settings, folds: grid.folds, seed, thresholds: false, command: None })
    }

    fn wanted(what: &args::What) -> anyhow::Result<Self> {
        Ok(Self { thresholds: what.thresholds, ..Self::of(&what.grid, what.seed)? })
    }
}

/// Why a grid cannot be read; a name that is no file is a slip of the pen.
fn unread(file: &Path, error: io::Error) -> anyhow::Error {
    let file = file.display();
    if error.kind() == io::ErrorKind::NotFound {
        let names = learn::grid::BUILT_IN.map(|(name, _)| name).join(", ");
        return usage(format!("no grid {file}: it is no file, and built in are {names}"));
    }
    anyhow::Error::new(error).context(format!("cannot read {file}"))
}

/// A finished search.
pub struct Found {
    /// Its dataset.
    pub dataset: DatasetInfo,
    /// The search.
    pub search: Search,
    /// All its trials.
    pub trials: Vec<Trial>,
    /// The fitted winner.
    pub model: ModelInfo,
    /// The command line of the search, where it is known.
    pub command: Option<String>,
}

/// Does what the command says.
pub async fn run(command: args::Search, home: &Home) -> anyhow::Result<()> {
    match command {
        args::Search::Run(args) => run_here(&args, home).await,
        args::Search::Start(args) => begin::start(&args, home).await,
        args::Search::Watch(args) => watch::run(&args, home).await,
        args::Search::Show(args) => show::run(&args, home).await,
        args::Search::Cancel(args) => list::cancel(&args, home).await,
        args::Search::List(live) => list::run(live, home).await,
        args::Search::Plan(args) => plan::run(&args, home).await,
    }
}

/// Searches and writes leaderboard, summary and report.
async fn run_here(args: &SearchRun, home: &Home) -> anyhow::Result<()> {
    let shutdown = Shutdown::on_signals()?;
    let plan = Plan { command: Some(shell::same_command()), ..Plan::wanted(&args.what)? };
    try_folder(&args.out)?;
    let Some(info) = unless_stopped(&shutdown, data::dataset(&args.what.data, home)).await? else {
        return Err(stopped(&shutdown, "the search had not begun"));
    };
    let is_new = !args.out.exists();
    make_folder(&args.out)?;
    let found = search(home, &info, &plan, None, &shutdown).await.inspect_err(|_| {
        if is_new {
            // Nothing lies there yet; what another command has put there meanwhile keeps it.
            let _ = std::fs::remove_dir(&args.out);
        }
    });
    let Some(found) = found? else {
        return Err(stopped(&shutdown, "finished trials are kept, and the same command goes on"));
    };
    let _turn = turn_to_write(&args.out).await?;
    report::write(home, &found, None, &args.out).await?;
    let summary = Summary::gather(home, &found, None).await?;
    summary.write(&args.out)?;
    say(&summary.to_string())
}

/// Fits every setting on every fold, then the winner on all training rows; `None` when it was stopped on the way.
///
/// Its jobs are of the run, where there is one, and lie in a queue of their own: those of other searches do not come
/// first, and none is left behind. The search's id is a fingerprint of all that decides a score: the same search goes on
/// where it stopped, from its stored trials.
pub async fn search(
    home: &Home,
    info: &DatasetInfo,
    plan: &Plan,
    run: Option<&Run>,
    shutdown: &Shutdown,
) -> anyhow::Result<Option<Found>> {
    let own = OwnQueue::open(home.store.clone(), home.settings.clone()).await?;
    let home = &own.home;
    let search = begin::begin(home, info, plan, run).await?.search;
    unfinished::name_others(home, &search.id).await?;
    let store = &home.store;
    if store.model(&search.id).await?.is_none() {
        pause::warn(home, &[SearchBlock::KIND, SearchRefit::KIND]).await?;
        let worker = work::of_kinds(home, &[WorkerKind::Grid])?;
        progress::follow(|| progress::search(home, &search), worker.run(Until::Empty, shutdown.clone())).await?;
    }
    match store.model(&search.id).await? {
        Some(model) => {
            let trials = store.trials(&search.id).await?;
            Ok(Some(Found { dataset: info.clone(), search, trials, model, command: plan.command.clone() }))
        }
        None if shutdown.is_stopping() => Ok(None),
        None => bail!("the search found no model: {}", why_given_up(home, &search.id).await?),
    }
}

async fn why_given_up(home: &Home, search: &str) -> anyhow::Result<String> {
    if home.store.search_info(search).await?.is_some_and(|info| info.cancelled_at.is_some()) {
        return Ok(format!("{search} was cancelled; finished trials stay, the same command goes on"));
    }
    let reason = why_dead(home, search).await?;
    Ok(reason.unwrap_or_else(|| "its jobs came to no end; the same command goes on".to_owned()))
}

/// Why the newest dead job of a search is dead.
async fn why_dead(home: &Home, search: &str) -> anyhow::Result<Option<String>> {
    let letters = home.queue.dead_letters(None).await?;
    let of_search = |key: &Option<String>| key.as_ref().is_some_and(|key| key.starts_with(search));
    Ok(letters.into_iter().rev().find(|letter| of_search(&letter.key)).map(|letter| letter.reason))
}
