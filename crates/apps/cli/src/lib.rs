//! `spotifai`: everything the system does, from the command line.
// These macros panic where standard output or standard error cannot be written: use `output`, `host::complain`.
#![warn(clippy::print_stderr, clippy::print_stdout)]

mod args;
mod backends;
mod commands;
mod error;
mod files;
mod fleet;
mod found;
mod ids;
mod output;
mod overwriting;
mod playlist_run;
mod programs;
mod progress;
mod refusals;
mod shell;
mod stop;
mod summary;
mod watch;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use host::Program;

pub use programs::PROGRAMS;

/// The command line of `spotifai`: all commands and options.
pub fn command() -> clap::Command {
    args::Args::command()
}

/// Runs `spotifai` with these worker programs.
pub fn main(programs: &'static [Program]) -> ExitCode {
    programs::set(programs);
    let (runtime, shutdown) = match host::begin() {
        Ok(begun) => begun,
        Err(error) => return error::ended(Err(error.into())),
    };
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => return host::usage_error("spotifai", error),
    };
    let entered = runtime.enter();
    stop::on_signal(&args.command, &shutdown);
    drop(entered);
    let result = runtime.block_on(commands::run(args, &shutdown));
    let code = error::ended(result);
    host::end(runtime);
    code
}
