//! `spotifai run`: collect, build, search, report.

mod collect;
mod ending;
mod labels;

use std::path::Path;

use host::Backends;
use model::Timestamp;
use model::run::Run;
use runtime::Shutdown;

pub use ending::finish;
pub use labels::LABELS_FILE;

use crate::args;
use crate::command_line::{self, backend_flags};
use crate::commands::search::{SearchSpec, search};
use crate::commands::{dataset, report};
use crate::error::stopped;
use crate::files::{check_folder, create_folder, lock_folder};
use crate::interrupt::{NOTHING_STARTED, unless_stopped};
use crate::output::print_line;
use crate::playlist_run::{RunGoal, is_open, new_run, playlist_ids};
use crate::summary::Summary;

/// Collects playlists and trains a model, or collects labels only.
pub async fn run(args: args::RunArgs, backends: Backends) -> anyhow::Result<()> {
    let playlists = playlist_ids(&args.playlists)?;
    let shutdown = host::signals::on_signals()?;
    check_folder(&args.out)?;
    let starting = async {
        sign_in(&backends).await?;
        create_folder(&args.out)?;
        open_run(&backends, &playlists).await
    };
    let Some(run) = unless_stopped(&shutdown, starting).await? else {
        return Err(stopped(NOTHING_STARTED));
    };
    let goal = if args.labels_only { RunGoal::Labels } else { RunGoal::Model };
    let work = async {
        if !collect::check_first(&backends, &run, goal, &shutdown).await? {
            return Ok(None);
        }
        match goal {
            RunGoal::Labels => labels::collect(&backends, &run, &args.out, &shutdown).await,
            RunGoal::Model => {
                let summary = collect_and_search(
                    &backends,
                    &run,
                    &SearchSpec::quick(backend_flags(&backends), 0),
                    &args.out,
                    &shutdown,
                )
                .await?;
                Ok(summary.map(|summary| summary.to_string()))
            }
        }
    };
    match finish(&backends, &run, &shutdown, work).await? {
        Some(found) => print_line(&found),
        None => Err(stopped(format!("nothing is lost; to resume: {}", command_line::current()))),
    }
}

/// Fails at once if nobody is signed in: workers would only wait for it.
pub async fn sign_in(backends: &Backends) -> anyhow::Result<()> {
    let settings = &backends.settings;
    Ok(spotify::Client::new(&settings.spotify, settings.contact.as_deref())?.sign_in().await?)
}

/// The unfinished run over these playlists, or a new one.
async fn open_run(backends: &Backends, playlists: &[String]) -> anyhow::Result<Run> {
    let earlier = backends.store.runs().await?;
    if let Some(run) = earlier.into_iter().find(|run| is_open(run) && run.playlists == playlists) {
        return Ok(run);
    }
    let run = new_run(playlists, Timestamp::now());
    backends.store.save_run(&run).await?;
    Ok(run)
}

/// Collects a run, builds the dataset, searches and writes the report; `None` if interrupted.
pub async fn collect_and_search(
    backends: &Backends,
    run: &Run,
    spec: &SearchSpec,
    out: &Path,
    shutdown: &Shutdown,
) -> anyhow::Result<Option<Summary>> {
    if !collect::collect(backends, run, RunGoal::Model, shutdown).await? {
        return Ok(None);
    }
    let Some(info) = unless_stopped(shutdown, dataset::build(backends)).await? else { return Ok(None) };
    let Some(found) = search(backends, &info, spec, Some(run), shutdown).await? else { return Ok(None) };
    let _lock = lock_folder(out).await?;
    report::write(backends, &found, Some(run), out).await?;
    ending::record(backends, run, None).await?;
    let summary = Summary::gather(backends, &found, Some(run)).await?;
    summary.write(out)?;
    Ok(Some(summary))
}
