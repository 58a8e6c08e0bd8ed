//! What a developer or CI runs: `cargo xtask test`, `deploy`, `deny`, `bench NAME`.

mod bench;
mod command;
mod deny;
mod deploy;
mod test;
mod tools;

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
    /// Check the image, the compose file and the Kubernetes manifests against their schemas and against the program
    Deploy,
    /// Check licences, bans, sources and advisories of all crates, as deny.toml says
    Deny,
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
        Task::Deploy => deploy::check(),
        Task::Deny => deny::deny(),
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
