//! The log.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// The environment variable that sets the level: `debug`, `warn`, `worker=debug,info` ….
const LEVEL: &str = "SPOTIFAI_LOG";

/// Starts logging to standard error, from `info` up unless `SPOTIFAI_LOG` says otherwise; once for a process. A panic is
/// one line of the log, unless `RUST_BACKTRACE` asks for more.
pub fn init_logging() {
    let asked = std::env::var(LEVEL).unwrap_or_default();
    let filter = EnvFilter::try_new(if asked.is_empty() { "info" } else { &asked });
    let refused = filter.as_ref().err().map(ToString::to_string);
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter.unwrap_or_else(|_| EnvFilter::new("info")))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .try_init();
    if let Some(why) = refused {
        tracing::warn!("{LEVEL} is `{asked}`, which is no level ({why}); it is taken for `info`");
    }
    if started.is_ok() && std::env::var_os("RUST_BACKTRACE").is_none() {
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            tracing::error!(place, "panicked: {}", panic.payload_as_str().unwrap_or("without a message"));
        }));
    }
}
