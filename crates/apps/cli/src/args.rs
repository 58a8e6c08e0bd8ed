//! The command line, with its help texts.

mod collect;
mod inspect;
mod learn;
mod operate;
mod search;
mod values;

use clap::{ArgAction, Parser, Subcommand};

pub use collect::{DemoArgs, EnqueueCommand, EnqueueFileArgs, RunArgs, WorkerArgs};
pub use inspect::{LastfmCommand, PitchesArgs, PitchesFormat, TagsCommand};
pub use learn::{DatasetCommand, PredictArgs, ReportArgs};
pub use operate::{
    BudgetCommand, CancelArgs, ConfigArgs, DeadCommand, DeadSelection, DoctorArgs, KindsArgs, LiveArgs, PauseArgs,
    WorkersArgs,
};
pub use search::{
    DataArgs, GridArgs, SearchArgs, SearchCancelArgs, SearchCommand, SearchPlanArgs, SearchRunArgs, SearchShowArgs,
    SearchStartArgs, SearchWatchArgs,
};

/// Turn Spotify playlists into a multi-label music-genre model
#[derive(Debug, Parser)]
#[command(
    name = "spotifai",
    version,
    disable_help_flag = true,
    disable_version_flag = true,
    after_help = "Start with `spotifai demo`. `spotifai COMMAND -h` explains a command.",
    after_long_help = "Examples:\n  spotifai demo                              try everything offline\n  spotifai run 37i9dQZF1DXcBWIGoYBM5M        collect a playlist, search for a model, write a report\n  spotifai predict 3n3Ppam7vgaVa1iaRUc9Lp    predict the genres of a track"
)]
pub struct Args {
    #[command(flatten)]
    pub flags: host::Flags,
    /// Print version
    #[arg(short = 'V', long, action = ArgAction::Version, help_heading = host::GLOBAL_OPTIONS)]
    version: Option<bool>,
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Try everything offline: collect sample data, search for a model, write the report
    ///
    /// A sample catalogue stands in for Spotify and last.fm. Queue and store are files in the output folder; only --queue
    /// and --store change that, neither the environment nor spotifai.toml does. Use a vhost and a database that nobody else
    /// uses: other workers on the same queue would take the demo's jobs, and the demo would take theirs.
    #[command(
        after_help = "Examples:\n  spotifai demo\n  spotifai demo --tracks 800 --seed 7 --out larger-demo\n  spotifai demo --catalogue my_tracks.csv\n  spotifai demo --queue amqp://guest:guest@localhost/demo --store mongodb://localhost/demo"
    )]
    Demo(DemoArgs),
    /// Sign in to Spotify in the browser, so that your own playlists can be read
    ///
    /// The redirect URI of your Spotify app must be http://127.0.0.1/callback, without a port.
    #[command(after_help = "Example:\n  SPOTIFAI_SPOTIFY_CLIENT_ID=… spotifai login")]
    Login,
    /// Collect playlists, build the dataset, search for a model and write the report
    ///
    /// If interrupted, run the same command again to continue.
    ///
    /// Spotify does not give audio features and audio analyses to apps created after 2024-11-27. The first two requests show
    /// whether that applies to yours; if both are refused, the run ends at once unless --labels-only is given.
    #[command(
        after_help = "Examples:\n  spotifai run 37i9dQZF1DXcBWIGoYBM5M\n  spotifai run https://open.spotify.com/playlist/37i9dQZF1DXcBWIGoYBM5M --out june\n  spotifai run 37i9dQZF1DXcBWIGoYBM5M --labels-only"
    )]
    Run(RunArgs),
    /// Put jobs into the queue for workers to run
    #[command(subcommand)]
    Enqueue(EnqueueCommand),
    /// Run workers in this process
    #[command(
        after_help = "Examples:\n  spotifai worker playlist lastfm pitch\n  spotifai worker grid --slots 2\n  spotifai worker all --until-empty"
    )]
    Worker(WorkerArgs),
    /// Show what has been collected, what is waiting and who is working
    #[command(after_help = "Examples:\n  spotifai status --watch\n  spotifai status --json")]
    Status(LiveArgs),
    /// Show the queue of each kind of job: waiting, running, rate, time left
    ///
    /// Rates count the jobs finished while this command was watching (1.5 s; up to 30 s with --watch). If there were none,
    /// they count all jobs finished since the workers started.
    #[command(after_help = "Examples:\n  spotifai queues --watch\n  spotifai queues --json")]
    Queues(LiveArgs),
    /// List the workers: where they run, what they are doing, since when
    #[command(after_help = "Examples:\n  spotifai workers --watch\n  spotifai workers --all --json")]
    Workers(WorkersArgs),
    /// List the runs with their playlists and progress
    #[command(after_help = "Examples:\n  spotifai runs\n  spotifai runs --json")]
    Runs(LiveArgs),
    /// Cancel a run and keep what it has collected
    ///
    /// Jobs of the run that are still in the queue do nothing when a worker takes them.
    #[command(after_help = "Example:\n  spotifai cancel r0b7c…    (an ID from `spotifai runs`)")]
    Cancel(CancelArgs),
    /// Pause kinds of jobs until they are resumed
    ///
    /// No worker takes jobs of these kinds any more; jobs that are already running are finished.
    #[command(after_help = "Examples:\n  spotifai pause track.tags\n  spotifai pause --all")]
    Pause(PauseArgs),
    /// Resume paused kinds of jobs
    #[command(after_help = "Examples:\n  spotifai resume track.tags\n  spotifai resume --all")]
    Resume(PauseArgs),
    /// Show or reopen the rate budgets that all workers share
    #[command(subcommand)]
    Budget(BudgetCommand),
    /// Check settings, servers, credentials and workers, and suggest a fix for each failure
    ///
    /// The exit code is 1 if a check failed; warnings do not count as failures.
    #[command(after_help = "Examples:\n  spotifai doctor\n  spotifai doctor --json")]
    Doctor(DoctorArgs),
    /// Jobs that failed permanently (dead letters)
    #[command(subcommand)]
    Dead(DeadCommand),
    /// Resample an audio-analysis document into the 1,224 pitch columns
    #[command(after_help = "Example:\n  spotifai pitches analysis.json --format csv")]
    Pitches(PitchesArgs),
    /// Print last.fm URLs and parse saved last.fm pages
    #[command(subcommand)]
    Lastfm(LastfmCommand),
    /// Normalise tags
    #[command(subcommand)]
    Tags(TagsCommand),
    /// Build and export the feature matrix with its labels
    #[command(subcommand)]
    Dataset(DatasetCommand),
    /// Search a grid of candidates for the best model
    #[command(subcommand)]
    Search(SearchCommand),
    /// Predict the genres of tracks, or the labels of a table's rows, with probabilities
    ///
    /// Tracks and rows for which no prediction is possible are named, all others are predicted, and the exit code is 1.
    #[command(
        after_help = "Examples:\n  spotifai predict 3n3Ppam7vgaVa1iaRUc9Lp\n  spotifai predict spotify:track:3n3Ppam7vgaVa1iaRUc9Lp --json\n  spotifai predict --data new.csv --out labels.csv\n  spotifai predict --data new.parquet --model s3f2a    (an ID from `spotifai search list`)"
    )]
    Predict(PredictArgs),
    /// Write the report of the newest dataset and model
    #[command(after_help = "Example:\n  spotifai report --out june")]
    Report(ReportArgs),
    /// Print the effective configuration without secrets, or write it to a file
    #[command(after_help = "Examples:\n  spotifai config\n  spotifai config --write spotifai.toml")]
    Config(ConfigArgs),
    /// List the kinds of jobs: worker, attempts, timeout, rate budgets
    Kinds(KindsArgs),
    /// Print a shell completion script
    #[command(
        after_help = "Examples:\n  spotifai completions bash > ~/.local/share/bash-completion/completions/spotifai\n  spotifai completions zsh > ~/.zfunc/_spotifai\n  spotifai completions fish > ~/.config/fish/completions/spotifai.fish"
    )]
    Completions {
        /// Shell to print the script for
        shell: clap_complete::Shell,
    },
}
