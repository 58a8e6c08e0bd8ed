//! The commands, one module each.

mod budget;
mod completions;
mod config;
mod dataset;
mod dead;
pub mod demo;
mod doctor;
mod enqueue;
mod kinds;
mod lastfm;
mod login;
mod other_jobs;
mod pause;
mod pitches;
mod predict;
mod queues;
pub mod report;
pub mod run;
mod runs;
pub mod search;
mod status;
mod tags;
mod worker;
mod workers;

use model::settings::Settings;
use runtime::Shutdown;

use crate::args::{Args, Command};
use crate::backends;
use crate::error::{stopped, usage};
use crate::interrupt::{NOTHING_STARTED, unless_stopped};
use crate::overwrite_check::CommandFiles;

/// Runs a command.
pub async fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<()> {
    let (files, flags) = (CommandFiles::of(&args.command), args.flags);
    let settings = || -> anyhow::Result<Settings> {
        let settings = host::load_settings(&flags).map_err(usage)?;
        files.check(&flags, &settings)?;
        Ok(settings)
    };
    // Connecting may take a while, so a signal interrupts it.
    let backends = async || {
        let opened = unless_stopped(shutdown, backends::open(settings()?)).await?;
        opened.ok_or_else(|| stopped(NOTHING_STARTED))
    };
    match args.command {
        Command::Demo(demo) => {
            // The demo ignores all settings except these two flags, and never touches a real sign-in.
            let [queue, store] = [&flags.queue, &flags.store].map(|url| url.clone().unwrap_or_default());
            files.check(&flags, &Settings { queue, store, ..Settings::default() })?;
            demo::run(demo, &flags).await
        }
        Command::Login => login::run(&settings()?).await,
        Command::Run(run) => run::run(run, backends().await?).await,
        Command::Enqueue(enqueue) => enqueue::run(enqueue, &backends().await?).await,
        Command::Worker(worker) => {
            let logging = host::init_logging();
            let result = worker::run(&worker, settings()?).await;
            tokio::task::spawn_blocking(|| logging.finish()).await?;
            result
        }
        Command::Status(live) => status::run(live, &backends().await?).await,
        Command::Queues(live) => queues::run(live, &backends().await?).await,
        Command::Workers(workers) => workers::run(&workers, &backends().await?).await,
        Command::Runs(live) => runs::runs(live, &backends().await?).await,
        Command::Cancel(cancel) => runs::cancel(&cancel, &backends().await?).await,
        Command::Pause(kinds) => pause::pause(&kinds, &backends().await?).await,
        Command::Resume(kinds) => pause::resume(&kinds, &backends().await?).await,
        Command::Budget(budget) => budget::run(budget, &backends().await?).await,
        Command::Dead(dead) => dead::run(dead, &backends().await?).await,
        Command::Doctor(doctor) => doctor::run(&doctor, &flags).await,
        Command::Pitches(pitches) => pitches::run(&pitches),
        Command::Lastfm(lastfm) => lastfm::run(&lastfm, &settings()?),
        Command::Tags(tags) => tags::run(&tags),
        Command::Dataset(dataset) => dataset::run(dataset, &backends().await?).await,
        Command::Search(search) => search::run(search, &backends().await?).await,
        Command::Predict(predict) => predict::run(&predict, settings()?).await,
        Command::Report(report) => report::run(&report, &backends().await?).await,
        Command::Config(config) => config::run(&config, &settings()?, &flags),
        Command::Kinds(list) => kinds::run(&list),
        Command::Completions { shell } => completions::run(shell),
    }
}
