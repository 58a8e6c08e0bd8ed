#![doc = include_str!("../README.md")]

mod backoff;
mod beat;
mod budget;
mod empty;
mod erased;
mod failure;
mod gate;
mod handler;
mod home;
mod job;
mod kind;
mod lane;
mod logging;
mod progress;
mod settings;
mod shutdown;
mod start;
mod tally;
mod worker;

pub use budget::Budgets;
pub use failure::Failure;
pub use handler::{Context, Handler};
pub use home::Home;
pub use logging::init_logging;
pub use settings::{Flags, SettingsError, load_settings};
pub use shutdown::Shutdown;
pub use start::main;
pub use worker::{Until, Worker, WorkerError};
