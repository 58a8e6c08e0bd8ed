#![doc = include_str!("../README.md")]
// These macros panic where standard output or standard error cannot be written: use `complain`.
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
pub use program::{Pods, Program, Registered, Registration, WorkerProgram};
pub use settings::{Flags, GLOBAL_OPTIONS, SettingsError, load_settings};
pub use start::{begin, end, install_crypto, main, run_worker};
pub use usage::{usage_error, without_given_secrets};
