//! What a developer or CI runs: `cargo xtask test`, `bench NAME`, `chaos`, `services`, `deploy`, `docs`, `deny`, `github`, `words`.

mod bench;
mod chaos;
mod command;
mod consent;
mod deny;
mod deploy;
mod docs;
mod github;
mod keeper;
mod servers;
mod test;
mod tools;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "What a developer or CI runs")]
enum Task {
    /// Run all tests, in the release profile that the demo was built in
    ///
    /// RabbitMQ and a MongoDB-compatible server are installed where they are missing, started for the run and stopped
    /// after it, unless SPOTIFAI_TEST_QUEUE, SPOTIFAI_TEST_QUEUE_MANAGEMENT and SPOTIFAI_TEST_STORE name running ones.
    /// On a terminal it says first what it will install, and asks, unless CI is set.
    Test {
        /// Leave out the tests that need a server
        #[arg(long)]
        offline: bool,
        /// Install what is missing without asking
        #[arg(long)]
        yes: bool,
        /// Arguments for `cargo test`, such as `-p queue` or a test's name
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        cargo: Vec<String>,
    },
    /// Check the image, the compose file and the Kubernetes manifests against their schemas and against the program
    Deploy {
        /// Write what follows from the kinds of job (k8s/base/scaling.yaml) instead
        #[arg(long)]
        write: bool,
    },
    /// Check that docs/cli.md is the help of the programs
    Docs {
        /// Write it instead
        #[arg(long)]
        write: bool,
    },
    /// Check licences, bans, sources and advisories of all crates, as deny.toml says
    Deny,
    /// Check the workflows, issue forms and dependabot's settings in .github against their schemas
    Github,
    /// Check that type names are defined once in a crate, and that constants say what they bound
    Words,
    /// Run a benchmark: both sides in one go, with their ratio
    #[command(subcommand)]
    Bench(Bench),
    /// Run the whole fleet on real servers while workers are killed and servers and network fail
    Chaos {
        /// Fewer tracks and shorter outages: under two minutes
        #[arg(long)]
        short: bool,
        /// Another catalogue and another order of events
        #[arg(long, value_name = "N")]
        seed: Option<u64>,
    },
    /// Start and stop the servers that tests talk to
    #[command(subcommand)]
    Services(Services),
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
    /// The study's five tables beside scikit-learn, single fits, growth, limits; writes docs/performance.md
    Search {
        /// Arguments for the benchmark, such as `--tables knn,tree --minutes 2`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

#[derive(Subcommand)]
enum Services {
    /// Start RabbitMQ and a MongoDB-compatible server, and print the variables that point tests at them
    Up,
    /// Stop what `up` started
    Down,
    /// Stop the servers of a folder when the standard input ends
    #[command(hide = true)]
    Keep { folder: PathBuf },
}

fn main() -> ExitCode {
    let result = match Task::parse() {
        Task::Test { offline, yes, cargo } => test::run_tests(&cargo, offline, yes),
        Task::Deploy { write: true } => deploy::write(),
        Task::Deploy { write: false } => deploy::check(),
        Task::Docs { write: true } => docs::write(),
        Task::Docs { write: false } => docs::check(),
        Task::Deny => deny::deny(),
        Task::Github => github::check(),
        Task::Words => words::check(),
        Task::Bench(Bench::Pitches) => bench::pitches(),
        Task::Bench(Bench::Queue { arguments }) => bench::queue(&arguments),
        Task::Bench(Bench::Grid { arguments }) => bench::grid(&arguments),
        Task::Bench(Bench::Search { arguments }) => bench::search(&arguments),
        Task::Chaos { short, seed } => chaos::chaos(short, seed),
        Task::Services(Services::Up) => servers::up(),
        Task::Services(Services::Down) => servers::down(),
        Task::Services(Services::Keep { folder }) => servers::keep(&folder),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
