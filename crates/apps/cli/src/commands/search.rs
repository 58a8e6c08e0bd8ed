//! `spotifai search`: grid search over a dataset.

mod begin;
mod board;
mod data;
mod grid;
mod list;
mod plan;
mod reasons;
mod show;
mod standing;
mod unfinished;
mod watch;

use anyhow::bail;
use host::Backends;
use model::dataset::DatasetInfo;
use model::job::{JobBody, SearchBlockJob, SearchRefitJob};
use model::run::Run;
use runtime::{Shutdown, Until};

use crate::args::{self, SearchRunArgs};
use crate::backends::OwnQueue;
use crate::commands::{pause, report, work};
use crate::error::stopped;
use crate::files::{make_folder, try_folder, turn_to_write};
use crate::found::Found;
use crate::output::say;
use crate::progress;
use crate::shell;
use crate::stop::unless_stopped;
use crate::summary::Summary;

pub use grid::Plan;
pub use standing::find;

/// Does what the command says.
pub async fn run(command: args::SearchCommand, backends: &Backends) -> anyhow::Result<()> {
    match command {
        args::SearchCommand::Run(args) => run_here(&args, backends).await,
        args::SearchCommand::Start(args) => begin::start(&args, backends).await,
        args::SearchCommand::Watch(args) => watch::run(&args, backends).await,
        args::SearchCommand::Show(args) => show::run(&args, backends).await,
        args::SearchCommand::Cancel(args) => list::cancel(&args, backends).await,
        args::SearchCommand::List(live) => list::run(live, backends).await,
        args::SearchCommand::Plan(args) => plan::run(&args, backends).await,
    }
}

/// Searches and writes leaderboard, summary and report.
async fn run_here(args: &SearchRunArgs, backends: &Backends) -> anyhow::Result<()> {
    let shutdown = host::signals::on_signals()?;
    let plan = Plan { command: Some(shell::same_command()), ..Plan::wanted(&args.what)? };
    try_folder(&args.out)?;
    let Some(info) = unless_stopped(&shutdown, data::dataset(&args.what.data, backends)).await? else {
        return Err(stopped("the search had not begun"));
    };
    let is_new = !args.out.exists();
    make_folder(&args.out)?;
    let found = search(backends, &info, &plan, None, &shutdown).await.inspect_err(|_| {
        if is_new {
            // Nothing lies there yet; what another command has put there meanwhile keeps it.
            let _ = std::fs::remove_dir(&args.out);
        }
    });
    let Some(found) = found? else {
        return Err(stopped("finished trials are kept, and the same command goes on"));
    };
    let _turn = turn_to_write(&args.out).await?;
    report::write(backends, &found, None, &args.out).await?;
    let summary = Summary::gather(backends, &found, None).await?;
    summary.write(&args.out)?;
    say(&summary.to_string())
}

/// Fits every setting on every fold, then the winner on all training rows; `None` when it was stopped on the way.
///
/// Its jobs are of the run, where there is one, and lie in a queue of their own: those of other searches do not come
/// first, and none is left behind. The search's id is a fingerprint of all that decides a score: the same search goes on
/// where it stopped, from its stored trials.
pub async fn search(
    backends: &Backends,
    info: &DatasetInfo,
    plan: &Plan,
    run: Option<&Run>,
    shutdown: &Shutdown,
) -> anyhow::Result<Option<Found>> {
    let own = OwnQueue::open(backends.store.clone(), backends.settings.clone()).await?;
    let backends = &own.backends;
    let search = begin::begin(backends, info, plan, run).await?.search;
    unfinished::name_others(backends, &search).await?;
    let store = &backends.store;
    if store.model(&search.id).await?.is_none() {
        pause::warn(backends, &[SearchBlockJob::KIND, SearchRefitJob::KIND]).await?;
        let worker = work::of_programs(backends, &["grid"])?;
        progress::follow(|| progress::search(backends, &search), worker.run(Until::Empty, shutdown.clone())).await?;
    }
    match store.model(&search.id).await? {
        Some(model) => {
            let trials = store.trials(&search.id).await?;
            Ok(Some(Found { dataset: info.clone(), search, trials, model, command: plan.command.clone() }))
        }
        None if shutdown.is_stopping() => Ok(None),
        None => bail!("the search found no model: {}", reasons::why_given_up(backends, &search.id).await?),
    }
}
