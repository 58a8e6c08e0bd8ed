//! The search and the dataset in use, read and prepared once per process.

use std::sync::Arc;

use learn::{LearnError, Prepared};
use model::search::Search;
use model::settings::SplitSettings;
use runtime::{Context, Failure};
use store::{Datasets, Searches};
use tokio::sync::Mutex;

/// Caches the search and the dataset used last: the jobs of a worker come search by search.
pub(crate) struct DataCache {
    split: SplitSettings,
    search: Mutex<Option<Arc<Search>>>,
    data: Mutex<Option<(String, Arc<Prepared>)>>,
}

/// Each lock is held while its value is read, so that jobs that need the same value at the same time read it once.
impl DataCache {
    pub(crate) fn new(split: SplitSettings) -> Self {
        Self { split, search: Mutex::new(None), data: Mutex::new(None) }
    }

    /// The search with this id. A stored search never changes.
    pub(crate) async fn search(&self, searches: &dyn Searches, id: &str) -> Result<Arc<Search>, Failure> {
        let mut last = self.search.lock().await;
        if let Some(search) = &*last
            && search.id == id
        {
            return Ok(search.clone());
        }
        let search = Arc::new(searches.search(id).await?.ok_or_else(|| no_search(id))?);
        *last = Some(search.clone());
        Ok(search)
    }

    /// The prepared dataset of a search.
    pub(crate) async fn prepared(
        &self,
        context: &Context,
        datasets: &dyn Datasets,
        search: &Search,
    ) -> Result<Arc<Prepared>, Failure> {
        let mut last = self.data.lock().await;
        if let Some((id, data)) = &*last
            && *id == search.dataset
        {
            return Ok(data.clone());
        }
        let blob = datasets.dataset_blob(&search.dataset).await?;
        let blob = blob.ok_or_else(|| Failure::dead(format!("the store has no dataset {}", search.dataset)))?;
        let split = self.split.clone();
        let data = context.blocking(move |cancellation| {
            let dataset = features::read(&blob, &split).map_err(Failure::dead)?;
            if cancellation.is_requested() {
                return Err(Failure::Cancelled);
            }
            let prepared = learn::prepare(&dataset).map_err(Failure::dead)?;
            Ok(prepared.with_column_groups(features::column_groups(&dataset.feature_names)))
        });
        let data = Arc::new(data.await?);
        *last = Some((search.dataset.clone(), data.clone()));
        Ok(data)
    }
}

/// Whether a search is cancelled. Every job asks the store: with a cached answer, a job could be dropped although its
/// search was resumed.
pub(crate) async fn is_cancelled(searches: &dyn Searches, search: &str) -> Result<bool, Failure> {
    let info = searches.search_info(search).await?.ok_or_else(|| no_search(search))?;
    if info.cancelled_at.is_some() {
        tracing::info!("search {search} is cancelled: its job does nothing");
    }
    Ok(info.cancelled_at.is_some())
}

/// What becomes of a job with this error: it is left to workers of the right version, handed back if it was cancelled, or
/// dead, as bad input does not get better.
pub(crate) fn to_failure(error: LearnError) -> Failure {
    match error {
        LearnError::Kernel { .. } => Failure::decline_job(error),
        LearnError::Cancelled => Failure::Cancelled,
        _ => Failure::dead(error),
    }
}

fn no_search(id: &str) -> Failure {
    Failure::dead(format!("the store has no search {id}"))
}
