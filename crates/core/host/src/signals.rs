//! SIGTERM and SIGINT as a shutdown.

use std::sync::OnceLock;

use runtime::Shutdown;
use tokio::signal::unix::{SignalKind, signal};

/// The exit code that a shell reports for an interrupted process.
const INTERRUPTED_CODE: u8 = 130;

/// The exit code that it reports for a terminated process.
const TERMINATED_CODE: u8 = 143;

/// SIGXFSZ ends a process that writes beyond its limit of file sizes. With a handler the write fails instead, and its error
/// says what was to be written.
const FILE_TOO_LARGE: SignalKind = SignalKind::from_raw(25);

/// The message for the first signal.
pub const STOPPING: &str = "stopping once the running jobs have finished; interrupt again to hand them back";

static SHUTDOWN: OnceLock<Shutdown> = OnceLock::new();

/// The exit code of the signal that came first.
static CODE: OnceLock<u8> = OnceLock::new();

/// The shutdown that SIGTERM and SIGINT trigger; every call returns the same one. The third signal ends the process at once,
/// which loses nothing either: its jobs come back when their leases expire.
///
/// To be called first in every main function, within the runtime: until then a signal ends the process at once.
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
    let signalled = shutdown.clone();
    tokio::spawn(async move {
        let _handler = too_large;
        loop {
            let code =
                tokio::select! { _ = terminate.recv() => TERMINATED_CODE, _ = interrupt.recv() => INTERRUPTED_CODE };
            let _ = CODE.set(code);
            if signalled.is_handing_back() {
                std::process::exit(code.into());
            }
            tracing::info!("{}", if signalled.is_stopping() { "handing the running jobs back" } else { STOPPING });
            signalled.stop();
        }
    });
    Ok(shutdown)
}

/// The exit code of a process that SIGINT (130) or SIGTERM (143) kept from completing its work; `None` if neither came.
pub fn exit_code() -> Option<u8> {
    CODE.get().copied()
}
