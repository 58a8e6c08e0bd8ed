//! What a signal ends, and how.

use std::time::Duration;

use runtime::Shutdown;

use crate::args::{Command, EnqueueCommand, SearchCommand};
use crate::error::{exit_code, stopped};
use crate::output::tell;

/// How long a command that was told to stop may take before the person who waits is told why.
const SILENT: Duration = Duration::from_secs(1);

/// Ends the process as soon as a signal comes, if the command holds nothing that has to be ended first. Others look for the
/// signal themselves; one that takes its time is spoken for.
pub fn on_signal(command: &Command, shutdown: &Shutdown) {
    let (shutdown, drains) = (shutdown.clone(), looks_for_signals(command));
    // A task of its own: a command may compute, or wait for its standard input, and see nothing.
    tokio::spawn(async move {
        shutdown.stopped().await;
        if drains {
            tokio::time::sleep(SILENT).await;
            tell(host::signals::STOPPING);
            return;
        }
        let code = exit_code(Err(stopped("what it did until now stays, and it may be given again")));
        std::process::exit(code.into());
    });
}

fn looks_for_signals(command: &Command) -> bool {
    match command {
        Command::Demo(_) | Command::Run(_) | Command::Worker(_) | Command::Predict(_) => true,
        Command::Enqueue(enqueue) => matches!(enqueue, EnqueueCommand::File(_)),
        Command::Search(search) => match search {
            SearchCommand::Run(_) | SearchCommand::Watch(_) => true,
            SearchCommand::List(live) => live.watch,
            _ => false,
        },
        Command::Status(live) | Command::Queues(live) | Command::Runs(live) => live.watch,
        Command::Workers(workers) => workers.live.watch,
        _ => false,
    }
}

/// What `work` comes to; `None` when the signal comes first. What it began is left as it is.
pub async fn unless_stopped<T>(
    shutdown: &Shutdown,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<Option<T>> {
    tokio::select! {
        biased;
        result = work => result.map(Some),
        () = shutdown.stopped() => Ok(None),
    }
}
