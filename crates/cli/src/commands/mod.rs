//! One file a command.

mod budget;
mod completions;
mod config;
mod dataset;
mod dead;
mod demo;
mod doctor;
mod enqueue;
mod lastfm;
mod login;
mod pause;
mod pitches;
mod predict;
mod queues;
mod report;
pub mod run;
mod runs;
pub mod search;
mod status;
mod tags;
mod waiting;
mod work;
mod workers;

use model::settings::Settings;
use worker::{Flags, Home, Shutdown};

use crate::args::{Args, Command};
use crate::error::{stopped, usage};
use crate::home;
use crate::stop::unless_stopped;

/// Runs the command.
pub async fn run(args: Args, shutdown: &Shutdown) -> anyhow::Result<()> {
    let flags = args.flags;
    match args.command {
        Command::Demo(demo) => demo::run(demo, &flags).await,
        Command::Login => login::run(&settings(&flags)?).await,
        Command::Run(run) => run::run(run, home(&flags, shutdown).await?).await,
        Command::Enqueue(what) => enqueue::run(what, &home(&flags, shutdown).await?).await,
        Command::Worker(which) => {
            let logging = worker::init_logging();
            let result = work::run(&which, settings(&flags)?).await;
            tokio::task::spawn_blocking(|| logging.finish()).await?;
            result
        }
        Command::Status(live) => status::run(live, &home(&flags, shutdown).await?).await,
        Command::Queues(live) => queues::run(live, &home(&flags, shutdown).await?).await,
        Command::Workers(workers) => workers::run(&workers, &home(&flags, shutdown).await?).await,
        Command::Runs(live) => runs::runs(live, &home(&flags, shutdown).await?).await,
        Command::Cancel(cancel) => runs::cancel(&cancel, &home(&flags, shutdown).await?).await,
        Command::Pause(kinds) => pause::pause(&kinds, &home(&flags, shutdown).await?).await,
        Command::Resume(kinds) => pause::resume(&kinds, &home(&flags, shutdown).await?).await,
        Command::Budget(budget) => budget::run(budget, &home(&flags, shutdown).await?).await,
        Command::Dead(dead) => dead::run(dead, &home(&flags, shutdown).await?).await,
        Command::Doctor(doctor) => doctor::run(&doctor, &flags).await,
        Command::Pitches(pitches) => pitches::run(&pitches),
        Command::Lastfm(lastfm) => lastfm::run(&lastfm, &settings(&flags)?),
        Command::Tags(tags) => tags::run(&tags),
        Command::Dataset(dataset) => dataset::run(dataset, &home(&flags, shutdown).await?).await,
        Command::Search(search) => search::run(search, &home(&flags, shutdown).await?).await,
        Command::Predict(predict) => predict::run(&predict, settings(&flags)?).await,
        Command::Report(report) => report::run(&report, &home(&flags, shutdown).await?).await,
        Command::Config(config) => config::run(&config, &settings(&flags)?, &flags),
        Command::Completions { shell } => completions::run(shell),
    }
}

fn settings(flags: &Flags) -> anyhow::Result<Settings> {
    worker::load_settings(flags).map_err(usage)
}

/// A server may be silent for a while.
async fn home(flags: &Flags, shutdown: &Shutdown) -> anyhow::Result<Home> {
    let opened = unless_stopped(shutdown, home::open(settings(flags)?)).await?;
    opened.ok_or_else(|| stopped(shutdown, "nothing had begun"))
}
