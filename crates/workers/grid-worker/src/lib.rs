#![doc = include_str!("../README.md")]

mod block;
mod data;
mod refit;
mod start;

use std::sync::Arc;

use worker::{Home, Worker};

pub use block::is_finished;
pub use start::{jobs_left, shape, start};

use crate::block::BlockHandler;
use crate::data::DataCache;
use crate::refit::RefitHandler;

/// Adds the handlers of `search.block` and `search.refit`: one job at a time, which uses all cores.
pub fn add_to(worker: Worker, home: &Home) -> anyhow::Result<Worker> {
    let data = Arc::new(DataCache::new(home.settings.dataset.split.clone()));
    Ok(worker.with(BlockHandler { data: data.clone() }, 1).with(RefitHandler { data }, 1))
}
