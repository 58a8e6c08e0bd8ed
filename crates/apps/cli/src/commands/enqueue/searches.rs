//! Checking that search jobs in a file refer to existing searches.

use std::sync::Arc;

use model::job::{Envelope, JobBody, SearchBlockJob, SearchRefitJob};
use model::search::SearchInfo;
use store::Store;
use tokio::runtime::Handle;

/// Looks up searches from a blocking thread.
pub struct Searches {
    store: Arc<dyn Store>,
    runtime: Handle,
    /// The last lookup, because jobs of the same search usually follow each other.
    last: Option<(String, Option<SearchInfo>)>,
}

impl Searches {
    /// A lookup in a store. Must be called within the runtime.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, runtime: Handle::current(), last: None }
    }

    /// Checks a job. The inner error says what is wrong with it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn check(&mut self, job: &Envelope) -> store::Result<Result<(), String>> {
        if ![SearchBlockJob::KIND, SearchRefitJob::KIND].contains(&job.kind.as_str()) {
            return Ok(Ok(()));
        }
        let id = job.body["search"].as_str().unwrap_or_default();
        let Some(search) = self.find(id)? else {
            return Ok(Err(format!("no search `{id}`; `spotifai search list` lists them")));
        };
        Ok(match job.body["block"].as_u64() {
            Some(block) if block >= search.blocks as u64 => {
                Err(format!("search {id} has blocks 0 to {}, so no block {block}", search.blocks.saturating_sub(1)))
            }
            _ => Ok(()),
        })
    }

    fn find(&mut self, id: &str) -> store::Result<Option<&SearchInfo>> {
        if self.last.as_ref().is_none_or(|(last, _)| last != id) {
            let found = self.runtime.block_on(self.store.search_info(id))?;
            self.last = Some((id.to_owned(), found));
        }
        Ok(self.last.as_ref().and_then(|(_, found)| found.as_ref()))
    }
}
