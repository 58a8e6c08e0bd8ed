//! `spotifai search`: grid search over a dataset.

mod data;
mod estimate;
mod failure;
mod leaderboard;
mod list;
mod show;
mod spec;
mod start;
mod status;
mod unfinished;
mod varied_params;
mod watch;

use anyhow::bail;
use host::Backends;
use model::dataset::DatasetInfo;
use model::job::{JobBody, SearchBlockJob, SearchRefitJob};
use model::run::Run;
use runtime::{Shutdown, Until};

use crate::args::{self, SearchRunArgs};
use crate::backends::PrivateQueue;
use crate::command_line;
use crate::commands::{pause, report, worker};
use crate::error::stopped;
use crate::files::{check_folder, create_folder, lock_folder};
use crate::finished_search::FinishedSearch;
use crate::interrupt::unless_stopped;
use crate::output::print_line;
use crate::progress;
use crate::summary::Summary;

pub use spec::SearchSpec;
pub use status::find;
pub use varied_params::VariedParams;

/// Runs a subcommand.
pub async fn run(command: args::SearchCommand, backends: &Backends) -> anyhow::Result<()> {
    match command {
        args::SearchCommand::Run(args) => run_locally(&args, backends).await,
        args::SearchCommand::Start(args) => start::start(&args, backends).await,
        args::SearchCommand::Watch(args) => watch::run(&args, backends).await,
        args::SearchCommand::Show(args) => show::run(&args, backends).await,
        args::SearchCommand::Cancel(args) => list::cancel(&args, backends).await,
        args::SearchCommand::List(live) => list::run(live, backends).await,
        args::SearchCommand::Plan(args) => estimate::run(&args, backends).await,
    }
}

/// Runs a search in this process and writes leaderboard, summary and report.
async fn run_locally(args: &SearchRunArgs, backends: &Backends) -> anyhow::Result<()> {
    let shutdown = host::signals::on_signals()?;
    let spec = SearchSpec { command: Some(command_line::current()), ..SearchSpec::from_args(&args.what)? };
    check_folder(&args.out)?;
    let Some(info) = unless_stopped(&shutdown, data::dataset(&args.what.data, backends)).await? else {
        return Err(stopped("the search had not started"));
    };
    let is_new = !args.out.exists();
    create_folder(&args.out)?;
    let found = search(backends, &info, &spec, None, &shutdown).await.inspect_err(|_| {
        if is_new {
            // Fails, as it should, if another command has put files there meanwhile.
            let _ = std::fs::remove_dir(&args.out);
        }
    });
    let Some(found) = found? else {
        return Err(stopped("finished fits are kept; run the same command again to resume"));
    };
    let _lock = lock_folder(&args.out).await?;
    report::write(backends, &found, None, &args.out).await?;
    let summary = Summary::gather(backends, &found, None).await?;
    summary.write(&args.out)?;
    print_line(&summary.to_string())
}

/// Fits every candidate on every fold, then the winner on all training rows; `None` if interrupted.
///
/// The jobs go to a private queue, so that jobs of other searches do not come first and none are left behind. They belong to
/// `run`, if given. The id of a search is a fingerprint of everything that affects its scores, so repeating an interrupted
/// search resumes it from the stored trials.
pub async fn search(
    backends: &Backends,
    info: &DatasetInfo,
    spec: &SearchSpec,
    run: Option<&Run>,
    shutdown: &Shutdown,
) -> anyhow::Result<Option<FinishedSearch>> {
    let private = PrivateQueue::open(backends.store.clone(), backends.settings.clone()).await?;
    let backends = &private.backends;
    let search = start::publish(backends, info, spec, run).await?.search;
    unfinished::warn_about_others(backends, &search).await?;
    let store = &backends.store;
    if store.model(&search.id).await?.is_none() {
        pause::warn(backends, &[SearchBlockJob::KIND, SearchRefitJob::KIND]).await?;
        let worker = worker::for_programs(backends, &["grid"])?;
        progress::follow(|| progress::search(backends, &search), worker.run(Until::Empty, shutdown.clone())).await?;
    }
    match store.model(&search.id).await? {
        Some(model) => {
            let trials = store.trials(&search.id).await?;
            Ok(Some(FinishedSearch { dataset: info.clone(), search, trials, model, command: spec.command.clone() }))
        }
        None if shutdown.is_stopping() => Ok(None),
        None => bail!("the search produced no model: {}", failure::reason(backends, &search.id).await?),
    }
}
