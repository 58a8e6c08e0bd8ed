//! The model that answers.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use learn::SavedModel;
use model::search::ModelInfo;
use model::settings::Settings;
use store::Store;

use super::known::Known;
use crate::commands::search::find;

/// Where the demo keeps its store, unless it is told otherwise.
const DEMO: &str = "spotifai-demo/demo.db";

/// A model with what the store knows of the rows it was fitted on.
pub struct Chosen {
    /// What is stored with it.
    pub info: ModelInfo,
    /// It.
    pub model: SavedModel,
    /// The rows.
    pub known: Known,
}

/// The model of a search, or the newest.
pub async fn choose(store: &Arc<dyn Store>, search: Option<&str>, settings: &Settings) -> anyhow::Result<Chosen> {
    let info = match search {
        Some(id) => {
            let search = find(&**store, Some(id)).await?;
            store.model(&search.id).await?.with_context(|| {
                format!(
                    "search {} has no model yet: `spotifai search show {}` says how far it is",
                    search.id, search.id
                )
            })?
        }
        None => match store.latest_model().await? {
            Some(info) => info,
            None => bail!("there is no model in the store yet: {}", how_to_get_one()),
        },
    };
    let blob = store.model_blob(&info.search).await?.context("the store has lost the model")?;
    let known = Known::of(&**store, &info, &settings.dataset.split).await?;
    let model = tokio::task::spawn_blocking(move || SavedModel::load(&blob)).await??;
    Ok(Chosen { info, model, known })
}

fn how_to_get_one() -> String {
    let demo = if Path::new(DEMO).exists() {
        format!("the demo's is in its own store, `--store sqlite:{DEMO}`; ")
    } else {
        String::new()
    };
    format!("{demo}`spotifai search run` makes one")
}
