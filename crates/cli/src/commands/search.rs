//! `spotifai search`: grid search over a dataset.

use std::path::Path;

use anyhow::{Context, bail};
use model::dataset::DatasetInfo;
use model::job::Envelope;
use model::run::Run;
use model::search::{ModelInfo, Search, Trial};
use worker::{Home, Shutdown, Until};

use crate::args::{self, SearchRun, WorkerKind};
use crate::commands::{dataset, report, work};
use crate::error::usage;
use crate::output::say;
use crate::progress;
use crate::summary::Summary;

/// What to search.
pub struct Plan {
    /// Settings of the grid, in order.
    pub settings: Vec<model::search::Setting>,
    /// Folds of the cross-validation.
    pub folds: u32,
    /// Seed of the models.
    pub seed: u64,
}

impl Default for Plan {
    fn default() -> Self {
        let settings = learn::grid::default_grid(&[]).expect("the built-in grid is right");
        Self { settings, folds: 5, seed: 0 }
    }
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
}

/// Searches and writes leaderboard, summary and report.
pub async fn run(command: args::Search, home: Home) -> anyhow::Result<()> {
    let args::Search::Run(args) = command;
    let shutdown = Shutdown::on_signals()?;
    let plan = plan(&args)?;
    let info = match &args.data {
        Some(file) => import(&home, file).await?,
        None => dataset::newest(&home).await?.0,
    };
    let Some(found) = search(&home, &info, &plan, None, &shutdown).await? else {
        eprintln!("Stopped; finished trials are kept. The same command goes on.");
        return Ok(());
    };
    std::fs::create_dir_all(&args.out)?;
    report::write(&home, &found, None, &args.out).await?;
    let summary = Summary::gather(&home, &found, None).await?;
    summary.write(&args.out)?;
    say(&summary.to_string())
}

fn plan(args: &SearchRun) -> anyhow::Result<Plan> {
    let settings = match &args.grid {
        Some(file) => {
            let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            learn::grid::read(&text, &args.families).with_context(|| file.display().to_string())?
        }
        None => learn::grid::default_grid(&args.families).map_err(usage)?,
    };
    Ok(Plan { settings, folds: args.folds, seed: args.seed })
}

/// Reads a file in the exported format and saves it as a dataset.
async fn import(home: &Home, file: &Path) -> anyhow::Result<DatasetInfo> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let split = home.settings.dataset.split.clone();
    let read = tokio::task::spawn_blocking(move || {
        let dataset = features::read(&bytes, &split)?;
        let parquet = features::to_parquet(&dataset)?;
        anyhow::Ok((features::describe(&dataset, &parquet), parquet))
    });
    let (info, parquet) = read.await?.with_context(|| file.display().to_string())?;
    // What was built here knows more about itself than a file that came back.
    if let Some(known) = home.store.dataset(&info.id).await? {
        return Ok(known);
    }
    home.store.save_dataset(&info, &parquet).await?;
    Ok(info)
}

/// Fits every setting on every fold, then the winner on all training rows; `None` when it was stopped on the way.
///
/// Its jobs are of the run, where there is one. The search's id is a fingerprint of dataset, grid, folds and seed: the
/// same search goes on where it stopped.
pub async fn search(
    home: &Home,
    info: &DatasetInfo,
    plan: &Plan,
    run: Option<&Run>,
    shutdown: &Shutdown,
) -> anyhow::Result<Option<Found>> {
    let (search, jobs) = grid_worker::start(info, plan.settings.clone(), plan.folds, plan.seed);
    if home.store.model(&search.id).await?.is_none() {
        home.store.save_search(&search).await?;
        let of_run = |job: Envelope| match run {
            Some(run) => job.of_run(&run.id),
            None => job,
        };
        home.queue.publish(&jobs.into_iter().map(of_run).collect::<Vec<_>>()).await?;
        let worker = work::of_kinds(home, &[WorkerKind::Grid])?;
        progress::follow(|| progress::search(home, &search), worker.run(Until::Empty, shutdown.clone())).await?;
    }
    let model = home.store.model(&search.id).await?;
    match model {
        Some(model) => {
            let trials = home.store.trials(&search.id).await?;
            Ok(Some(Found { dataset: info.clone(), search, trials, model }))
        }
        None if shutdown.is_stopping() => Ok(None),
        None => bail!("the search found no model: {}", why_given_up(home, &search).await?),
    }
}

async fn why_given_up(home: &Home, search: &Search) -> anyhow::Result<String> {
    let letters = home.queue.dead_letters(None).await?;
    let of_search = |key: &Option<String>| key.as_ref().is_some_and(|key| key.starts_with(&search.id));
    let newest = letters.into_iter().rev().find(|letter| of_search(&letter.key));
    Ok(newest
        .map_or_else(|| "another process holds its jobs, see `spotifai status`".to_owned(), |letter| letter.reason))
}
