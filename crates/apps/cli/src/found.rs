//! What a search found.

use model::dataset::DatasetInfo;
use model::search::{ModelInfo, Search, Trial};

/// A finished search.
pub struct Found {
    /// Its dataset.
    pub dataset: DatasetInfo,
    /// The search.
    pub search: Search,
    /// All its trials.
    pub trials: Vec<Trial>,
    /// The fitted winner.
    pub model: ModelInfo,
    /// The command line of the search, where it is known.
    pub command: Option<String>,
}
