#![doc = include_str!("../README.md")]

mod attempt;
mod backoff;
mod beat;
mod budget;
mod cancellation;
mod declines;
mod empty;
mod erased;
mod failure;
mod fault;
mod gate;
mod handler;
mod job;
mod lane;
pub mod meters;
mod newer;
mod orders;
mod progress;
mod readiness;
mod shutdown;
mod standing;
mod taker;
mod tally;
pub mod trace;
mod watch;
mod worker;

pub use backoff::Outage;
pub use budget::{Budget, Budgets};
pub use cancellation::Cancellation;
pub use failure::{Failure, Scope};
pub use handler::{Context, Handler};
pub use readiness::Readiness;
pub use shutdown::Shutdown;
pub use worker::{Until, Worker, WorkerError};
