//! `search.block`.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use model::job::{Envelope, SearchBlock, SearchRefit};
use model::search::{Block, Trial};
use worker::{Context, Failure, Handler};

use crate::data::{DataCache, compute, search};

pub(crate) struct BlockHandler {
    pub(crate) data: Arc<DataCache>,
}

#[async_trait]
impl Handler for BlockHandler {
    type Body = SearchBlock;

    async fn run(&self, job: SearchBlock, context: &Context) -> Result<Vec<Envelope>, Failure> {
        let store = &*context.store;
        let search = Arc::new(search(store, &job.search).await?);
        let missing = || Failure::dead(format!("search {} has no block {}", job.search, job.block));
        let block = search.blocks.get(job.block as usize).ok_or_else(missing)?;
        if !is_finished(block, &store.trials(&search.id).await?) {
            let data = self.data.of(store, &search).await?;
            let (of, index) = (search.clone(), job.block);
            let trials = compute(move || learn::run_block(&data, &of, index).map_err(Failure::dead)).await?;
            store.save_trials(&trials).await?;
        }
        // Counted after the trials are safe: of two blocks that end together at least one sees them all, and a second
        // refit finds the model there.
        let all = store.trial_count(&search.id).await? == search.trials();
        Ok(all.then(|| Envelope::new(&SearchRefit { search: search.id.clone() })).into_iter().collect())
    }
}

fn is_finished(block: &Block, trials: &[Trial]) -> bool {
    let done: HashSet<(u32, u32)> = trials.iter().map(|trial| (trial.setting, trial.fold)).collect();
    block.folds.iter().all(|&fold| block.settings.iter().all(|&setting| done.contains(&(setting, fold))))
}
