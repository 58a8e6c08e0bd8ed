//! How the user wants a file to be imported.

use model::dataset::Impute;
use model::settings::SplitSettings;

use super::genres::GenreColumn;

/// How a file from outside is read; by default as [`super::read`] does.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// Names of the label columns, with or without `label:`; where there is none, every column `label:NAME` is one.
    pub labels: Vec<String>,
    /// Columns that are left out, whatever is in them.
    pub ignored: Vec<String>,
    /// What takes the place of missing feature values; `None`: they are refused.
    pub impute: Option<Impute>,
    /// How rows are split that do not say so themselves.
    pub split: SplitSettings,
    /// Where labels are made of; `None`: there are label columns.
    pub genres: Option<GenreColumn>,
}
