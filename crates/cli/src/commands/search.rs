//! `spotifai search`: grid search over a dataset.

use std::path::Path;

use anyhow::{Context, bail};
use model::dataset::DatasetInfo;
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
    let plan = plan(&args)?;
    let info = match &args.data {
        Some(file) => import(&home, file).await?,
        None => dataset::newest(&home).await?.0,
    };
    let shutdown = Shutdown::on_signals()?;
    let Some(found) = search(&home, &info, &plan, &shutdown).await? else {
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
            learn::grid::read(&text, &args.families).map_err(|error| usage(format!("{}: {error}", file.display())))?
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
    home.store.save_dataset(&info, &parquet).await?;
    Ok(info)
}

/// Fits every setting on every fold, then the winner on all training rows; `None` when it was stopped on the way.
///
/// The search's id is a fingerprint of dataset, grid, folds and seed: the same search goes on where it stopped.
pub async fn search(
    home: &Home,
    info: &DatasetInfo,
    plan: &Plan,
    shutdown: &Shutdown,
) -> anyhow::Result<Option<Found>> {
    let (search, jobs) = grid_worker::start(info, plan.settings.clone(), plan.folds, plan.seed);
    if home.store.model(&search.id).await?.is_none() {
        home.store.save_search(&search).await?;
        home.queue.publish(&jobs).await?;
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
        None => bail!("search {} has no model: `spotifai dead list` says why its jobs were given up", search.id),
    }
}
