//! `search.refit`: fits the winner on all training rows and saves the model.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::job::{Envelope, JobBody, SearchRefitJob};
use runtime::{Cancellation, Context, Failure, Handler};
use store::{Datasets, Searches};

use crate::data::{DataCache, is_cancelled, to_failure};
use crate::plan::dataset_shape;
use crate::timeout::scaled_timeout;

pub(crate) struct RefitHandler {
    pub(crate) data: Arc<DataCache>,
    pub(crate) searches: Arc<dyn Searches>,
    pub(crate) datasets: Arc<dyn Datasets>,
}

#[async_trait]
impl Handler for RefitHandler {
    type Body = SearchRefitJob;

    /// The kind's timeout plus many times the estimate of the costliest candidate.
    async fn timeout(&self, job: &SearchRefitJob) -> Result<Duration, Failure> {
        let search = self.data.search(&*self.searches, &job.search).await?;
        let dataset = self.datasets.dataset(&search.dataset).await?;
        let estimate = dataset.map_or(0.0, |info| learn::plan::costliest_fold_seconds(&search, dataset_shape(&info)));
        Ok(scaled_timeout(SearchRefitJob::TIMEOUT, estimate))
    }

    async fn run(&self, job: SearchRefitJob, context: &Context) -> Result<Vec<Envelope>, Failure> {
        let searches = &*self.searches;
        if searches.model(&job.search).await?.is_some() || is_cancelled(searches, &job.search).await? {
            return Ok(Vec::new());
        }
        let search = self.data.search(searches, &job.search).await?;
        learn::check_version(&search).map_err(to_failure)?;
        let trials = searches.trials(&search.id).await?;
        // The first model of a search is kept: a winner among only some of the trials could be wrong for ever.
        let (finished, expected) = (trials.len(), search.trials());
        if finished < expected {
            return Err(Failure::retry(format!("search {} has {finished} of its {expected} trials", search.id)));
        }
        let data = self.data.prepared(context, &*self.datasets, &search).await?;
        let work = move |cancellation: &Cancellation| {
            learn::refit(&data, &search, &trials, &cancellation.flag().into()).map_err(to_failure)
        };
        let (info, blob) = context.blocking(work).await?;
        searches.save_model(&info, &blob).await?;
        Ok(Vec::new())
    }
}
