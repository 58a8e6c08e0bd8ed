#![doc = include_str!("../README.md")]

mod block;
mod data;
mod plan;
mod refit;
mod timeout;

use std::sync::Arc;

use host::{Backends, Pods, Registered, Registration, WorkerProgram};

pub use plan::{dataset_shape, is_finished, plan_search, remaining_jobs};

use crate::block::BlockHandler;
use crate::data::DataCache;
use crate::refit::RefitHandler;

/// The program `grid-worker`.
pub struct GridWorker;

impl WorkerProgram for GridWorker {
    const NAME: &'static str = "grid-worker";
    const ABOUT: &'static str = "Fit and score the candidates of grid searches";
    const PODS: Pods = Pods { most: 4, jobs_each: 4, why: "" };
    type Shared = Searches;
    const HANDLERS: &'static [Registration<Searches>] =
        &[Registration::of::<BlockHandler>(), Registration::of::<RefitHandler>()];

    fn open(backends: &Backends) -> anyhow::Result<Searches> {
        Ok(Searches(Arc::new(DataCache::new(backends.settings.dataset.split.clone()))))
    }
}

/// The search and the dataset that its handlers share.
pub struct Searches(Arc<DataCache>);

impl Registered<Searches> for BlockHandler {
    fn new(searches: &Searches) -> Self {
        Self { data: searches.0.clone() }
    }

    /// One job uses all cores.
    fn slots() -> usize {
        1
    }
}

impl Registered<Searches> for RefitHandler {
    fn new(searches: &Searches) -> Self {
        Self { data: searches.0.clone() }
    }

    /// One job uses all cores.
    fn slots() -> usize {
        1
    }
}
