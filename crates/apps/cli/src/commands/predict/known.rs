//! What the store knows of a model's own dataset: which rows it was fitted on, and their labels.

use std::collections::HashMap;

use model::dataset::{Dataset, DatasetInfo, Impute, Split};
use model::search::ModelInfo;
use model::settings::SplitSettings;
use store::{Store, StoreError};

use crate::output::warn;

/// The dataset of a model; nothing where the store has lost it, or it cannot be read any more.
pub struct Known {
    /// What is known of the dataset without opening it.
    pub info: Option<DatasetInfo>,
    dataset: Option<Dataset>,
    by_id: HashMap<String, usize>,
    /// Training rows by their values, to know one again whatever it is called.
    trained: HashMap<Vec<u64>, usize>,
}

/// A row of the dataset.
pub struct Row<'a> {
    /// Its d values, in the order of the model.
    pub features: &'a [f64],
    /// Its labels.
    pub labels: Vec<String>,
    /// Whether the model was fitted on it.
    pub in_training: bool,
}

impl Known {
    /// What there is.
    pub async fn of(store: &dyn Store, model: &ModelInfo, split: &SplitSettings) -> anyhow::Result<Self> {
        let search = store.search(&model.search).await?;
        let Some(id) = search.map(|search| search.dataset) else { return Ok(Self::nothing()) };
        let unread = |why: String| {
            warn(&format!(
                "the dataset that the model was fitted on cannot be read any more: {why}; whether a row is one of its \
                 training rows is not known"
            ));
        };
        let stored = async { Ok::<_, StoreError>((store.dataset(&id).await?, store.dataset_blob(&id).await?)) };
        let (info, blob) = match stored.await {
            Err(StoreError::Unusable(why)) => {
                unread(why);
                return Ok(Self::nothing());
            }
            stored => stored?,
        };
        let Some(blob) = blob else { return Ok(Self { info, ..Self::nothing() }) };
        let split = split.clone();
        let dataset = match tokio::task::spawn_blocking(move || features::read(&blob, &split)).await? {
            Err(why) => {
                unread(why.to_string());
                return Ok(Self { info, ..Self::nothing() });
            }
            // Of another shape it would say wrong things.
            Ok(other) if other.feature_names != model.feature_names || other.label_names != model.label_names => {
                return Ok(Self { info, ..Self::nothing() });
            }
            Ok(dataset) => dataset,
        };
        let by_id = dataset.track_ids.iter().cloned().zip(0..).collect();
        let trained =
            dataset.rows_in(Split::Train).into_iter().map(|row| (bits(dataset.feature_row(row)), row)).collect();
        Ok(Self { info, dataset: Some(dataset), by_id, trained })
    }

    fn nothing() -> Self {
        Self { info: None, dataset: None, by_id: HashMap::new(), trained: HashMap::new() }
    }

    /// The row of an id.
    pub fn row(&self, id: &str) -> Option<Row<'_>> {
        let (dataset, &at) = (self.dataset.as_ref()?, self.by_id.get(id)?);
        let in_training = dataset.split[at] == Split::Train;
        Some(Row { features: dataset.feature_row(at), labels: dataset.labels_of(at), in_training })
    }

    /// Whether the model was fitted on a row with these values; `None` where that is not known.
    pub fn was_in_training(&self, features: &[f64]) -> Option<bool> {
        self.dataset.as_ref().map(|_| self.trained.contains_key(&bits(features)))
    }

    /// What takes the place of missing values, one a feature, NaN where that is not known: as in the dataset, unless it is
    /// said how.
    pub fn fills(&self, feature_names: &[String], how: Option<Impute>) -> Option<Vec<f64>> {
        let imputed = self.info.as_ref().and_then(|info| info.imputed.as_ref());
        let how = how.or_else(|| imputed.map(|imputed| imputed.how))?;
        Some(features::fills(feature_names, self.dataset.as_ref(), imputed, how))
    }
}

/// Values that can be looked up; 0 and -0 are one.
fn bits(features: &[f64]) -> Vec<u64> {
    features.iter().map(|value| (value + 0.0).to_bits()).collect()
}
