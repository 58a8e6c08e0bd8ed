//! A finished search with its results.

use model::dataset::DatasetInfo;
use model::search::{ModelInfo, Search, Trial};

/// A finished search.
pub struct FinishedSearch {
    /// The dataset searched on.
    pub dataset: DatasetInfo,
    /// The search.
    pub search: Search,
    /// The score of every candidate on every fold.
    pub trials: Vec<Trial>,
    /// The winner, fitted on all training rows.
    pub model: ModelInfo,
    /// The command line that ran the search, if known.
    pub command: Option<String>,
}
