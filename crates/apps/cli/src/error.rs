//! What a person sees of a failure: one line and an exit code.

use std::fmt;
use std::io;
use std::process::ExitCode;

use host::{complain, without_given_secrets};
use model::explain;
use model::terminal::escaped;
use queue::QueueError;
use runtime::WorkerError;
use store::StoreError;

/// The command was given something it cannot use: exit code 2.
#[derive(Debug)]
pub struct Usage(pub String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// A usage error with this message.
pub fn usage(message: impl fmt::Display) -> anyhow::Error {
    Usage(message.to_string()).into()
}

/// The command was told to stop before it was done: the exit code that a shell has for the signal.
#[derive(Debug)]
struct Stopped {
    code: u8,
    what_now: String,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stopped; {}", self.what_now)
    }
}

impl std::error::Error for Stopped {}

/// The end of a command that was told to stop before it was done, with what is safe and how to go on.
pub fn stopped(what_now: impl fmt::Display) -> anyhow::Error {
    Stopped { code: host::signals::exit_code().unwrap_or(1), what_now: what_now.to_string() }.into()
}

/// Prints the error, if any, as one line: 0 for success, 1 for a failure, 2 for a usage error, 130 or 143 where a signal
/// came before the work was done.
pub fn exit_code(result: anyhow::Result<()>) -> u8 {
    let Err(error) = result else { return 0 };
    if is_closed_pipe(&error) {
        return 0;
    }
    let line = without_given_secrets(&line(&error)).replace('\n', " ");
    complain(&format!("spotifai: {}", escaped(&line)));
    match error.downcast_ref::<Stopped>() {
        Some(stopped) => stopped.code,
        None => u8::from(error.is::<Usage>()) + 1,
    }
}

/// [`exit_code`] as main returns it.
pub fn ended(result: anyhow::Result<()>) -> ExitCode {
    exit_code(result).into()
}

/// The causes from the outermost on; where one is of this machine, with what is safe.
fn line(error: &anyhow::Error) -> String {
    let mut causes: Vec<String> = error.chain().map(plain).collect();
    // A wrapper of the system's error says the same.
    causes.dedup();
    let safe = if is_of_here(error) {
        "; what was stored until now is safe, and the same command goes on from there"
    } else {
        ""
    };
    causes.join(": ") + safe
}

/// A cause in plain words, where the system's are none.
fn plain(cause: &(dyn std::error::Error + 'static)) -> String {
    match (cause.downcast_ref::<io::Error>(), cause.downcast_ref::<serde_json::Error>()) {
        (Some(error), _) => explain::io(error),
        (_, Some(error)) => explain::json(error),
        _ => explain::message(&cause.to_string()),
    }
}

/// Whether somebody mends it here and goes on.
fn is_of_here(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(QueueError::Unwritable { .. }))
        || matches!(error.downcast_ref(), Some(StoreError::Unwritable { .. }))
        || matches!(error.downcast_ref(), Some(WorkerError::Local(_) | WorkerError::Declined { .. }))
}

/// `spotifai … | head` is no failure.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe)
}
