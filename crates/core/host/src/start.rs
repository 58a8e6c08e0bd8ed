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
    /// Jobs to run at once, of each kind [default: depends on the kind]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    slots: Option<u16>,
    /// Exit when no jobs of this worker are left
    #[arg(long)]
    until_empty: bool,
}

/// Runs a worker program until a signal or as its flags say. The exit code is 0 after a stop, 1 after a failure, 2 where
/// flags or settings cannot be used.
pub fn main<P: WorkerProgram>() -> ExitCode {
    let (program, name) = (Program::of::<P>(), P::NAME);
    let (runtime, shutdown) = match begin() {
        Ok(begun) => begun,
        Err(error) => {
            complain(&format!("{name}: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let matches = Options::command().name(name).about(program.about).try_get_matches();
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
    end(runtime);
    code
}

/// What every main begins with, before anything that takes time: a runtime, handlers of the signals, so that none is missed,
/// and [`install_crypto`].
///
/// # Errors
/// When the system gives no threads or no handlers.
pub fn begin() -> std::io::Result<(Runtime, Shutdown)> {
    // More than one thread: a handler that never yields keeps one to itself, and its time-out has to be noticed.
    let threads = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
    let runtime = Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    let shutdown = {
        let _entered = runtime.enter();
        signals::on_signals()?
    };
    install_crypto();
    Ok((runtime, shutdown))
}

/// What every main ends with, after its last words.
pub fn end(runtime: Runtime) {
    // Tasks are cut off anywhere now, and the MongoDB driver's panic where the other half of a channel went first.
    std::panic::set_hook(Box::new(|_| {}));
    // Not dropped: that would wait for a computation that was left behind when its time was up.
    runtime.shutdown_background();
}

/// Makes ring the one provider of cryptography: more than one is linked in, and rustls does not choose.
pub fn install_crypto() {
    // Refused only where there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

async fn start(mut settings: Settings, run: &RunOptions, program: &Program, shutdown: Shutdown) -> anyhow::Result<()> {
    if let Some(slots) = run.slots {
        settings.worker.slots = slots.into();
    }
    let until = if run.until_empty { Until::Empty } else { Until::Stopped };
    run_worker(settings, |worker, backends| program.add_to(worker, backends), until, shutdown).await
}

/// Opens queue and store, waiting for them, and runs a worker with the handlers that `add` adds; with a listener, where the
/// settings say so.
///
/// # Errors
/// When queue, store or the listener's address can never be used.
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
    let kept_out = |why: &str| readiness.kept_out(why);
    let backends = tokio::select! {
        backends = Backends::open_patiently(settings, until, kept_out) => backends?,
        () = shutdown.stopped() => return Ok(()),
    };
    let worker = add(backends.worker().reporting_to(readiness.clone()), &backends)?;
    worker.run(until, shutdown).await?;
    Ok(())
}
