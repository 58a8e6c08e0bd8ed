//! `search.refit`: fits the winner on all training rows and saves the model.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::job::{Envelope, JobBody, SearchRefitJob};
use runtime::{Cancellation, Context, Failure, Handler};

use crate::data::{DataCache, is_cancelled, to_failure};
use crate::plan::dataset_shape;
use crate::timeout::scaled_timeout;

pub(crate) struct RefitHandler {
    pub(crate) data: Arc<DataCache>,
}

#[async_trait]
impl Handler for RefitHandler {
    type Body = SearchRefitJob;

    /// The kind's timeout plus many times the estimate of the costliest candidate.
    async fn timeout(&self, job: &SearchRefitJob, context: &Context) -> Result<Duration, Failure> {
        let search = self.data.search(&*context.store, &job.search).await?;
        let dataset = context.store.dataset(&search.dataset).await?;
        let estimate = dataset.map_or(0.0, |info| learn::plan::costliest_fold_seconds(&search, dataset_shape(&info)));
        Ok(scaled_timeout(SearchRefitJob::TIMEOUT, estimate))
    }

    async fn run(&self, job: SearchRefitJob, context: &Context) -> Result<Vec<Envelope>, Failure> {
        let store = &*context.store;
        if store.model(&job.search).await?.is_some() || is_cancelled(store, &job.search).await? {
            return Ok(Vec::new());
        }
        let search = self.data.search(store, &job.search).await?;
        learn::check_version(&search).map_err(to_failure)?;
        let trials = store.trials(&search.id).await?;
        // The first model of a search is kept: a winner among only some of the trials could be wrong for ever.
        let (finished, expected) = (trials.len(), search.trials());
        if finished < expected {
            return Err(Failure::retry(format!("search {} has {finished} of its {expected} trials", search.id)));
        }
        let data = self.data.prepared(context, &search).await?;
        let work = move |cancellation: &Cancellation| {
            learn::refit(&data, &search, &trials, &cancellation.flag().into()).map_err(to_failure)
        };
        let (info, blob) = context.blocking(work).await?;
        store.save_model(&info, &blob).await?;
        Ok(Vec::new())
    }
}
