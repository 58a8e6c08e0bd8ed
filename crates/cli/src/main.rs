//! `spotifai`: everything the system does, from the command line.

mod args;
mod commands;
mod error;
mod fleet;
mod home;
mod output;
mod progress;
mod summary;
mod watch;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args = args::Args::parse();
    worker::install_crypto();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return error::exit_code(Err(error.into())),
    };
    let result = runtime.block_on(commands::run(args));
    // Not dropped: that would wait for a computation that was left behind when its time was up.
    runtime.shutdown_background();
    error::exit_code(result)
}
