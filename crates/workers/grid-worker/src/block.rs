//! `search.block`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::job::{Envelope, JobBody, SearchBlockJob, SearchRefitJob};
use runtime::{Cancellation, Context, Failure, Handler};

use crate::allowed::allowed;
use crate::data::{DataCache, failure, is_cancelled};
use crate::start::{is_finished, shape};

pub(crate) struct BlockHandler {
    pub(crate) data: Arc<DataCache>,
}

#[async_trait]
impl Handler for BlockHandler {
    type Body = SearchBlockJob;

    /// The kind's, and many times the block's estimate.
    async fn timeout(&self, job: &SearchBlockJob, context: &Context) -> Result<Duration, Failure> {
        let store = &*context.store;
        let search = self.data.search(store, &job.search).await?;
        let (block, dataset) = (search.blocks.get(job.block as usize), store.dataset(&search.dataset).await?);
        let estimate = block.zip(dataset.as_ref()).map(|(block, of)| learn::plan::seconds(&search, block, shape(of)));
        Ok(allowed(SearchBlockJob::TIMEOUT, estimate.unwrap_or(0.0)))
    }

    async fn run(&self, job: SearchBlockJob, context: &Context) -> Result<Vec<Envelope>, Failure> {
        let store = &*context.store;
        if is_cancelled(store, &job.search).await? {
            return Ok(Vec::new());
        }
        let search = self.data.search(store, &job.search).await?;
        let missing = || Failure::dead(format!("search {} has no block {}", job.search, job.block));
        let block = search.blocks.get(job.block as usize).ok_or_else(missing)?;
        if !is_finished(block, &store.finished_trials(&search.id, Some(&block.settings)).await?) {
            // Before the data, which takes seconds to be read: somebody else may run the block meanwhile.
            learn::check_version(&search).map_err(failure)?;
            let data = self.data.of(context, &search).await?;
            let (of, index) = (search.clone(), job.block);
            let work = move |cancellation: &Cancellation| {
                learn::run_block(&data, &of, index, &cancellation.flag().into()).map_err(failure)
            };
            let trials = context.blocking(work).await?;
            store.save_trials(&trials).await?;
        }
        // Counted after the trials are safe: of two blocks that end together at least one sees them all, and a second
        // refit finds the model there.
        let all = store.trial_count(&search.id).await? == search.trials();
        Ok(all.then(|| Envelope::new(&SearchRefitJob { search: search.id.clone() })).into_iter().collect())
    }
}
