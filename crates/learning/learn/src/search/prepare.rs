//! The data of a search, prepared once for all its blocks.

use std::collections::HashSet;

use model::dataset::{ColumnGroup, Dataset, Split};
use ndarray::Array2;

use crate::scaler::StandardScaler;
use crate::tree::{LabelWeights, balanced_weights};
use crate::{Labelled, LearnError};

/// The training and test rows of a dataset, scaled by a scaler fitted on the training rows. It takes 8 bytes per value:
/// share it between blocks.
pub struct Prepared {
    pub(super) train: Labelled,
    pub(super) test: Labelled,
    /// Where the rows of each training track end, ascending.
    pub(super) track_ends: Vec<usize>,
    pub(super) test_ids: Vec<String>,
    pub(super) scaler: StandardScaler,
    /// `balanced` weights over all training rows.
    pub(super) class_weights: Vec<LabelWeights>,
    pub(super) feature_names: Vec<String>,
    pub(super) groups: Vec<ColumnGroup>,
    pub(super) label_names: Vec<String>,
}

impl Prepared {
    /// The same data with groups of columns: importances are computed for each group, and for each column that is in none.
    ///
    /// # Panics
    /// If a group has a column that the data does not have.
    pub fn with_column_groups(mut self, groups: Vec<ColumnGroup>) -> Self {
        let exists = |column: &usize| *column < self.feature_names.len();
        assert!(groups.iter().all(|group| group.columns.iter().all(exists)), "groups hold columns of the data");
        self.groups = groups;
        self
    }

    /// Whether training rows are copies of one track.
    pub(super) fn has_copies(&self) -> bool {
        self.track_ends.len() < self.train.records.nrows()
    }
}

/// Fits the scaler and the class weights on the training rows, and scales training and test rows.
pub fn prepare(dataset: &Dataset) -> Result<Prepared, LearnError> {
    check(dataset)?;
    let (train_rows, test_rows) = (dataset.rows_in(Split::Train), dataset.rows_in(Split::Test));
    let track_ends = track_ends(dataset, &train_rows, &test_rows)?;
    let unscaled = features(dataset, &train_rows);
    let scaler = StandardScaler::fit(unscaled.view());
    let labels = labels(dataset, &train_rows);
    Ok(Prepared {
        class_weights: balanced_weights(labels.view()),
        train: Labelled::new(scaler.transform(unscaled.view()), labels),
        test: Labelled::new(scaler.transform(features(dataset, &test_rows).view()), self::labels(dataset, &test_rows)),
        track_ends,
        test_ids: test_rows.iter().map(|&row| dataset.track_ids[row].clone()).collect(),
        scaler,
        feature_names: dataset.feature_names.clone(),
        groups: Vec::new(),
        label_names: dataset.label_names.clone(),
    })
}

fn check(dataset: &Dataset) -> Result<(), LearnError> {
    let error = |message: String| Err(LearnError::Data(message));
    let (n, d, q) = (dataset.rows(), dataset.feature_names.len(), dataset.label_names.len());
    if d == 0 || q == 0 {
        return error(format!("the dataset has {d} features and {q} labels: it needs at least one of each"));
    }
    if dataset.features.len() != n * d || dataset.labels.len() != n * q || dataset.split.len() != n {
        return error(format!(
            "the dataset is corrupt: its parts do not all have {n} rows, {d} features and {q} labels"
        ));
    }
    let is_out_of_range = |x: &f64| !x.is_finite() || x.abs() > f64::from(f32::MAX);
    if let Some(at) = dataset.features.iter().position(is_out_of_range) {
        let (track, column, x) = (&dataset.track_ids[at / d], &dataset.feature_names[at % d], dataset.features[at]);
        let wanted = if x.is_finite() { "within ±3.4e38" } else { "finite" };
        return error(format!("feature {column} of track {track} is {x}: every value must be {wanted}"));
    }
    let test = dataset.rows_in(Split::Test).len();
    if test == 0 || test == n {
        return error(format!("the dataset has {} training rows and {test} test rows: it needs both", n - test));
    }
    Ok(())
}

/// Where the rows of each training track end; an error if the rows of a track are not consecutive.
fn track_ends(dataset: &Dataset, train: &[usize], test: &[usize]) -> Result<Vec<usize>, LearnError> {
    let mut seen = HashSet::new();
    let mut ends_of = |side: &[usize]| {
        let (mut ends, mut end) = (Vec::new(), 0);
        for rows in side.chunk_by(|&a, &b| dataset.track_ids[a] == dataset.track_ids[b]) {
            let id = &dataset.track_ids[rows[0]];
            if !seen.insert(id) {
                return Err(LearnError::Data(format!(
                    "rows of track {id} are not consecutive: keep the rows of a track together"
                )));
            }
            end += rows.len();
            ends.push(end);
        }
        Ok(ends)
    };
    let ends = ends_of(train)?;
    ends_of(test)?;
    Ok(ends)
}

fn features(dataset: &Dataset, rows: &[usize]) -> Array2<f64> {
    let values = rows.iter().flat_map(|&row| dataset.feature_row(row)).copied().collect();
    Array2::from_shape_vec((rows.len(), dataset.feature_names.len()), values).expect("every row has all features")
}

fn labels(dataset: &Dataset, rows: &[usize]) -> Array2<bool> {
    let values = rows.iter().flat_map(|&row| dataset.label_row(row)).map(|&label| label == 1).collect();
    Array2::from_shape_vec((rows.len(), dataset.label_names.len()), values).expect("every row has all labels")
}
