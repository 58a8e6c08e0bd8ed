//! Searches and their datasets, opened and made ready once a process.

use std::sync::Arc;

use learn::{LearnError, Prepared};
use model::search::Search;
use model::settings::SplitSettings;
use runtime::{Context, Failure};
use store::Store;
use tokio::sync::Mutex;

/// The search and the dataset used last: a worker's jobs come search by search.
pub(crate) struct DataCache {
    split: SplitSettings,
    search: Mutex<Option<Arc<Search>>>,
    data: Mutex<Option<(String, Arc<Prepared>)>>,
}

/// Both are held locked while they are opened, so that jobs that wait for them open them once.
impl DataCache {
    pub(crate) fn new(split: SplitSettings) -> Self {
        Self { split, search: Mutex::new(None), data: Mutex::new(None) }
    }

    /// The search of an id. What is stored of it never changes.
    pub(crate) async fn search(&self, store: &dyn Store, id: &str) -> Result<Arc<Search>, Failure> {
        let mut last = self.search.lock().await;
        if let Some(search) = &*last
            && search.id == id
        {
            return Ok(search.clone());
        }
        let search = Arc::new(store.search(id).await?.ok_or_else(|| no_search(id))?);
        *last = Some(search.clone());
        Ok(search)
    }

    /// The prepared dataset of a search.
    pub(crate) async fn of(&self, context: &Context, search: &Search) -> Result<Arc<Prepared>, Failure> {
        let mut last = self.data.lock().await;
        if let Some((id, data)) = &*last
            && *id == search.dataset
        {
            return Ok(data.clone());
        }
        let blob = context.store.dataset_blob(&search.dataset).await?;
        let blob = blob.ok_or_else(|| Failure::dead(format!("the store has no dataset {}", search.dataset)))?;
        let split = self.split.clone();
        let data = context.blocking(move |cancellation| {
            let dataset = features::read(&blob, &split).map_err(Failure::dead)?;
            if cancellation.is_asked() {
                return Err(Failure::Cancelled);
            }
            let prepared = learn::prepare(&dataset).map_err(Failure::dead)?;
            Ok(prepared.in_groups(features::column_groups(&dataset.feature_names)))
        });
        let data = Arc::new(data.await?);
        *last = Some((search.dataset.clone(), data.clone()));
        Ok(data)
    }
}

/// Whether a search is cancelled. The store is asked for each job: one that is taken after the search was resumed must not
/// be dropped because somebody remembers otherwise.
pub(crate) async fn is_cancelled(store: &dyn Store, search: &str) -> Result<bool, Failure> {
    let info = store.search_info(search).await?.ok_or_else(|| no_search(search))?;
    if info.cancelled_at.is_some() {
        tracing::info!("search {search} is cancelled: its job does nothing");
    }
    Ok(info.cancelled_at.is_some())
}

/// What a job does about it: it is left to the workers of the version that can run it, or handed back where it was
/// cancelled; bad input stays bad.
pub(crate) fn failure(error: LearnError) -> Failure {
    match error {
        LearnError::Kernel { .. } => Failure::decline_job(error),
        LearnError::Cancelled => Failure::Cancelled,
        _ => Failure::dead(error),
    }
}

fn no_search(id: &str) -> Failure {
    Failure::dead(format!("the store has no search {id}"))
}
