//! Commands that look at one document, page or tag, without queue and store.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args as ClapArgs, Subcommand, ValueEnum};

/// Output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PitchesFormat {
    /// One object that maps column names to numbers
    Json,
    /// A header and one row
    Csv,
}

/// `spotifai pitches`.
#[derive(Debug, ClapArgs)]
pub struct PitchesArgs {
    /// Audio-analysis document, JSON
    pub file: PathBuf,
    /// Output format
    #[arg(long, value_enum, default_value_t = PitchesFormat::Json)]
    pub format: PitchesFormat,
}

/// `spotifai lastfm`.
#[derive(Debug, Subcommand)]
pub enum LastfmCommand {
    /// Print the URL of a track's tag page
    #[command(after_help = "Example:\n  spotifai lastfm url 'AC/DC' 'Hells Bells'")]
    Url {
        /// Artist
        #[arg(allow_hyphen_values = true, value_parser = NonEmptyStringValueParser::new())]
        artist: String,
        /// Title
        #[arg(allow_hyphen_values = true, value_parser = NonEmptyStringValueParser::new())]
        track: String,
    },
    /// Parse a saved tag page
    #[command(after_help = "Example:\n  spotifai lastfm parse page.html --status 200")]
    Parse {
        /// Saved page, HTML
        file: PathBuf,
        /// HTTP status that the page came with
        #[arg(long, default_value_t = 200, value_name = "CODE", value_parser = clap::value_parser!(u16).range(100..=599))]
        status: u16,
    },
}

/// `spotifai tags`.
#[derive(Debug, Subcommand)]
pub enum TagsCommand {
    /// Read tags from standard input, one per line, and print their canonical forms
    ///
    /// An empty line stands for a tag that is dropped.
    #[command(after_help = "Example:\n  printf 'Hip-Hop\\nhiphop\\nseen live\\n' | spotifai tags normalise")]
    Normalise,
}
