//! What a developer or CI runs: `cargo xtask test`, `cargo xtask bench NAME`.

mod bench;
mod command;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "What a developer or CI runs")]
enum Task {
    /// Run all tests, in the release profile that the demo was built in
    Test {
        /// Arguments for `cargo test`, such as `-p queue` or a test's name
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        cargo: Vec<String>,
    },
    /// Run a benchmark: both sides in one go, with their ratio
    #[command(subcommand)]
    Bench(Bench),
}

#[derive(Subcommand)]
enum Bench {
    /// Segments to pitch columns, beside the pandas code
    Pitches,
}

fn main() -> ExitCode {
    let result = match Task::parse() {
        Task::Test { cargo } => test::run_tests(&cargo),
        Task::Bench(Bench::Pitches) => bench::pitches(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
