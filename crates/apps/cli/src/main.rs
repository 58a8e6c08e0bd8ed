//! `spotifai`: everything the system does, from the command line.
// These macros panic where standard output or standard error cannot be written: use `output`, `worker::complain`.
#![warn(clippy::print_stderr, clippy::print_stdout)]

mod args;
mod commands;
mod error;
mod files;
mod fleet;
mod found;
mod home;
mod ids;
mod output;
mod overwriting;
mod playlist_run;
mod progress;
mod refusals;
mod shell;
mod stop;
mod summary;
mod watch;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let (runtime, shutdown) = match worker::begin() {
        Ok(begun) => begun,
        Err(error) => return error::ended(Err(error.into())),
    };
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => return worker::usage_error("spotifai", error),
    };
    let entered = runtime.enter();
    stop::on_signal(&args.command, &shutdown);
    drop(entered);
    let result = runtime.block_on(commands::run(args, &shutdown));
    let code = error::ended(result);
    worker::end(runtime);
    code
}
