#![doc = include_str!("../README.md")]
// These macros panic where standard output or standard error cannot be written: use `complain`.
#![warn(clippy::print_stderr, clippy::print_stdout)]

mod complain;
mod doors;
mod health;
mod home;
mod logging;
mod otlp;
mod program;
mod settings;
pub mod signals;
mod start;
mod usage;

pub use complain::complain;
pub use doors::{open_queue, open_store};
pub use health::Health;
pub use home::Home;
pub use logging::{Logging, init_logging};
pub use program::{Pods, Program, Registered, Registration, WorkerProgram};
pub use settings::{Flags, SettingsError, load_settings};
pub use start::{begin, end, install_crypto, main, run_worker};
pub use usage::{usage_error, without_given_secrets};
