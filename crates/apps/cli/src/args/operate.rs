//! Commands that show and steer what workers do.

use std::path::PathBuf;

use clap::{ArgGroup, Args as ClapArgs, Subcommand};

use super::values::kind;

/// How a state is shown.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub struct LiveArgs {
    /// Refresh every second until Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// Print JSON; with --watch, one document per line
    #[arg(long)]
    pub json: bool,
}

/// `spotifai workers`.
#[derive(Debug, ClapArgs)]
pub struct WorkersArgs {
    #[command(flatten)]
    pub live: LiveArgs,
    /// Include workers that are gone
    #[arg(long)]
    pub all: bool,
}

/// `spotifai cancel`.
#[derive(Debug, ClapArgs)]
pub struct CancelArgs {
    /// Run ID or prefix
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `spotifai kinds`.
#[derive(Debug, ClapArgs)]
pub struct KindsArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Print the KEDA objects that scale the workers in a cluster, as YAML
    #[arg(long, conflicts_with = "json")]
    pub scaling: bool,
}

/// `spotifai pause` and `spotifai resume`.
#[derive(Debug, ClapArgs)]
#[command(group(ArgGroup::new("which").required(true)))]
pub struct PauseArgs {
    /// Kinds of jobs
    #[arg(group = "which", value_name = "KIND", value_parser = kind())]
    pub kinds: Vec<String>,
    /// All kinds
    #[arg(long, group = "which")]
    pub all: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `spotifai budget`.
#[derive(Debug, Subcommand)]
pub enum BudgetCommand {
    /// List the rate budgets used so far: which are closed, until when and why
    #[command(after_help = "Examples:\n  spotifai budget list\n  spotifai budget list --json")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Reopen a closed rate budget for all workers
    ///
    /// The next throttled response closes it again.
    #[command(after_help = "Example:\n  spotifai budget open lastfm@default    (a name from `spotifai budget list`)")]
    Open {
        /// Name of the budget
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// `spotifai doctor`.
#[derive(Debug, ClapArgs)]
pub struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `spotifai dead`.
#[derive(Debug, Subcommand)]
pub enum DeadCommand {
    /// List dead jobs and why they failed
    #[command(after_help = "Examples:\n  spotifai dead list --kind track.tags\n  spotifai dead list --json")]
    List {
        /// Only jobs of this kind
        #[arg(long, value_name = "KIND", value_parser = kind())]
        kind: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a dead job with its history and payload
    #[command(after_help = "Example:\n  spotifai dead show 2f1c…    (an ID from `spotifai dead list`)")]
    Show {
        /// Job ID or prefix
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Put dead jobs back into their queues
    #[command(after_help = "Examples:\n  spotifai dead requeue 2f1c…\n  spotifai dead requeue --kind track.tags")]
    Requeue(DeadSelection),
    /// Delete dead jobs
    #[command(after_help = "Examples:\n  spotifai dead purge 2f1c…\n  spotifai dead purge --all")]
    Purge(DeadSelection),
}

/// Which dead jobs: by ID, by kind, or all.
#[derive(Debug, ClapArgs)]
#[command(group(ArgGroup::new("which").required(true)))]
pub struct DeadSelection {
    /// Job IDs or prefixes
    #[arg(group = "which", value_name = "ID")]
    pub ids: Vec<String>,
    /// All dead jobs of this kind
    #[arg(long, group = "which", value_name = "KIND", value_parser = kind())]
    pub kind: Option<String>,
    /// All dead jobs
    #[arg(long, group = "which")]
    pub all: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `spotifai config`.
#[derive(Debug, ClapArgs)]
pub struct ConfigArgs {
    /// Write it, including secrets, to a new file that only you can read
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,
}
