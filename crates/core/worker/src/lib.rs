#![doc = include_str!("../README.md")]
// These macros panic where standard output or standard error cannot be written: use `complain`.
#![warn(clippy::print_stderr, clippy::print_stdout)]

mod backoff;
mod beat;
mod budget;
mod declines;
mod doors;
mod empty;
mod erased;
mod failure;
mod fault;
mod gate;
mod handler;
mod health;
mod home;
mod job;
mod kind;
mod lane;
mod logging;
mod meters;
mod newer;
mod orders;
mod otlp;
mod progress;
mod settings;
mod shutdown;
mod standing;
mod start;
mod tally;
mod trace;
mod usage;
mod watch;
mod worker;

pub use budget::Budgets;
pub use doors::{open_queue, open_store};
pub use failure::{Failure, Scope};
pub use handler::{Context, Handler};
pub use health::Health;
pub use home::Home;
pub use logging::{Logging, init_logging};
pub use settings::{Flags, SettingsError, load_settings};
pub use shutdown::Shutdown;
pub use start::{begin, complain, end, install_crypto, main, run_worker};
pub use usage::{usage_error, without_given_secrets};
pub use worker::{Until, Worker, WorkerError};
