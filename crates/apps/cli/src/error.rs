//! How failures are reported: one line on standard error, and an exit code.

use std::fmt;
use std::io;

use host::{complain, without_given_secrets};
use model::explain;
use model::terminal::escaped;
use queue::QueueError;
use runtime::WorkerError;
use store::StoreError;

/// Wrong usage: exit code 2.
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

/// The command was interrupted by a signal. It exits with the code that shells use for that signal.
#[derive(Debug)]
struct Stopped {
    code: u8,
    next_step: String,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stopped; {}", self.next_step)
    }
}

impl std::error::Error for Stopped {}

/// The error of an interrupted command: what is safe, and how to resume.
pub fn stopped(next_step: impl fmt::Display) -> anyhow::Error {
    Stopped { code: host::signals::exit_code().unwrap_or(1), next_step: next_step.to_string() }.into()
}

/// Prints the error, if any, as one line and returns the exit code: 0 for success, 1 for a failure, 2 for wrong usage, 130 or
/// 143 after a signal.
pub fn report(result: anyhow::Result<()>) -> u8 {
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

/// The causes, outermost first. A problem with this machine also says what is safe.
fn line(error: &anyhow::Error) -> String {
    let mut causes: Vec<String> = error.chain().map(message).collect();
    // Wrappers of system errors repeat their message.
    causes.dedup();
    let hint =
        if is_local(error) { "; everything stored so far is safe: run the same command again to resume" } else { "" };
    causes.join(": ") + hint
}

/// A cause in plain words instead of the system's.
fn message(cause: &(dyn std::error::Error + 'static)) -> String {
    match (cause.downcast_ref::<io::Error>(), cause.downcast_ref::<serde_json::Error>()) {
        (Some(error), _) => explain::io(error),
        (_, Some(error)) => explain::json(error),
        _ => explain::message(&cause.to_string()),
    }
}

/// Whether the problem is on this machine and can be fixed here.
fn is_local(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(QueueError::Unwritable { .. }))
        || matches!(error.downcast_ref(), Some(StoreError::Unwritable { .. }))
        || matches!(error.downcast_ref(), Some(WorkerError::Local(_) | WorkerError::Declined { .. }))
}

/// `spotifai … | head` is not a failure.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe)
}
