//! `spotifai search`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::LiveArgs;
use super::values::{ColumnNames, Imputation, column_names};

/// Headings of options in the help.
const DATA: &str = "Data options";
const SEARCH: &str = "Search options";

/// `spotifai search`.
#[derive(Debug, Subcommand)]
pub enum SearchCommand {
    /// Search in this process, refit the winner, evaluate it once, write the report
    ///
    /// Writes leaderboard.csv, summary.json and report.html. The winner is evaluated once, on rows that were held out. If
    /// interrupted, run the same command again to continue. All fits are computed in this process; `spotifai search start`
    /// shares them among workers.
    #[command(
        after_help = "Examples:\n  spotifai search run --data tracks.csv --families knn --folds 10 --out results\n  spotifai search run --data my.parquet --labels jazz,pop --ignore title --impute median\n  spotifai search run --data my.csv --genre-column Genres --genre-separator ';'\n  spotifai search run --grid my_grid.toml --seed 3"
    )]
    Run(SearchRunArgs),
    /// Put a search into the queue for workers to run
    ///
    /// To continue a cancelled search, give the same command again.
    #[command(
        after_help = "Examples:\n  spotifai search start --data tracks.parquet --grid my_grid.toml\n  spotifai search start --json"
    )]
    Start(SearchStartArgs),
    /// Follow a search until its model is ready
    #[command(after_help = "Examples:\n  spotifai search watch\n  spotifai search watch s3f2a --top 20")]
    Watch(SearchWatchArgs),
    /// Show the state of a search: leaderboard, baseline, winner
    #[command(after_help = "Examples:\n  spotifai search show\n  spotifai search show s3f2a --top 50 --json")]
    Show(SearchShowArgs),
    /// Cancel a search and keep its finished fits
    ///
    /// Blocks that are running are finished; those still in the queue do nothing.
    #[command(after_help = "Example:\n  spotifai search cancel s3f2a    (an ID from `spotifai search list`)")]
    Cancel(SearchCancelArgs),
    /// List the searches, newest first
    #[command(after_help = "Examples:\n  spotifai search list\n  spotifai search list --json")]
    List(LiveArgs),
    /// Estimate the cost of a search
    ///
    /// Shows the number of candidates, fits and blocks, how much work the fits share, and how long the search would take.
    #[command(
        after_help = "Examples:\n  spotifai search plan --grid my_grid.toml --workers 4\n  spotifai search plan --rows 10000 --features 1241 --labels 10"
    )]
    Plan(SearchPlanArgs),
}

/// Which data.
#[derive(Debug, ClapArgs)]
pub struct DataArgs {
    /// Table to learn from, Parquet or CSV [default: newest dataset]
    ///
    /// One row per track, 0 or 1 in the label columns, numbers in all other columns.
    #[arg(long, help_heading = DATA, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Columns that are labels [default: those named label:NAME]
    ///
    /// Names are separated by commas; quote names that contain commas, as in CSV.
    #[arg(long, help_heading = DATA, value_parser = column_names, value_name = "COLUMNS")]
    pub labels: Vec<ColumnNames>,
    /// Column of genres to make the labels from
    ///
    /// Each cell is a Python or JSON list, or genres joined by a separator. Labels are selected by the rule in `[dataset.cut]` of
    /// the settings. Rows with the same track_id are merged; rows without a genre are left out.
    #[arg(long, help_heading = DATA, value_name = "COLUMN", requires = "data", conflicts_with = "labels")]
    pub genre_column: Option<String>,
    /// Separator of genres, such as `;`, or `none` [default: detected]
    ///
    /// With `none`, a cell is one genre.
    #[arg(long, help_heading = DATA, value_name = "SEPARATOR", requires = "genre_column")]
    pub genre_separator: Option<features::Separator>,
    /// Columns to ignore
    ///
    /// Names are separated by commas; quote names that contain commas, as in CSV.
    #[arg(long, help_heading = DATA, value_parser = column_names, value_name = "COLUMNS", requires = "data")]
    pub ignore: Vec<ColumnNames>,
    /// Fill missing values of a feature [default: reject them]
    ///
    /// They are filled with this statistic of the feature over the training rows.
    #[arg(long, help_heading = DATA, value_name = "STATISTIC", requires = "data")]
    pub impute: Option<Imputation>,
}

impl DataArgs {
    /// The names of all `--labels`.
    pub fn labels(&self) -> Vec<String> {
        self.labels.iter().flat_map(|ColumnNames(names)| names).cloned().collect()
    }

    /// The names of all `--ignore`.
    pub fn ignored(&self) -> Vec<String> {
        self.ignore.iter().flat_map(|ColumnNames(names)| names).cloned().collect()
    }
}

/// Which candidates.
#[derive(Debug, ClapArgs)]
pub struct GridArgs {
    /// Built-in grid (study, quick or small), or a TOML file
    ///
    /// study: 11,274 candidates from five families. quick: 60 candidates from two families. small: three other families.
    #[arg(long, help_heading = SEARCH, value_name = "GRID", default_value = "study")]
    pub grid: PathBuf,
    /// Families to search, in this order [default: all in the grid]
    #[arg(long, help_heading = SEARCH, value_delimiter = ',', value_name = "FAMILIES")]
    pub families: Vec<String>,
    /// Folds of the cross-validation
    #[arg(long, help_heading = SEARCH, default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..=100), value_name = "K")]
    pub folds: u32,
}

/// What decides every score of a search, and so its ID.
#[derive(Debug, ClapArgs)]
pub struct SearchArgs {
    #[command(flatten)]
    pub data: DataArgs,
    #[command(flatten)]
    pub grid: GridArgs,
    /// Seed of the models' randomness
    ///
    /// The split into training and held-out rows has a seed of its own: dataset.split.seed in the settings.
    #[arg(long, default_value_t = 0, value_name = "S", help_heading = SEARCH)]
    pub seed: u64,
    /// Tune a decision threshold for each label instead of using 0.5
    ///
    /// Thresholds of the winner are tuned for F1 on training rows that were left out of a fit.
    #[arg(long, help_heading = SEARCH)]
    pub thresholds: bool,
}

/// `spotifai search run`.
#[derive(Debug, ClapArgs)]
pub struct SearchRunArgs {
    #[command(flatten)]
    pub what: SearchArgs,
    /// Output folder
    #[arg(long, default_value = "spotifai-out", value_name = "DIR")]
    pub out: PathBuf,
}

/// `spotifai search start`.
#[derive(Debug, ClapArgs)]
pub struct SearchStartArgs {
    #[command(flatten)]
    pub what: SearchArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `spotifai search watch`.
#[derive(Debug, ClapArgs)]
pub struct SearchWatchArgs {
    /// Search ID or prefix [default: newest search]
    #[arg(value_name = "SEARCH")]
    pub search: Option<String>,
    /// Number of candidates to show
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub top: usize,
    /// Print one JSON document per second
    #[arg(long)]
    pub json: bool,
}

/// `spotifai search show`.
#[derive(Debug, ClapArgs)]
pub struct SearchShowArgs {
    /// Search ID or prefix [default: newest search]
    #[arg(value_name = "SEARCH")]
    pub search: Option<String>,
    /// Number of candidates to show
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub top: usize,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `spotifai search cancel`.
#[derive(Debug, ClapArgs)]
pub struct SearchCancelArgs {
    /// Search ID or prefix
    #[arg(value_name = "SEARCH")]
    pub search: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `spotifai search plan`.
#[derive(Debug, ClapArgs)]
pub struct SearchPlanArgs {
    #[command(flatten)]
    pub grid: GridArgs,
    #[command(flatten)]
    pub data: DataArgs,
    /// Number of rows, instead of a table
    ///
    /// --labels is then the number of labels.
    #[arg(long, value_name = "N", requires = "features", conflicts_with = "data", value_parser = clap::value_parser!(u32).range(1..))]
    pub rows: Option<u32>,
    /// Number of features
    #[arg(long, value_name = "D", requires = "rows", value_parser = clap::value_parser!(u32).range(1..))]
    pub features: Option<u32>,
    /// Number of workers that share the work
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub workers: u32,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
