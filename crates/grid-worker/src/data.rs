//! Datasets, opened and made ready once a process.

use std::sync::Arc;

use learn::Prepared;
use model::search::Search;
use model::settings::SplitSettings;
use store::Store;
use tokio::sync::Mutex;
use worker::Failure;

/// The dataset used last: a worker's jobs come search by search.
pub(crate) struct DataCache {
    split: SplitSettings,
    last: Mutex<Option<(String, Arc<Prepared>)>>,
}

impl DataCache {
    pub(crate) fn new(split: SplitSettings) -> Self {
        Self { split, last: Mutex::new(None) }
    }

    /// The prepared dataset of a search. Held locked while it is opened, so that jobs that wait for it open it once.
    pub(crate) async fn of(&self, store: &dyn Store, search: &Search) -> Result<Arc<Prepared>, Failure> {
        let mut last = self.last.lock().await;
        if let Some((id, data)) = &*last
            && *id == search.dataset
        {
            return Ok(data.clone());
        }
        let blob = store.dataset_blob(&search.dataset).await?;
        let blob = blob.ok_or_else(|| Failure::dead(format!("the store has no dataset {}", search.dataset)))?;
        let split = self.split.clone();
        let data = compute(move || {
            let dataset = features::read(&blob, &split).map_err(Failure::dead)?;
            learn::prepare(&dataset).map_err(Failure::dead)
        });
        let data = Arc::new(data.await?);
        *last = Some((search.dataset.clone(), data.clone()));
        Ok(data)
    }
}

/// The search a job belongs to.
pub(crate) async fn search(store: &dyn Store, id: &str) -> Result<Search, Failure> {
    let search = store.search(id).await?;
    search.ok_or_else(|| Failure::dead(format!("the store has no search {id}")))
}

/// Computes on a thread where it keeps no other job waiting.
pub(crate) async fn compute<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
