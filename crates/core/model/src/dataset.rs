//! The feature matrix with its labels and its split.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::run::StandIn;
use crate::tag::LabelSelection;

/// Which side of the 70/30 split a row is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// For fitting; split into folds in row order.
    Train,
    /// Held out, for one evaluation.
    Test,
}

/// Columns of a dataset that belong together: a pitch class, a part of the song.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnGroup {
    /// Shown to people.
    pub name: String,
    /// Indices of its columns; one may be in several groups.
    pub columns: Vec<usize>,
}

/// A feature matrix, unscaled, with its labels. All vectors are in the same row order.
///
/// Training rows come first, in the order of the permutation that split them off, then the test rows, so that reading a file
/// back gives the same folds. Rows with the same id are copies of a track: they are adjacent, and on the same side.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dataset {
    /// n ids; copies of a track share one.
    pub track_ids: Vec<String>,
    /// n first artists; empty if the source names none.
    pub artists: Vec<String>,
    /// d column names.
    pub feature_names: Vec<String>,
    /// n × d values, row-major, no missing ones.
    pub features: Vec<f64>,
    /// q label names, sorted.
    pub label_names: Vec<String>,
    /// n × q of 0/1, row-major.
    pub labels: Vec<u8>,
    /// n sides.
    pub split: Vec<Split>,
}

impl Dataset {
    /// Number of rows, n.
    pub fn rows(&self) -> usize {
        self.track_ids.len()
    }

    /// The d feature values of row `i`.
    pub fn feature_row(&self, i: usize) -> &[f64] {
        let d = self.feature_names.len();
        &self.features[i * d..(i + 1) * d]
    }

    /// The q labels of row `i`, each 0 or 1.
    pub fn label_row(&self, i: usize) -> &[u8] {
        let q = self.label_names.len();
        &self.labels[i * q..(i + 1) * q]
    }

    /// Names of the labels that row `i` has.
    pub fn labels_of(&self, i: usize) -> Vec<String> {
        let names = self.label_names.iter().zip(self.label_row(i));
        names.filter(|(_, has)| **has == 1).map(|(name, _)| name.clone()).collect()
    }

    /// Indices of the rows on one side of the split, in row order.
    pub fn rows_in(&self, side: Split) -> Vec<usize> {
        (0..self.rows()).filter(|&i| self.split[i] == side).collect()
    }
}

/// The description of a stored dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetInfo {
    /// SHA-256 of the Parquet blob, in hex.
    pub id: String,
    /// Rows.
    pub rows: usize,
    /// Feature columns.
    pub features: usize,
    /// Label names, sorted.
    pub labels: Vec<String>,
    /// Tracks that did not become rows, by reason.
    pub dropped: BTreeMap<String, usize>,
    /// Number of tracks with each canonical tag before the label selection, most frequent first.
    pub tags_before: Vec<(String, usize)>,
    /// Number of rows with each label, most frequent first.
    pub tags_after: Vec<(String, usize)>,
    /// The selection that made the labels; `None` for an imported file.
    #[serde(rename = "cut")]
    pub label_selection: Option<LabelSelection>,
    /// Its training rows; `None` for a dataset that an older program saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<Training>,
    /// What was filled in where values were missing; `None`: nothing was missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imputed: Option<Imputed>,
    /// What stood in for Spotify and last.fm when its tracks were collected, if anything did: a row of the sample
    /// catalogue makes the whole of it [`StandIn::Sample`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stand_in: Option<StandIn>,
    /// When it was built.
    pub created_at: Timestamp,
}

/// The training rows of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// How many.
    pub rows: usize,
    /// How many tracks they are, if some are copies of a track: then folds never split a track.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracks: Option<usize>,
    /// The share of rows with the most frequent label set: the subset accuracy of the best constant prediction, which any
    /// model has to beat.
    pub baseline: f64,
}

/// What replaces missing values: a statistic of the column's training rows, or zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Impute {
    /// The mean.
    Mean,
    /// The median.
    Median,
    /// Zero.
    Zero,
    /// The most frequent value; ties go to the smallest.
    MostFrequent,
}

/// Missing values that were filled in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Imputed {
    /// The statistic that replaced them.
    pub how: Impute,
    /// Number of values filled in, by feature column; complete columns are left out.
    pub columns: BTreeMap<String, usize>,
    /// The value filled in, by column; empty for a dataset that an older program saved.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fills: BTreeMap<String, f64>,
}
