//! `search.refit`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::job::{Envelope, JobBody, SearchRefitJob};
use runtime::{Cancellation, Context, Failure, Handler};

use crate::allowed::allowed;
use crate::data::{DataCache, failure, is_cancelled};
use crate::start::shape;

pub(crate) struct RefitHandler {
    pub(crate) data: Arc<DataCache>,
}

#[async_trait]
impl Handler for RefitHandler {
    type Body = SearchRefitJob;

    /// The kind's, and many times the estimate of the dearest setting.
    async fn timeout(&self, job: &SearchRefitJob, context: &Context) -> Result<Duration, Failure> {
        let search = self.data.search(&*context.store, &job.search).await?;
        let dataset = context.store.dataset(&search.dataset).await?;
        let estimate = dataset.map_or(0.0, |of| learn::plan::costliest_fold_seconds(&search, shape(&of)));
        Ok(allowed(SearchRefitJob::TIMEOUT, estimate))
    }

    async fn run(&self, job: SearchRefitJob, context: &Context) -> Result<Vec<Envelope>, Failure> {
        let store = &*context.store;
        if store.model(&job.search).await?.is_some() || is_cancelled(store, &job.search).await? {
            return Ok(Vec::new());
        }
        let search = self.data.search(store, &job.search).await?;
        learn::check_version(&search).map_err(failure)?;
        let trials = store.trials(&search.id).await?;
        // The first model of a search stays, so a winner among some of the trials would stay wrong.
        let (finished, all) = (trials.len(), search.trials());
        if finished < all {
            return Err(Failure::retry(format!("search {} has {finished} of its {all} trials", search.id)));
        }
        let data = self.data.of(context, &search).await?;
        let work = move |cancellation: &Cancellation| {
            learn::refit(&data, &search, &trials, &cancellation.flag().into()).map_err(failure)
        };
        let (info, blob) = context.blocking(work).await?;
        store.save_model(&info, &blob).await?;
        Ok(Vec::new())
    }
}
