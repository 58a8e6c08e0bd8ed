//! `spotifai demo`, `run`, `enqueue` and `worker`.

use std::path::PathBuf;

use clap::builder::TypedValueParser;
use clap::{Args as ClapArgs, Subcommand};
use model::job::Kind;

use super::values::{job_lines, kind, worker};
use crate::programs;

/// `spotifai demo`.
#[derive(Debug, ClapArgs)]
pub struct DemoArgs {
    /// Tracks in the sample catalogue, at least 50
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(50..=20_000), value_name = "N")]
    pub tracks: u32,
    /// Seed of the sample catalogue and of the search
    #[arg(long, default_value_t = 1, value_name = "S")]
    pub seed: u64,
    /// CSV table of real tracks to use instead of the sample catalogue
    ///
    /// It needs the columns Track URI, Track Name, Artist Name(s), Genres and the audio features, as in an Exportify export.
    #[arg(long, value_name = "FILE.csv", conflicts_with = "tracks")]
    pub catalogue: Option<PathBuf>,
    /// Output folder for report.html, summary.json and the demo's own database
    #[arg(long, default_value = "spotifai-demo", value_name = "DIR")]
    pub out: PathBuf,
}

/// `spotifai run`.
#[derive(Debug, ClapArgs)]
pub struct RunArgs {
    /// Playlist IDs, URIs or URLs
    #[arg(required = true, value_name = "PLAYLIST")]
    pub playlists: Vec<String>,
    /// Output folder for the report
    #[arg(long, default_value = "spotifai-out", value_name = "DIR")]
    pub out: PathBuf,
    /// Collect only tracks and tags, and write labels.csv: no audio, no search, no model
    #[arg(long)]
    pub labels_only: bool,
}

/// `spotifai enqueue`.
#[derive(Debug, Subcommand)]
pub enum EnqueueCommand {
    /// Enqueue playlists for collection: pages, tags, audio and pitches
    #[command(
        after_help = "Example:\n  spotifai enqueue playlist 37i9dQZF1DXcBWIGoYBM5M spotify:playlist:37i9dQZF1DX0XUsuxWHRQd"
    )]
    Playlist {
        /// Playlist IDs, URIs or URLs
        #[arg(required = true, value_name = "PLAYLIST")]
        playlists: Vec<String>,
    },
    /// Enqueue tag lookups for tracks in the store
    #[command(after_help = "Example:\n  spotifai enqueue tags --missing")]
    Tags(MissingArgs),
    /// Enqueue audio downloads and pitch computations for tracks in the store
    #[command(after_help = "Example:\n  spotifai enqueue pitches --missing")]
    Pitches(MissingArgs),
    /// Enqueue jobs of one kind from a file, one job per line
    #[command(after_help = job_lines())]
    File(EnqueueFileArgs),
}

/// `spotifai enqueue file`.
#[derive(Debug, ClapArgs)]
pub struct EnqueueFileArgs {
    /// File to read; - is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Kind of the jobs
    #[arg(long, value_name = "KIND", value_parser = kind().map(|name| programs::kind(&name).expect("a known kind")))]
    pub kind: Kind,
    /// Start at this line, counting from 1
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub from_line: u64,
    /// Skip invalid lines and continue; the exit code is 1 if there were any
    #[arg(long)]
    pub keep_going: bool,
}

/// Which tracks.
#[derive(Debug, ClapArgs)]
pub struct MissingArgs {
    /// Only for tracks that have no pitches yet
    #[arg(long, required = true)]
    pub missing: bool,
}

/// `spotifai worker`.
#[derive(Debug, ClapArgs)]
pub struct WorkerArgs {
    /// Workers to run
    #[arg(required = true, value_name = "WORKER", value_parser = worker())]
    pub workers: Vec<String>,
    /// Number of jobs of each kind to run at once [default: depends on the kind]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub slots: Option<u16>,
    /// Exit when no jobs of these workers are left
    #[arg(long)]
    pub until_empty: bool,
}
