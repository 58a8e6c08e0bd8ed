//! `spotifai search`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::LiveArgs;

/// `spotifai search`.
#[derive(Debug, Subcommand)]
pub enum SearchCommand {
    /// Search, refit the winner, look at the held-out rows once, write leaderboard, summary and report
    #[command(
        after_help = "Examples:\n  spotifai search run\n  spotifai search run --data tracks.csv --families knn --folds 10 --out results\n  spotifai search run --data my.parquet --labels jazz,pop --ignore title --impute median\n  spotifai search run --data my.csv --genre-column Genres --genre-separator ';' --ignore 'Track Name'\n  spotifai search run --grid my_grid.toml --seed 3\nInterrupted, the same command goes on where it stopped.\nIts blocks are computed in this process alone; \
                      `search start` has workers share them."
    )]
    Run(SearchRunArgs),
    /// Put a search into the queue, for workers to run; the same command goes on with one that was cancelled
    #[command(
        after_help = "Examples:\n  spotifai search start --data tracks.parquet --grid my_grid.toml\n  spotifai search start --json"
    )]
    Start(SearchStartArgs),
    /// Follow a search until its model is there
    #[command(after_help = "Examples:\n  spotifai search watch\n  spotifai search watch s3f2a --top 20")]
    Watch(SearchWatchArgs),
    /// Where a search stands: leaderboard, baseline, winner
    #[command(after_help = "Examples:\n  spotifai search show\n  spotifai search show s3f2a --top 50 --json")]
    Show(SearchShowArgs),
    /// Cancel a search: blocks under way end, those not begun do nothing, finished trials stay
    #[command(after_help = "Example:\n  spotifai search cancel s3f2a      (an id of `spotifai search list`)")]
    Cancel(SearchCancelArgs),
    /// The searches, newest first
    #[command(after_help = "Examples:\n  spotifai search list\n  spotifai search list --json")]
    List(LiveArgs),
    /// What a search would be: settings, fits, what they share, blocks, time
    #[command(
        after_help = "Examples:\n  spotifai search plan --grid my_grid.toml --workers 4\n  spotifai search plan --rows 10000 --features 1241 --labels 10"
    )]
    Plan(SearchPlanArgs),
}

/// Which data.
#[derive(Debug, ClapArgs)]
pub struct DataArgs {
    /// A table, Parquet or CSV: a row a track, 0/1 in the label columns, numbers in all others (default: the newest dataset)
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Columns of the file that are labels (default: those named label:NAME); quote names that hold commas, as in CSV
    #[arg(long, value_parser = names, value_name = "LIST")]
    pub labels: Vec<ColumnNames>,
    /// A column of genres that labels are made of, by `[dataset.cut]` of the settings: lists of Python or JSON, or genres with
    /// a separator between them; rows of a track_id become one, rows without a genre are left out
    #[arg(long, value_name = "NAME", requires = "data", conflicts_with = "labels")]
    pub genre_column: Option<String>,
    /// What is between genres, such as `;`, or `none` where a cell is one genre (default: found out)
    #[arg(long, value_name = "SEPARATOR", requires = "genre_column")]
    pub genre_separator: Option<features::Separator>,
    /// Columns of the file to leave out unread; quote names that hold commas, as in CSV
    #[arg(long, value_parser = names, value_name = "LIST", requires = "data")]
    pub ignore: Vec<ColumnNames>,
    /// Fill missing values of a feature by this statistic of its training rows (default: refuse them)
    #[arg(long, value_name = "HOW", requires = "data")]
    pub impute: Option<Impute>,
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

/// Names of columns, from one argument.
#[derive(Debug, Clone)]
pub struct ColumnNames(Vec<String>);

/// A list as a line of CSV has it.
fn names(list: &str) -> Result<ColumnNames, String> {
    let mut line = csv::ReaderBuilder::new().has_headers(false).from_reader(list.as_bytes());
    let mut records = line.records();
    match (records.next(), records.next()) {
        (Some(Ok(names)), None) if names.iter().all(|name| !name.trim().is_empty()) => {
            Ok(ColumnNames(names.iter().map(|name| name.trim().to_owned()).collect()))
        }
        _ => Err("a list of column names is needed, such as `a,b` or `'\"a, b\",c'`".to_owned()),
    }
}

/// What takes the place of missing values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Impute {
    /// The mean
    Mean,
    /// The median
    Median,
    /// Zero
    Zero,
    /// The most frequent value; of equally frequent ones the smallest
    MostFrequent,
}

impl From<Impute> for model::dataset::Impute {
    fn from(how: Impute) -> Self {
        match how {
            Impute::Mean => Self::Mean,
            Impute::Median => Self::Median,
            Impute::Zero => Self::Zero,
            Impute::MostFrequent => Self::MostFrequent,
        }
    }
}

/// Which settings.
#[derive(Debug, ClapArgs)]
pub struct GridArgs {
    /// TOML file, or a built-in grid: study (11,274 settings of five families), quick (60 of two), small (three families more)
    #[arg(long, value_name = "GRID", default_value = "study")]
    pub grid: PathBuf,
    /// Families to search, in this order (default: all of the grid)
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    pub families: Vec<String>,
    /// Folds of the cross-validation
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..=100), value_name = "K")]
    pub folds: u32,
}

/// What decides every score of a search, and so its id.
#[derive(Debug, ClapArgs)]
pub struct SearchArgs {
    #[command(flatten)]
    pub data: DataArgs,
    #[command(flatten)]
    pub grid: GridArgs,
    /// Seed of the models' own randomness (the split has its own: dataset.split.seed)
    #[arg(long, default_value_t = 0, value_name = "S")]
    pub seed: u64,
    /// Give the winner a threshold for each label, tuned for F1 on rows left out of its fit, in place of one half
    #[arg(long)]
    pub thresholds: bool,
}

/// `spotifai search run`.
#[derive(Debug, ClapArgs)]
pub struct SearchRunArgs {
    #[command(flatten)]
    pub what: SearchArgs,
    /// Folder for leaderboard.csv, summary.json and report.html
    #[arg(long, default_value = "spotifai-out", value_name = "DIR")]
    pub out: PathBuf,
}

/// `spotifai search start`.
#[derive(Debug, ClapArgs)]
pub struct SearchStartArgs {
    #[command(flatten)]
    pub what: SearchArgs,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `spotifai search watch`.
#[derive(Debug, ClapArgs)]
pub struct SearchWatchArgs {
    /// Id of the search, or its beginning (default: the newest)
    #[arg(value_name = "SEARCH")]
    pub search: Option<String>,
    /// Places of the leaderboard
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub top: usize,
    /// As JSON, a document a second
    #[arg(long)]
    pub json: bool,
}

/// `spotifai search show`.
#[derive(Debug, ClapArgs)]
pub struct SearchShowArgs {
    /// Id of the search, or its beginning (default: the newest)
    #[arg(value_name = "SEARCH")]
    pub search: Option<String>,
    /// Places of the leaderboard
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub top: usize,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `spotifai search cancel`.
#[derive(Debug, ClapArgs)]
pub struct SearchCancelArgs {
    /// Id of the search, or its beginning
    #[arg(value_name = "SEARCH")]
    pub search: String,
    /// As JSON
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
    /// Rows to plan for, in place of a table; --labels is then the number of labels
    #[arg(long, value_name = "N", requires = "features", conflicts_with = "data", value_parser = clap::value_parser!(u32).range(1..))]
    pub rows: Option<u32>,
    /// Features to plan for
    #[arg(long, value_name = "D", requires = "rows", value_parser = clap::value_parser!(u32).range(1..))]
    pub features: Option<u32>,
    /// Workers that share the blocks
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub workers: u32,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}
