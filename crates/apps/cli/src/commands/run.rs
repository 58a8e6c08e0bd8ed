//! `spotifai run`: collect, build, search, report.

mod collect;
mod ending;
mod labels;

use std::path::Path;

use host::Backends;
use model::Timestamp;
use model::run::Run;
use runtime::Shutdown;

pub use ending::to_its_end;
pub use labels::LABELS;

use crate::args;
use crate::commands::search::{Plan, search};
use crate::commands::{dataset, report};
use crate::error::stopped;
use crate::files::{make_folder, try_folder, turn_to_write};
use crate::output::say;
use crate::playlist_run::{Goal, is_open, new_run, playlist_ids};
use crate::shell::{self, places};
use crate::stop::unless_stopped;
use crate::summary::Summary;

/// Goes the whole way, or says how to go on.
pub async fn run(args: args::RunArgs, backends: Backends) -> anyhow::Result<()> {
    let playlists = playlist_ids(&args.playlists)?;
    let shutdown = host::signals::on_signals()?;
    try_folder(&args.out)?;
    let begun = async {
        sign_in(&backends).await?;
        make_folder(&args.out)?;
        begin(&backends, &playlists).await
    };
    let Some(run) = unless_stopped(&shutdown, begun).await? else {
        return Err(stopped("nothing had begun"));
    };
    let goal = if args.labels_only { Goal::Labels } else { Goal::Model };
    let way = async {
        if !collect::can_be(&backends, &run, goal, &shutdown).await? {
            return Ok(None);
        }
        match goal {
            Goal::Labels => labels::collect(&backends, &run, &args.out, &shutdown).await,
            Goal::Model => {
                let summary =
                    whole_way(&backends, &run, &Plan::quick(places(&backends), 0), &args.out, &shutdown).await?;
                Ok(summary.map(|summary| summary.to_string()))
            }
        }
    };
    match to_its_end(&backends, &run, &shutdown, way).await? {
        Some(found) => say(&found),
        None => Err(stopped(format!("nothing is lost, to go on: {}", shell::same_command()))),
    }
}

/// Fails at once, with the way out, where nobody is signed in: workers would only wait for it.
pub async fn sign_in(backends: &Backends) -> anyhow::Result<()> {
    let settings = &backends.settings;
    Ok(spotify::Client::new(&settings.spotify, settings.contact.as_deref())?.sign_in().await?)
}

/// The unfinished run of these playlists, or a new one.
async fn begin(backends: &Backends, playlists: &[String]) -> anyhow::Result<Run> {
    let earlier = backends.store.runs().await?;
    if let Some(run) = earlier.into_iter().find(|run| is_open(run) && run.playlists == playlists) {
        return Ok(run);
    }
    let run = new_run(playlists, Timestamp::now());
    backends.store.save_run(&run).await?;
    Ok(run)
}

/// Collects a run, builds the dataset, searches, writes the report; `None` when it was stopped on the way.
pub async fn whole_way(
    backends: &Backends,
    run: &Run,
    plan: &Plan,
    out: &Path,
    shutdown: &Shutdown,
) -> anyhow::Result<Option<Summary>> {
    if !collect::collect(backends, run, Goal::Model, shutdown).await? {
        return Ok(None);
    }
    let Some(info) = unless_stopped(shutdown, dataset::build(backends)).await? else { return Ok(None) };
    let Some(found) = search(backends, &info, plan, Some(run), shutdown).await? else { return Ok(None) };
    let _turn = turn_to_write(out).await?;
    report::write(backends, &found, Some(run), out).await?;
    ending::save(backends, run, None).await?;
    let summary = Summary::gather(backends, &found, Some(run)).await?;
    summary.write(out)?;
    Ok(Some(summary))
}
