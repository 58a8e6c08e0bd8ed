#![doc = include_str!("../README.md")]
// These macros panic if standard output or standard error cannot be written to: use `complain`.
#![warn(clippy::print_stderr, clippy::print_stdout)]

mod backends;
mod complain;
mod health;
mod logging;
mod opening;
mod otlp;
mod program;
mod settings;
pub mod signals;
mod start;
mod usage;

pub use backends::Backends;
pub use complain::complain;
pub use health::Health;
pub use logging::{Logging, init_logging};
pub use opening::{open_queue, open_store};
pub use program::{Program, Registered, Registration, Scaling, WorkerProgram};
pub use settings::{Flags, GLOBAL_OPTIONS, SettingsError, load_settings};
pub use start::{end_process, install_crypto, main, run_worker, start_process};
pub use usage::{usage_error, without_given_secrets};
