//! The labelled feature matrix: built from collected data, written to files, read from any table.

mod build;
mod copies;
mod error;
mod genres;
mod import;
mod import_options;
mod impute;
mod model_rows;
mod names;
mod permutation;
mod place;
mod roles;
mod rows;
mod split;
mod spreadsheet;
mod table;
mod warnings;
mod write;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use model::Timestamp;
use model::dataset::{Dataset, DatasetInfo, Split, Training};
use sha2::{Digest, Sha256};

pub use build::{BuiltDataset, StoredTracks, build};
pub use error::{BadValue, DatasetError, Fault, Unusable};
pub use genres::{GenreColumn, Separator};
pub use import::{ImportedDataset, import, read};
pub use import_options::ImportOptions;
pub use model_rows::{ModelRows, fills, model_rows};
pub use place::Place;
pub use table::{ReadOptions, Table};
pub use write::{to_csv, to_parquet, to_spreadsheet};

/// Column of the track's id.
const TRACK_ID: &str = "track_id";
/// Column of the first credited artist.
const ARTIST: &str = "artist";
/// Column of the side: `train` or `test`.
const SPLIT: &str = "split";
/// Prefix of the names of label columns.
const LABEL: &str = "label:";

/// Describes a dataset from outside, of which nothing was dropped and whose labels were not selected here. `parquet` are
/// the bytes of [`to_parquet`].
pub fn describe(dataset: &Dataset, parquet: &[u8]) -> DatasetInfo {
    let id = Sha256::digest(parquet).iter().map(|byte| format!("{byte:02x}")).collect();
    DatasetInfo {
        id,
        rows: dataset.rows(),
        features: dataset.feature_names.len(),
        labels: dataset.label_names.clone(),
        dropped: BTreeMap::new(),
        tags_before: Vec::new(),
        tags_after: rows_by_label(dataset),
        label_selection: None,
        training: Some(training(dataset)),
        imputed: None,
        stand_in: None,
        created_at: Timestamp::now(),
    }
}

fn training(dataset: &Dataset) -> Training {
    let train = dataset.rows_in(Split::Train);
    let mut counts: HashMap<&[u8], usize> = HashMap::new();
    train.iter().for_each(|&row| *counts.entry(dataset.label_row(row)).or_default() += 1);
    let most_frequent = counts.into_values().max().unwrap_or(0);
    let tracks = train.iter().map(|&row| &dataset.track_ids[row]).collect::<HashSet<_>>().len();
    Training {
        rows: train.len(),
        tracks: (tracks < train.len()).then_some(tracks),
        baseline: most_frequent as f64 / train.len().max(1) as f64,
    }
}

/// Rows of each label, most frequent first, ties by name.
fn rows_by_label(dataset: &Dataset) -> Vec<(String, usize)> {
    let q = dataset.label_names.len();
    let count = |label| dataset.labels.iter().skip(label).step_by(q).filter(|has| **has == 1).count();
    let mut counts: Vec<_> =
        dataset.label_names.iter().cloned().enumerate().map(|(i, name)| (name, count(i))).collect();
    counts.sort_by_key(|(_, rows)| Reverse(*rows));
    counts
}
