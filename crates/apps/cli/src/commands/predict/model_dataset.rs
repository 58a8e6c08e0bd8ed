//! The dataset that a model was fitted on: which rows it has seen, and their labels.

use std::collections::HashMap;

use model::dataset::{Dataset, DatasetInfo, Impute, Split};
use model::search::ModelInfo;
use model::settings::SplitSettings;
use store::{Store, StoreError};

use crate::output::warn;

/// The dataset of a model; empty if the store has lost it or it can no longer be read.
pub struct ModelDataset {
    /// What is known about the dataset without reading it.
    pub info: Option<DatasetInfo>,
    dataset: Option<Dataset>,
    by_id: HashMap<String, usize>,
    /// Training rows by value, to recognise them under any id.
    training_rows: HashMap<Vec<u64>, usize>,
}

/// A row of the dataset.
pub struct KnownRow<'a> {
    /// Its values, in the model's order.
    pub features: &'a [f64],
    /// Its labels.
    pub labels: Vec<String>,
    /// Whether the model was fitted on it.
    pub in_training: bool,
}

impl ModelDataset {
    /// Loads what the store has.
    pub async fn load(store: &dyn Store, model: &ModelInfo, split: &SplitSettings) -> anyhow::Result<Self> {
        let search = store.search(&model.search).await?;
        let Some(id) = search.map(|search| search.dataset) else { return Ok(Self::empty()) };
        let warn_unreadable = |why: String| {
            warn(&format!(
                "the model's dataset can no longer be read ({why}), so it is unknown whether these rows were used for \
                 training"
            ));
        };
        let stored = async { Ok::<_, StoreError>((store.dataset(&id).await?, store.dataset_blob(&id).await?)) };
        let (info, blob) = match stored.await {
            Err(StoreError::Unusable(why)) => {
                warn_unreadable(why);
                return Ok(Self::empty());
            }
            stored => stored?,
        };
        let Some(blob) = blob else { return Ok(Self { info, ..Self::empty() }) };
        let split = split.clone();
        let dataset = match tokio::task::spawn_blocking(move || features::read(&blob, &split)).await? {
            Err(why) => {
                warn_unreadable(why.to_string());
                return Ok(Self { info, ..Self::empty() });
            }
            // Its columns do not match the model's, so it would give wrong answers.
            Ok(other) if other.feature_names != model.feature_names || other.label_names != model.label_names => {
                return Ok(Self { info, ..Self::empty() });
            }
            Ok(dataset) => dataset,
        };
        let by_id = dataset.track_ids.iter().cloned().zip(0..).collect();
        let training_rows =
            dataset.rows_in(Split::Train).into_iter().map(|row| (bits(dataset.feature_row(row)), row)).collect();
        Ok(Self { info, dataset: Some(dataset), by_id, training_rows })
    }

    fn empty() -> Self {
        Self { info: None, dataset: None, by_id: HashMap::new(), training_rows: HashMap::new() }
    }

    /// The row with this id.
    pub fn row(&self, id: &str) -> Option<KnownRow<'_>> {
        let (dataset, &index) = (self.dataset.as_ref()?, self.by_id.get(id)?);
        let in_training = dataset.split[index] == Split::Train;
        Some(KnownRow { features: dataset.feature_row(index), labels: dataset.labels_of(index), in_training })
    }

    /// Whether the model was fitted on a row with these values; `None` if unknown.
    pub fn was_in_training(&self, features: &[f64]) -> Option<bool> {
        self.dataset.as_ref().map(|_| self.training_rows.contains_key(&bits(features)))
    }

    /// The value that replaces missing ones, for each feature; NaN if unknown. Computed by `how`, or as in the dataset.
    pub fn fills(&self, feature_names: &[String], how: Option<Impute>) -> Option<Vec<f64>> {
        let imputed = self.info.as_ref().and_then(|info| info.imputed.as_ref());
        let how = how.or_else(|| imputed.map(|imputed| imputed.how))?;
        Some(features::fills(feature_names, self.dataset.as_ref(), imputed, how))
    }
}

/// Values as a hash key; 0 and -0 are equal.
fn bits(features: &[f64]) -> Vec<u64> {
    features.iter().map(|value| (value + 0.0).to_bits()).collect()
}
