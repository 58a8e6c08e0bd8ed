//! The main function of a worker program.

use std::process::ExitCode;

use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser};
use model::settings::Settings;
use runtime::{Shutdown, Until, Worker};
use tokio::runtime::{Builder, Runtime};

use crate::usage::{usage_error, without_given_secrets};
use crate::{
    Backends, Flags, GLOBAL_OPTIONS, Health, Program, WorkerProgram, complain, init_logging, load_settings, signals,
};

/// The command line of a worker program.
#[derive(Debug, Parser)]
#[command(version, disable_help_flag = true, disable_version_flag = true)]
struct Options {
    #[command(flatten)]
    run: RunOptions,
    #[command(flatten)]
    flags: Flags,
    /// Print version
    #[arg(short = 'V', long, action = ArgAction::Version, help_heading = GLOBAL_OPTIONS)]
    version: Option<bool>,
}

#[derive(Debug, Args)]
struct RunOptions {
    /// Number of jobs of each kind to run at once [default: depends on the kind]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    slots: Option<u16>,
    /// Exit when no jobs of this worker are left
    #[arg(long)]
    until_empty: bool,
}

/// Runs a worker program until a signal, or as its options say. The exit code is 0 after a stop, 1 after a failure, and 2 if
/// options or settings cannot be used.
pub fn main<P: WorkerProgram>() -> ExitCode {
    let (program, name) = (Program::of::<P>(), P::NAME);
    let (runtime, shutdown) = match start_process() {
        Ok(started) => started,
        Err(error) => {
            complain(&format!("{name}: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let matches = Options::command().name(name).about(program.description).try_get_matches();
    let Options { run, flags, .. } = match matches.and_then(|matches| Options::from_arg_matches(&matches)) {
        Ok(options) => options,
        Err(error) => return usage_error(name, error),
    };
    let entered = runtime.enter();
    let logging = init_logging();
    let ended = match load_settings(&flags) {
        Ok(settings) => {
            runtime.block_on(start(settings, &run, &program, shutdown)).map_err(|error| (format!("{error:#}"), 1))
        }
        Err(error) => Err((error.to_string(), 2)),
    };
    let code = ended.map_or_else(
        |(why, code)| {
            tracing::error!("{name}: {}", without_given_secrets(&why));
            ExitCode::from(code)
        },
        |()| ExitCode::SUCCESS,
    );
    logging.finish();
    drop(entered);
    end_process(runtime);
    code
}

/// The start of every main function, before anything that takes time: a runtime, signal handlers, so that no signal is missed,
/// and [`install_crypto`].
///
/// # Errors
/// When the system refuses threads or signal handlers.
pub fn start_process() -> std::io::Result<(Runtime, Shutdown)> {
    // At least two threads: a handler that never yields occupies one, and its time-out has to be noticed.
    let threads = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
    let runtime = Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    let shutdown = {
        let _entered = runtime.enter();
        signals::on_signals()?
    };
    install_crypto();
    Ok((runtime, shutdown))
}

/// The end of every main function, after its last output.
pub fn end_process(runtime: Runtime) {
    // Tasks are aborted at any point now, and those of the MongoDB driver panic if the other half of a channel went first.
    std::panic::set_hook(Box::new(|_| {}));
    // Not dropped: that would wait for a computation that was abandoned after its time-out.
    runtime.shutdown_background();
}

/// Makes ring the provider of cryptography: more than one is linked in, and rustls does not choose.
pub fn install_crypto() {
    // Fails only if one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

async fn start(mut settings: Settings, run: &RunOptions, program: &Program, shutdown: Shutdown) -> anyhow::Result<()> {
    if let Some(slots) = run.slots {
        settings.worker.slots = slots.into();
    }
    let until = if run.until_empty { Until::Empty } else { Until::Stopped };
    run_worker(settings, |worker, backends| program.add_to(worker, backends), until, shutdown).await
}

/// Opens queue and store, waiting until they are reachable, and runs a worker with the handlers that `add` adds; with a listener
/// if the settings name one.
///
/// # Errors
/// When the queue, the store or the listener's address can never be used.
pub async fn run_worker(
    settings: Settings,
    add: impl FnOnce(Worker, &Backends) -> anyhow::Result<Worker>,
    until: Until,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    let health = match &settings.worker.listen {
        Some(address) => Some(Health::listen(address).await?),
        None => None,
    };
    let readiness = health.map(|health| health.readiness).unwrap_or_default();
    let on_failure = |reason: &str| readiness.set_open_failure(reason);
    let backends = tokio::select! {
        backends = Backends::open_with_retries(settings, until, on_failure) => backends?,
        () = shutdown.stopped() => return Ok(()),
    };
    let worker = add(backends.worker().with_readiness(readiness.clone()), &backends)?;
    worker.run(until, shutdown).await?;
    Ok(())
}
