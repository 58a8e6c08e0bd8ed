//! `search.block`: fits and scores the candidates of a block.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::job::{Envelope, JobBody, SearchBlockJob, SearchRefitJob};
use runtime::{Cancellation, Context, Failure, Handler};
use store::{Datasets, Searches};

use crate::data::{DataCache, is_cancelled, to_failure};
use crate::plan::{dataset_shape, is_finished};
use crate::timeout::scaled_timeout;

pub(crate) struct BlockHandler {
    pub(crate) data: Arc<DataCache>,
    pub(crate) searches: Arc<dyn Searches>,
    pub(crate) datasets: Arc<dyn Datasets>,
}

#[async_trait]
impl Handler for BlockHandler {
    type Body = SearchBlockJob;

    /// The kind's timeout plus many times the block's estimate.
    async fn timeout(&self, job: &SearchBlockJob) -> Result<Duration, Failure> {
        let search = self.data.search(&*self.searches, &job.search).await?;
        let dataset = self.datasets.dataset(&search.dataset).await?;
        let block = search.blocks.get(job.block as usize);
        let estimate =
            block.zip(dataset.as_ref()).map(|(block, info)| learn::plan::seconds(&search, block, dataset_shape(info)));
        Ok(scaled_timeout(SearchBlockJob::TIMEOUT, estimate.unwrap_or(0.0)))
    }

    async fn run(&self, job: SearchBlockJob, context: &Context) -> Result<Vec<Envelope>, Failure> {
        let searches = &*self.searches;
        if is_cancelled(searches, &job.search).await? {
            return Ok(Vec::new());
        }
        let search = self.data.search(searches, &job.search).await?;
        let missing = || Failure::dead(format!("search {} has no block {}", job.search, job.block));
        let block = search.blocks.get(job.block as usize).ok_or_else(missing)?;
        if !is_finished(block, &searches.finished_trials(&search.id, Some(&block.settings)).await?) {
            // Before the data is read, which takes seconds: a worker of another version may run the block meanwhile.
            learn::check_version(&search).map_err(to_failure)?;
            let data = self.data.prepared(context, &*self.datasets, &search).await?;
            let (search, index) = (search.clone(), job.block);
            let work = move |cancellation: &Cancellation| {
                learn::run_block(&data, &search, index, &cancellation.flag().into()).map_err(to_failure)
            };
            let trials = context.blocking(work).await?;
            searches.save_trials(&trials).await?;
        }
        // Counted after the trials are saved: of two blocks that end at the same time, at least one sees them all, and a
        // second refit finds that the model exists.
        let is_complete = searches.trial_count(&search.id).await? == search.trials();
        Ok(is_complete.then(|| Envelope::new(&SearchRefitJob { search: search.id.clone() })).into_iter().collect())
    }
}
