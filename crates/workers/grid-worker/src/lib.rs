#![doc = include_str!("../README.md")]

mod block;
mod data;
mod plan;
mod refit;
mod timeout;

use std::sync::Arc;

use host::{Backends, Registered, Registration, Scaling, WorkerProgram};
use store::Store;

pub use plan::{dataset_shape, is_finished, plan_search, remaining_jobs};

use crate::block::BlockHandler;
use crate::data::DataCache;
use crate::refit::RefitHandler;

/// The program `grid-worker`.
pub struct GridWorker;

impl WorkerProgram for GridWorker {
    const NAME: &'static str = "grid-worker";
    const DESCRIPTION: &'static str = "Fit and score the candidates of grid searches";
    const SCALING: Scaling = Scaling { max_pods: 4, jobs_per_pod: 4, limit_reason: "" };
    type Shared = GridShared;
    const HANDLERS: &'static [Registration<GridShared>] =
        &[Registration::of::<BlockHandler>(), Registration::of::<RefitHandler>()];

    fn shared(backends: &Backends) -> anyhow::Result<GridShared> {
        Ok(GridShared(Arc::new(DataCache::new(backends.settings.dataset.split.clone()))))
    }
}

/// The search and the dataset that its handlers share.
pub struct GridShared(Arc<DataCache>);

impl Registered<GridShared> for BlockHandler {
    fn new(shared: &GridShared, store: Arc<dyn Store>) -> Self {
        Self { data: shared.0.clone(), searches: store.clone(), datasets: store }
    }

    /// One job uses all cores.
    fn slots() -> usize {
        1
    }
}

impl Registered<GridShared> for RefitHandler {
    fn new(shared: &GridShared, store: Arc<dyn Store>) -> Self {
        Self { data: shared.0.clone(), searches: store.clone(), datasets: store }
    }

    /// One job uses all cores.
    fn slots() -> usize {
        1
    }
}
