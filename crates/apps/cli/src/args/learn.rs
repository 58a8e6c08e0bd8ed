//! `spotifai dataset`, `predict` and `report`.

use std::path::PathBuf;

use clap::{ArgGroup, Args as ClapArgs, Subcommand};

use super::values::Imputation;

/// `spotifai dataset`.
#[derive(Debug, Subcommand)]
pub enum DatasetCommand {
    /// Build the feature matrix from everything collected
    #[command(after_help = "Example:\n  spotifai dataset build --json")]
    Build {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the newest dataset to a file
    #[command(
        after_help = "Examples:\n  spotifai dataset export tracks.parquet\n  spotifai dataset export tracks.csv\n  spotifai dataset export for_excel.csv --spreadsheet"
    )]
    Export {
        /// Output file, .parquet or .csv
        file: PathBuf,
        /// Escape texts in a .csv that a spreadsheet would run as formulas
        ///
        /// An apostrophe is put before such texts and column names; numbers stay numbers. Reading the file back does not
        /// give the same names.
        #[arg(long)]
        spreadsheet: bool,
    },
}

/// `spotifai predict`.
#[derive(Debug, ClapArgs)]
#[command(group(ArgGroup::new("asked").required(true).args(["tracks", "data"])))]
pub struct PredictArgs {
    /// Track IDs, URIs or URLs, or row IDs of the table that the model was trained on
    #[arg(value_name = "TRACK")]
    pub tracks: Vec<String>,
    /// Table with the model's columns, Parquet or CSV
    ///
    /// Columns are matched by name; other columns are ignored.
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Fill missing values of the table [default: as in training]
    ///
    /// They are filled with this statistic of the column over the model's training rows.
    #[arg(long, value_name = "STATISTIC", requires = "data")]
    pub impute: Option<Imputation>,
    /// Use the model of this search [default: newest model]
    ///
    /// The ID of the search, or a prefix of it.
    #[arg(long, value_name = "SEARCH")]
    pub model: Option<String>,
    /// Write to this file, .csv or .json
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    pub out: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `spotifai report`.
#[derive(Debug, ClapArgs)]
pub struct ReportArgs {
    /// Output folder for report.html
    #[arg(long, default_value = "spotifai-out", value_name = "DIR")]
    pub out: PathBuf,
}
