//! The main function of a worker program.

use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser};
use model::settings::Settings;

use crate::{Flags, Health, Home, Shutdown, Until, Worker, init_logging, load_settings};

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
    install_crypto();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("{name}: {error}");
            return ExitCode::FAILURE;
        }
    };
    let entered = runtime.enter();
    let logging = init_logging();
    let ended = match load_settings(&flags) {
        Ok(settings) => runtime.block_on(start(settings, &run, add)).map_err(|error| (format!("{error:#}"), 1)),
        Err(error) => Err((error.to_string(), 2)),
    };
    let code = ended.map_or_else(
        |(why, code)| {
            tracing::error!("{name}: {why}");
            ExitCode::from(code)
        },
        |()| ExitCode::SUCCESS,
    );
    logging.finish();
    drop(entered);
    // Not dropped: that would wait for a computation that was left behind when its time was up.
    runtime.shutdown_background();
    code
}

/// Makes ring the one provider of cryptography. To be called first in every main: more than one is linked in, and rustls
/// does not choose.
pub fn install_crypto() {
    // Refused only where there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
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
    let until = if run.until_empty { Until::Empty } else { Until::Stopped };
    run_worker(settings, add, until, shutdown).await
}

/// Opens queue and store, waiting for them, and runs a worker with the handlers that `add` adds; with a listener, where the
/// settings say so.
///
/// # Errors
/// When queue, store or the listener's address can never be used.
pub async fn run_worker(
    settings: Settings,
    add: impl FnOnce(Worker, &Home) -> anyhow::Result<Worker>,
    until: Until,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    let health = match &settings.worker.listen {
        Some(address) => Some(Health::listen(address).await?),
        None => None,
    };
    let home = tokio::select! {
        home = Home::open_patiently(settings) => home?,
        () = shutdown.stopped() => return Ok(()),
    };
    let worker = add(Worker::new(home.clone()).reporting_to(health), &home)?;
    worker.run(until, shutdown).await?;
    Ok(())
}
