//! What a command does when a signal (Ctrl-C, SIGTERM) arrives.

use std::time::Duration;

use runtime::Shutdown;

use crate::args::{Command, EnqueueCommand, SearchCommand};
use crate::error::{report, stopped};
use crate::output::eprint_line;

/// The message of a command interrupted before it did anything.
pub const NOTHING_STARTED: &str = "nothing was started";

/// How long a stopping command stays silent before it says that it is still finishing.
const NOTICE_DELAY: Duration = Duration::from_secs(1);

/// Exits at once on a signal if the command has nothing to finish first. Commands that handle the signal themselves are left
/// to stop; if that takes a while, the user is told.
pub fn on_signal(command: &Command, shutdown: &Shutdown) {
    let (shutdown, stops_itself) = (shutdown.clone(), handles_signals(command));
    // A separate task: the command may be computing, or blocked on standard input.
    tokio::spawn(async move {
        shutdown.stopped().await;
        if stops_itself {
            tokio::time::sleep(NOTICE_DELAY).await;
            eprint_line(host::signals::STOPPING);
            return;
        }
        let code = report(Err(stopped("everything done so far is kept; you can run the command again")));
        std::process::exit(code.into());
    });
}

fn handles_signals(command: &Command) -> bool {
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

/// Runs `work` to its end; `None` if a signal comes first.
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
