//! SIGTERM and SIGINT as a stop.

use std::sync::OnceLock;

use runtime::Shutdown;
use tokio::signal::unix::{SignalKind, signal};

/// What the shell reports for a process that was interrupted.
const INTERRUPTED: u8 = 130;

/// What it reports for one that was terminated.
const TERMINATED: u8 = 143;

/// SIGXFSZ, which ends a process that writes beyond its limit of file sizes, unless somebody listens: then the write fails,
/// and its error says what was to be written.
const FILE_TOO_LARGE: SignalKind = SignalKind::from_raw(25);

/// What is said of the first signal.
pub const STOPPING: &str = "stopping when the running jobs have ended; once more hands them back";

static SHUTDOWN: OnceLock<Shutdown> = OnceLock::new();

/// The exit code that says which of the two came first.
static CODE: OnceLock<u8> = OnceLock::new();

/// The shutdown that SIGTERM and SIGINT give; every call returns the same one. A third of them ends the process as it
/// stands, which loses nothing either: its jobs come back when their leases run out.
///
/// To be called first in every main, within the runtime: until then a signal ends the process as it stands.
///
/// # Errors
/// When the handlers cannot be installed.
pub fn on_signals() -> std::io::Result<Shutdown> {
    if let Some(shutdown) = SHUTDOWN.get() {
        return Ok(shutdown.clone());
    }
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let too_large = signal(FILE_TOO_LARGE)?;
    let shutdown = SHUTDOWN.get_or_init(Shutdown::new).clone();
    let told = shutdown.clone();
    tokio::spawn(async move {
        let _listening = too_large;
        loop {
            let code = tokio::select! { _ = terminate.recv() => TERMINATED, _ = interrupt.recv() => INTERRUPTED };
            let _ = CODE.set(code);
            if told.is_handing_back() {
                std::process::exit(code.into());
            }
            tracing::info!("{}", if told.is_stopping() { "handing the running jobs back" } else { STOPPING });
            told.stop();
        }
    });
    Ok(shutdown)
}

/// The exit code of a process whose work was not complete when SIGINT (130) or SIGTERM (143) came; `None`: neither came.
pub fn exit_code() -> Option<u8> {
    CODE.get().copied()
}
