//! Loading the model.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use learn::SavedModel;
use model::search::ModelInfo;
use model::settings::Settings;
use store::Store;

use super::model_dataset::ModelDataset;
use crate::commands::search::find;

/// The default path of the demo's store.
const DEMO_STORE: &str = "spotifai-demo/demo.db";

/// A model, with the dataset it was fitted on.
pub struct LoadedModel {
    /// What the store knows about the model.
    pub info: ModelInfo,
    /// The model.
    pub model: SavedModel,
    /// Its dataset, as far as the store has it.
    pub dataset: ModelDataset,
}

/// Loads the model of a search, or the newest model.
pub async fn load(store: &Arc<dyn Store>, search: Option<&str>, settings: &Settings) -> anyhow::Result<LoadedModel> {
    let info = match search {
        Some(id) => {
            let search = find(&**store, Some(id)).await?;
            store.model(&search.id).await?.with_context(|| {
                format!(
                    "search {} has no model yet: `spotifai search show {}` shows its progress",
                    search.id, search.id
                )
            })?
        }
        None => match store.latest_model().await? {
            Some(info) => info,
            None => bail!("the store has no model yet: {}", how_to_get_one()),
        },
    };
    let blob =
        store.model_blob(&info.search).await?.context("the store lists a model whose data is missing: search again")?;
    let dataset = ModelDataset::load(&**store, &info, &settings.dataset.split).await?;
    let model = tokio::task::spawn_blocking(move || SavedModel::load(&blob)).await??;
    Ok(LoadedModel { info, model, dataset })
}

fn how_to_get_one() -> String {
    let demo = if Path::new(DEMO_STORE).exists() {
        format!("the demo's model is in its own store (`--store sqlite:{DEMO_STORE}`); ")
    } else {
        String::new()
    };
    format!("{demo}`spotifai search run` trains one")
}
