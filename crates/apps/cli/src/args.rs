//! The command line, with its help texts.

mod search;

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args as ClapArgs, Parser, Subcommand, ValueEnum};
use host::Program;
use model::job::Kind;

use crate::programs;

pub use search::{
    DataArgs, GridArgs, Impute, SearchArgs, SearchCancelArgs, SearchCommand, SearchPlanArgs, SearchRunArgs,
    SearchShowArgs, SearchStartArgs, SearchWatchArgs,
};

/// Turns Spotify playlists into a multi-label music-genre model.
#[derive(Debug, Parser)]
#[command(
    name = "spotifai",
    version,
    after_help = "Examples:\n  spotifai demo                                  the whole way, offline, on a sample catalogue\n  spotifai run 37i9dQZF1DXcBWIGoYBM5M            collect a playlist, search a model, write a report\n  spotifai predict 3n3Ppam7vgaVa1iaRUc9Lp        genres of a track, with probabilities"
)]
pub struct Args {
    #[command(flatten)]
    pub flags: host::Flags,
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The whole way, offline: a sample catalogue served over loopback, collected, searched, reported
    #[command(
        after_help = "Examples:\n  spotifai demo\n  spotifai demo --tracks 800 --seed 7 --out /tmp/demo\n  spotifai demo --catalogue my_tracks.csv        an Exportify-style table with a Genres column\n  spotifai demo --queue amqp://guest:guest@localhost/demo --store mongodb://localhost/demo\nOnly the flags --queue and --store take it out of its folder, neither environment nor spotifai.toml. Give it a vhost and a database of its own: whoever shares the queue would take its jobs, and it theirs."
    )]
    Demo(DemoArgs),
    /// Sign in to Spotify in the browser, so that your own playlists can be read
    #[command(
        after_help = "Example:\n  SPOTIFAI_SPOTIFY_CLIENT_ID=… spotifai login\nThe app's redirect URI must be http://127.0.0.1/callback, without a port"
    )]
    Login,
    /// Collect playlists, build the dataset, search a model and write the report
    #[command(
        after_help = "Examples:\n  spotifai run 37i9dQZF1DXcBWIGoYBM5M\n  spotifai run https://open.spotify.com/playlist/37i9dQZF1DXcBWIGoYBM5M --out june\n  spotifai run 37i9dQZF1DXcBWIGoYBM5M --labels-only\nInterrupted, the same command goes on where it stopped.\n\nSpotify gives audio features and analyses to no app made after 2024-11-27. The first two requests find that out; where both are refused the run ends at once, unless --labels-only says that tags are enough."
    )]
    Run(RunArgs),
    /// Put jobs into the queue, for workers to run
    #[command(subcommand)]
    Enqueue(EnqueueCommand),
    /// Run workers in this process
    #[command(
        after_help = "Examples:\n  spotifai worker playlist lastfm pitch\n  spotifai worker grid --slots 2\n  spotifai worker all --until-empty"
    )]
    Worker(WorkerArgs),
    /// What was collected, what is waiting, who is working
    #[command(after_help = "Examples:\n  spotifai status --watch\n  spotifai status --json")]
    Status(LiveArgs),
    /// The queue of each kind of job: what waits, what runs, how fast, how long it will take
    #[command(
        after_help = "Examples:\n  spotifai queues --watch\n  spotifai queues --json\nRates are of the jobs that workers finished while they were looked at (1.5 s, with --watch up to 30 s); where none was, of all since the workers' start."
    )]
    Queues(LiveArgs),
    /// The workers: where they run, on what, since when
    #[command(after_help = "Examples:\n  spotifai workers --watch\n  spotifai workers --all --json")]
    Workers(WorkersArgs),
    /// The runs: their playlists, and how far each one is
    #[command(after_help = "Examples:\n  spotifai runs\n  spotifai runs --json")]
    Runs(LiveArgs),
    /// Cancel a run: its jobs do nothing any more, what was collected stays
    #[command(after_help = "Example:\n  spotifai cancel r0b7c… (an id of `spotifai runs`)")]
    Cancel(CancelArgs),
    /// Let nobody take jobs of some kinds until they are resumed; jobs under way are finished
    #[command(after_help = "Examples:\n  spotifai pause track.tags\n  spotifai pause --all")]
    Pause(PauseArgs),
    /// Let workers take jobs of paused kinds again
    #[command(after_help = "Examples:\n  spotifai resume track.tags\n  spotifai resume --all")]
    Resume(PauseArgs),
    /// The rates that the team shares: which are closed and why; open one
    #[command(subcommand)]
    Budget(BudgetCommand),
    /// Check settings, servers, credentials and workers, and say the way out for each failure
    #[command(
        after_help = "Examples:\n  spotifai doctor\n  spotifai doctor --json\nThe exit code is 1 if something failed; a warning is no failure."
    )]
    Doctor(DoctorArgs),
    /// Jobs that were given up
    #[command(subcommand)]
    Dead(DeadCommand),
    /// Resample an audio-analysis document to the 1,224 pitch columns
    #[command(after_help = "Example:\n  spotifai pitches analysis.json --format csv")]
    Pitches(PitchesArgs),
    /// last.fm's addresses and pages
    #[command(subcommand)]
    Lastfm(LastfmCommand),
    /// Tags
    #[command(subcommand)]
    Tags(TagsCommand),
    /// The feature matrix with its labels
    #[command(subcommand)]
    Dataset(DatasetCommand),
    /// Grid search
    #[command(subcommand)]
    Search(SearchCommand),
    /// Genres of tracks, or labels of a table's rows, with probabilities
    #[command(
        after_help = "Examples:\n  spotifai predict 3n3Ppam7vgaVa1iaRUc9Lp\n  spotifai predict spotify:track:3n3Ppam7vgaVa1iaRUc9Lp --json\n  spotifai predict --data new.csv --out labels.csv      the model's columns, by name; others are left alone\n  spotifai predict --data new.parquet --model s3f2a     the model of a search of `spotifai search list`\nWhat cannot be answered is named, all others are answered, and the exit code is 1."
    )]
    Predict(PredictArgs),
    /// Write the report of the newest dataset and model
    #[command(after_help = "Example:\n  spotifai report --out june")]
    Report(ReportArgs),
    /// Print the settings in force without their secrets, or write them into a file
    #[command(after_help = "Examples:\n  spotifai config\n  spotifai config --write spotifai.toml")]
    Config(ConfigArgs),
    /// Every kind of job: who runs it, attempts, time-out, rate budgets
    Kinds(KindsArgs),
    /// Print a script that completes commands, flags and kinds in your shell
    #[command(
        after_help = "Examples:\n  spotifai completions bash > ~/.local/share/bash-completion/completions/spotifai\n  spotifai completions zsh > ~/.zfunc/_spotifai\n  spotifai completions fish > ~/.config/fish/completions/spotifai.fish"
    )]
    Completions {
        /// Shell
        shell: clap_complete::Shell,
    },
}

/// `spotifai config`.
#[derive(Debug, ClapArgs)]
pub struct ConfigArgs {
    /// Write them, with their secrets, into this file, which must not be there yet and which only you can read then
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,
}

/// `spotifai demo`.
#[derive(Debug, ClapArgs)]
pub struct DemoArgs {
    /// Tracks of the sample catalogue, at least 50
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(50..=20_000), value_name = "N")]
    pub tracks: u32,
    /// Seed of the sample catalogue and of the search
    #[arg(long, default_value_t = 1, value_name = "S")]
    pub seed: u64,
    /// A table of real tracks to serve instead of the sample (CSV: Track URI, Track Name, Artist Name(s), Genres, scalars)
    #[arg(long, value_name = "FILE.csv", conflicts_with = "tracks")]
    pub catalogue: Option<PathBuf>,
    /// Folder for report.html, summary.json and the demo's own database
    #[arg(long, default_value = "spotifai-demo", value_name = "DIR")]
    pub out: PathBuf,
}

/// `spotifai run`.
#[derive(Debug, ClapArgs)]
pub struct RunArgs {
    /// Playlist ids, URIs or addresses
    #[arg(required = true, value_name = "PLAYLIST")]
    pub playlists: Vec<String>,
    /// Folder for the report
    #[arg(long, default_value = "spotifai-out", value_name = "DIR")]
    pub out: PathBuf,
    /// Collect tracks and tags alone and write labels.csv: no audio, no search, no model
    #[arg(long)]
    pub labels_only: bool,
}

/// `spotifai enqueue`.
#[derive(Debug, Subcommand)]
pub enum EnqueueCommand {
    /// Collect playlists: their pages, tags, audio and pitches
    #[command(
        after_help = "Example:\n  spotifai enqueue playlist 37i9dQZF1DXcBWIGoYBM5M spotify:playlist:37i9dQZF1DX0XUsuxWHRQd"
    )]
    Playlist {
        /// Playlist ids, URIs or addresses
        #[arg(required = true, value_name = "PLAYLIST")]
        playlists: Vec<String>,
    },
    /// Look up the tags of stored tracks
    #[command(after_help = "Example:\n  spotifai enqueue tags --missing")]
    Tags(MissingArgs),
    /// Fetch the audio and compute the pitches of stored tracks
    #[command(after_help = "Example:\n  spotifai enqueue pitches --missing")]
    Pitches(MissingArgs),
    /// Jobs of one kind from a file, one a line
    #[command(after_help = lines())]
    File(EnqueueFileArgs),
}

/// `spotifai enqueue file`.
#[derive(Debug, ClapArgs)]
pub struct EnqueueFileArgs {
    /// The file; - is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Kind of the jobs
    #[arg(long, value_name = "KIND", value_parser = kind().map(|name| programs::kind(&name).expect("one of the kinds")))]
    pub kind: Kind,
    /// Begin at this line, the first one being 1
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub from_line: u64,
    /// Leave bad lines out and go on; the exit code is 1 if there were any
    #[arg(long)]
    pub keep_going: bool,
}

/// A kind of job.
fn kind() -> PossibleValuesParser {
    PossibleValuesParser::new(programs::names())
}

/// The short name of a worker program, or all of them.
fn worker() -> PossibleValuesParser {
    let of = |program: &Program| PossibleValue::new(programs::short(program)).help(program.about);
    let all = PossibleValue::new(programs::ALL).help("Every worker");
    PossibleValuesParser::new(programs::programs().iter().map(of).chain([all]))
}

/// How the lines of a file of jobs look, for each kind.
fn lines() -> String {
    let width = programs::names().iter().map(|name| name.len()).max().unwrap_or(0);
    let line = |kind: &Kind| format!("  {:width$}  {}\n", kind.name, kind.example);
    let kinds: String = programs::kinds().iter().map(line).collect();
    format!(
        "Examples:\n  spotifai enqueue file tracks.txt --kind track.tags\n  spotifai enqueue file pages.jsonl --kind playlist.page\n  sort -u tracks.txt | spotifai enqueue file - --kind track.tags\n\nA line is the job's body as a JSON object, or its key as `spotifai dead list` shows it:\n{kinds}Empty lines are skipped. A job that is enqueued twice has the effect of one. Of a track that was never collected, track.tags has a playlist-worker fetch title and artists first, track.pitches the analysis."
    )
}

/// Which tracks.
#[derive(Debug, ClapArgs)]
pub struct MissingArgs {
    /// Those that have none yet
    #[arg(long, required = true)]
    pub missing: bool,
}

/// `spotifai worker`.
#[derive(Debug, ClapArgs)]
pub struct WorkerArgs {
    /// Which workers
    #[arg(required = true, value_name = "WORKER", value_parser = worker())]
    pub workers: Vec<String>,
    /// Jobs at once of each kind of job (default: what fits the kind)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub slots: Option<u16>,
    /// Stop when no job of these kinds is left
    #[arg(long)]
    pub until_empty: bool,
}

/// How a state is shown.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub struct LiveArgs {
    /// Show again every second, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// As JSON; with --watch one document a line
    #[arg(long)]
    pub json: bool,
}

/// `spotifai workers`.
#[derive(Debug, ClapArgs)]
pub struct WorkersArgs {
    #[command(flatten)]
    pub live: LiveArgs,
    /// Those too that are gone
    #[arg(long)]
    pub all: bool,
}

/// `spotifai cancel`.
#[derive(Debug, ClapArgs)]
pub struct CancelArgs {
    /// Id of the run, or the beginning of it
    #[arg(value_name = "RUN")]
    pub run: String,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `spotifai kinds`.
#[derive(Debug, ClapArgs)]
pub struct KindsArgs {
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// The objects by which KEDA scales the workers in a cluster, as YAML
    #[arg(long, conflicts_with = "json")]
    pub scaling: bool,
}

/// `spotifai pause` and `spotifai resume`.
#[derive(Debug, ClapArgs)]
#[command(group(ArgGroup::new("which").required(true)))]
pub struct PauseArgs {
    /// Kinds of job
    #[arg(group = "which", value_name = "KIND", value_parser = kind())]
    pub kinds: Vec<String>,
    /// Every kind
    #[arg(long, group = "which")]
    pub all: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `spotifai budget`.
#[derive(Debug, Subcommand)]
pub enum BudgetCommand {
    /// All budgets that were used: closed until when, why, after how many throttled answers in a row
    #[command(after_help = "Examples:\n  spotifai budget list\n  spotifai budget list --json")]
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Open a closed budget for the whole team; a throttled answer closes it again
    #[command(after_help = "Example:\n  spotifai budget open lastfm@default (a name of `spotifai budget list`)")]
    Open {
        /// Its name
        name: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// `spotifai doctor`.
#[derive(Debug, ClapArgs)]
pub struct DoctorArgs {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `spotifai dead`.
#[derive(Debug, Subcommand)]
pub enum DeadCommand {
    /// All dead jobs with their reasons
    #[command(after_help = "Examples:\n  spotifai dead list --kind track.tags\n  spotifai dead list --json")]
    List {
        /// Of this kind only
        #[arg(long, value_name = "KIND", value_parser = kind())]
        kind: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// One dead job with its history and payload
    #[command(after_help = "Example:\n  spotifai dead show 2f1c… (an id of `spotifai dead list`)")]
    Show {
        /// Its id, or the beginning of it
        id: String,
        /// As JSON
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

/// Which dead jobs: some, those of a kind, or all.
#[derive(Debug, ClapArgs)]
#[command(group(ArgGroup::new("which").required(true)))]
pub struct DeadSelection {
    /// Ids, or their beginnings
    #[arg(group = "which", value_name = "ID")]
    pub ids: Vec<String>,
    /// Those of this kind
    #[arg(long, group = "which", value_name = "KIND", value_parser = kind())]
    pub kind: Option<String>,
    /// Every one
    #[arg(long, group = "which")]
    pub all: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// Output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PitchesFormat {
    /// One object, column to number
    Json,
    /// A header and one row
    Csv,
}

/// `spotifai pitches`.
#[derive(Debug, ClapArgs)]
pub struct PitchesArgs {
    /// An audio-analysis JSON document
    pub file: PathBuf,
    /// Output format
    #[arg(long, value_enum, default_value_t = PitchesFormat::Json)]
    pub format: PitchesFormat,
}

/// `spotifai lastfm`.
#[derive(Debug, Subcommand)]
pub enum LastfmCommand {
    /// The tag page's address
    #[command(after_help = "Example:\n  spotifai lastfm url 'AC/DC' 'Hells Bells'")]
    Url {
        /// Artist
        #[arg(allow_hyphen_values = true, value_parser = clap::builder::NonEmptyStringValueParser::new())]
        artist: String,
        /// Title
        #[arg(allow_hyphen_values = true, value_parser = clap::builder::NonEmptyStringValueParser::new())]
        track: String,
    },
    /// What a saved page says
    #[command(after_help = "Example:\n  spotifai lastfm parse page.html --status 200")]
    Parse {
        /// HTML file
        file: PathBuf,
        /// HTTP status it came with
        #[arg(long, default_value_t = 200, value_name = "CODE", value_parser = clap::value_parser!(u16).range(100..=599))]
        status: u16,
    },
}

/// `spotifai tags`.
#[derive(Debug, Subcommand)]
pub enum TagsCommand {
    /// Canonical forms of the tags on standard input, a line each; an empty line: dropped
    #[command(after_help = "Example:\n  printf 'Hip-Hop\\nhiphop\\nseen live\\n' | spotifai tags normalise")]
    Normalise,
}

/// `spotifai dataset`.
#[derive(Debug, Subcommand)]
pub enum DatasetCommand {
    /// Build the feature matrix from what was collected
    #[command(after_help = "Example:\n  spotifai dataset build --json")]
    Build {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the newest dataset to a file
    #[command(
        after_help = "Examples:\n  spotifai dataset export tracks.parquet\n  spotifai dataset export tracks.csv\n  spotifai dataset export for_excel.csv --spreadsheet"
    )]
    Export {
        /// .parquet or .csv
        file: PathBuf,
        /// Put an apostrophe before texts and column names of a .csv that a spreadsheet would run as formulas (numbers stay
        /// numbers); such a file does not read back to the same names
        #[arg(long)]
        spreadsheet: bool,
    },
}

/// `spotifai predict`.
#[derive(Debug, ClapArgs)]
#[command(group(clap::ArgGroup::new("asked").required(true).args(["tracks", "data"])))]
pub struct PredictArgs {
    /// Track ids, URIs or addresses; or ids of rows of the model's own table
    #[arg(value_name = "TRACK")]
    pub tracks: Vec<String>,
    /// A table with the model's columns, Parquet or CSV, in place of tracks
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Fill missing values of the file by this statistic of the model's training rows (default: as its own were filled)
    #[arg(long, value_name = "HOW", requires = "data")]
    pub impute: Option<Impute>,
    /// Id of the search whose model it is to be, or its beginning (default: the newest model)
    #[arg(long, value_name = "SEARCH")]
    pub model: Option<String>,
    /// Write to this file, .csv or .json
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    pub out: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `spotifai report`.
#[derive(Debug, ClapArgs)]
pub struct ReportArgs {
    /// Folder for report.html
    #[arg(long, default_value = "spotifai-out", value_name = "DIR")]
    pub out: PathBuf,
}
