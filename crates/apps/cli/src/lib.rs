//! The command-line program `spotifai`.

// These macros panic if the stream cannot be written to. Use `output` or `host::complain` instead.
#![warn(clippy::print_stderr, clippy::print_stdout)]

mod args;
mod backends;
mod command_line;
mod commands;
mod error;
mod files;
mod finished_search;
mod fleet;
mod ids;
mod interrupt;
mod output;
mod overwrite_check;
mod playlist_run;
mod programs;
mod progress;
mod refusals;
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

/// Runs `spotifai` with the given worker programs.
pub fn main(programs: &'static [Program]) -> ExitCode {
    programs::set(programs);
    let (runtime, shutdown) = match host::start_process() {
        Ok(begun) => begun,
        Err(error) => return error::report(Err(error.into())).into(),
    };
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => return host::usage_error("spotifai", error),
    };
    let entered = runtime.enter();
    interrupt::on_signal(&args.command, &shutdown);
    drop(entered);
    let result = runtime.block_on(commands::run(args, &shutdown));
    let code = error::report(result);
    host::end_process(runtime);
    code.into()
}
