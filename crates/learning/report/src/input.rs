//! What a report is made of.

use model::dataset::{Dataset, DatasetInfo};
use model::run::CollectionSummary;
use model::search::{ModelInfo, Ranked, Search};
use model::track::Track;

/// Everything the report shows.
pub struct Input<'a> {
    /// What was collected; `None` where the data came from a file.
    pub collection: Option<&'a CollectionSummary>,
    /// What is known of the dataset.
    pub info: &'a DatasetInfo,
    /// The matrix.
    pub dataset: &'a Dataset,
    /// The search.
    pub search: &'a Search,
    /// Its leaderboard, best first.
    pub leaderboard: &'a [Ranked],
    /// The winner with its held-out evaluation.
    pub model: &'a ModelInfo,
    /// The command line that made the search, where it is known; advice repeats it.
    pub command: Option<&'a str>,
    /// Names for the example tracks, where they are known.
    pub tracks: &'a [Track],
}
