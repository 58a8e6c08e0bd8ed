//! The main function of a worker program.

use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser};
use model::settings::Settings;

use crate::{Flags, Home, Shutdown, Until, Worker, init_logging, load_settings};

/// The command line of a worker program.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    #[command(flatten)]
    flags: Flags,
    #[command(flatten)]
    run: RunOptions,
}

#[derive(Debug, Args)]
struct RunOptions {
    /// Jobs at once of each kind (default: what fits the kind)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    slots: Option<u16>,
    /// Stop when no job of these kinds is left
    #[arg(long)]
    until_empty: bool,
}

/// Runs the worker program `name`, whose handlers `add` adds, until a signal or as its flags say. The exit code is 0 after
/// a stop, 1 after a failure, 2 where flags or settings cannot be used.
pub fn main(name: &'static str, about: &'static str, add: fn(Worker, &Home) -> anyhow::Result<Worker>) -> ExitCode {
    let matches = Options::command().name(name).about(about).get_matches();
    let Options { flags, run } = Options::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    init_logging();
    let settings = match load_settings(&flags) {
        Ok(settings) => settings,
        Err(error) => return failure(name, &error, 2),
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failure(name, &error, 1),
    };
    let result = runtime.block_on(start(settings, &run, add));
    // Not dropped: that would wait for a computation that was left behind when its time was up.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure(name, &format_args!("{error:#}"), 1),
    }
}

async fn start(
    mut settings: Settings,
    run: &RunOptions,
    add: fn(Worker, &Home) -> anyhow::Result<Worker>,
) -> anyhow::Result<()> {
    if let Some(slots) = run.slots {
        settings.worker.slots = slots.into();
    }
    // Before the doors are opened, so that no signal is missed.
    let shutdown = Shutdown::on_signals()?;
    let home = tokio::select! {
        home = Home::open(settings) => home?,
        () = shutdown.stopped() => return Ok(()),
    };
    let worker = add(Worker::new(home.clone()), &home)?;
    worker.run(if run.until_empty { Until::Empty } else { Until::Stopped }, shutdown).await?;
    Ok(())
}

fn failure(name: &str, error: &dyn std::fmt::Display, code: u8) -> ExitCode {
    tracing::error!("{name}: {error}");
    ExitCode::from(code)
}
