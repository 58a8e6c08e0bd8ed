//! Recording how a run ends.

use std::io;
use std::time::Duration;

use anyhow::bail;
use host::Backends;
use model::Timestamp;
use model::run::Run;
use queue::QueueError;
use runtime::{Shutdown, WorkerError};
use store::StoreError;

/// How often a running command checks whether its run was cancelled.
pub const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Runs `work` to its end; `None` if interrupted. If the work fails for good, the run is recorded as failed, and the same command
/// starts a new one.
///
/// # Errors
/// The work fails, or the run was cancelled.
pub async fn finish<T>(
    backends: &Backends,
    run: &Run,
    shutdown: &Shutdown,
    work: impl Future<Output = anyhow::Result<Option<T>>>,
) -> anyhow::Result<Option<T>> {
    let watcher = tokio::spawn(stop_when_cancelled(backends.clone(), run.id.clone(), shutdown.clone()));
    let result = work.await;
    watcher.abort();
    match result {
        Ok(Some(found)) => Ok(Some(found)),
        // Checked first, because a cancelled run may fail for lack of data.
        _ if is_cancelled(backends, &run.id).await.unwrap_or(false) => {
            bail!("run {} was cancelled; what it collected is kept, and the same command starts a new run", run.id)
        }
        Err(failure) if !is_transient(&failure) => {
            record(backends, run, Some(format!("{failure:#}"))).await?;
            Err(failure)
        }
        other => other,
    }
}

/// Records that a run finished, or why it failed.
pub async fn record(backends: &Backends, run: &Run, failure: Option<String>) -> anyhow::Result<()> {
    // Read again, because it may have been cancelled meanwhile.
    let stored = backends.store.runs().await?.into_iter().find(|stored| stored.id == run.id);
    let current = stored.unwrap_or_else(|| run.clone());
    Ok(backends.store.save_run(&Run { finished_at: Some(Timestamp::now()), failure, ..current }).await?)
}

async fn stop_when_cancelled(backends: Backends, run: String, shutdown: Shutdown) {
    while !is_cancelled(&backends, &run).await.unwrap_or(false) {
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    shutdown.stop();
}

async fn is_cancelled(backends: &Backends, run: &str) -> anyhow::Result<bool> {
    Ok(backends.store.cancelled_runs().await?.iter().any(|cancelled| cancelled == run))
}

/// Whether the same command may succeed later: problems of servers or of this machine do not make a run fail.
fn is_transient(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<StoreError>() || cause.is::<QueueError>() || cause.is::<WorkerError>() || cause.is::<io::Error>()
    })
}
