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
    /// The queue on RabbitMQ and on a SQLite file, beside Celery, a bare lapin loop and apalis-sqlite; memory of workers
    Queue {
        /// Arguments for the benchmark, such as `broker --rounds 3`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// A search by one grid-worker and by two, each on one core
    Grid {
        /// Arguments for the benchmark, such as `--rounds 3`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let result = match Task::parse() {
        Task::Test { cargo } => test::run_tests(&cargo),
        Task::Bench(Bench::Pitches) => bench::pitches(),
        Task::Bench(Bench::Queue { arguments }) => bench::queue(&arguments),
        Task::Bench(Bench::Grid { arguments }) => bench::grid(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
