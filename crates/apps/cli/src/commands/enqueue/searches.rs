//! The searches that jobs of a file name.

use std::sync::Arc;

use model::job::{Envelope, JobBody, SearchBlockJob, SearchRefitJob};
use model::search::SearchInfo;
use store::Store;
use tokio::runtime::Handle;

/// Looks searches up, in a thread that may wait.
pub struct Searches {
    store: Arc<dyn Store>,
    runtime: Handle,
    /// The one looked up last, under the id that was asked for: jobs of one search follow each other.
    last: Option<(String, Option<SearchInfo>)>,
}

impl Searches {
    /// The searches of a store. To be called where tasks run.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, runtime: Handle::current(), last: None }
    }

    /// What is wrong with a job: a search cannot be made up for, unlike a track, which the job itself has fetched.
    ///
    /// # Errors
    /// The store does not answer.
    pub fn check(&mut self, job: &Envelope) -> store::Result<Result<(), String>> {
        if ![SearchBlockJob::KIND, SearchRefitJob::KIND].contains(&job.kind.as_str()) {
            return Ok(Ok(()));
        }
        let id = job.body["search"].as_str().unwrap_or_default();
        let Some(search) = self.find(id)? else {
            return Ok(Err(format!("the store has no search `{id}`; `spotifai search list` shows those it has")));
        };
        Ok(match job.body["block"].as_u64() {
            Some(block) if block >= search.blocks as u64 => {
                Err(format!("search {id} has {} blocks, counted from 0: there is no block {block}", search.blocks))
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
