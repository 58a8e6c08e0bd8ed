//! `search.block`.

use std::sync::Arc;

use async_trait::async_trait;
use model::job::{Envelope, SearchBlock, SearchRefit};
use model::search::Block;
use runtime::{Cancellation, Context, Failure, Handler};

use crate::data::{DataCache, failure, is_cancelled};

pub(crate) struct BlockHandler {
    pub(crate) data: Arc<DataCache>,
}

#[async_trait]
impl Handler for BlockHandler {
    type Body = SearchBlock;

    async fn run(&self, job: SearchBlock, context: &Context) -> Result<Vec<Envelope>, Failure> {
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
        Ok(all.then(|| Envelope::new(&SearchRefit { search: search.id.clone() })).into_iter().collect())
    }
}

/// Whether all trials of a block are among the finished ones: (setting, fold), sorted.
pub fn is_finished(block: &Block, finished: &[(u32, u32)]) -> bool {
    let is_done = |setting, fold| finished.binary_search(&(setting, fold)).is_ok();
    block.folds.iter().all(|&fold| block.settings.iter().all(|&setting| is_done(setting, fold)))
}
