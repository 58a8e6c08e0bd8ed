//! How a run ends: well, cancelled, in vain, or not yet.

use std::io;
use std::time::Duration;

use anyhow::bail;
use host::Backends;
use model::Timestamp;
use model::run::Run;
use queue::QueueError;
use runtime::{Shutdown, WorkerError};
use store::StoreError;

/// How often a run that is followed is looked at for having been cancelled.
pub const LOOK: Duration = Duration::from_millis(500);

/// Goes a run's way to its end; `None` when it was stopped. What can't go on does not stay open: the run is then noted as
/// failed, and the same command begins a new one.
///
/// # Errors
/// Those of the way; that the run was cancelled.
pub async fn to_its_end<T>(
    backends: &Backends,
    run: &Run,
    shutdown: &Shutdown,
    way: impl Future<Output = anyhow::Result<Option<T>>>,
) -> anyhow::Result<Option<T>> {
    let watcher = tokio::spawn(stop_when_cancelled(backends.clone(), run.id.clone(), shutdown.clone()));
    let result = way.await;
    watcher.abort();
    match result {
        Ok(Some(found)) => Ok(Some(found)),
        // Also where it failed: a cancelled run has nothing to build a dataset from.
        _ if is_cancelled(backends, &run.id).await.unwrap_or(false) => {
            bail!("run {} was cancelled; what it collected stays, the same command begins a new one", run.id)
        }
        Err(failure) if !is_passing(&failure) => {
            save(backends, run, Some(format!("{failure:#}"))).await?;
            Err(failure)
        }
        other => other,
    }
}

/// Notes that a run is finished, or why it failed.
pub async fn save(backends: &Backends, run: &Run, failure: Option<String>) -> anyhow::Result<()> {
    // As it is now: it may have been cancelled meanwhile.
    let now = backends.store.runs().await?.into_iter().find(|now| now.id == run.id).unwrap_or_else(|| run.clone());
    Ok(backends.store.save_run(&Run { finished_at: Some(Timestamp::now()), failure, ..now }).await?)
}

async fn stop_when_cancelled(backends: Backends, run: String, shutdown: Shutdown) {
    while !is_cancelled(&backends, &run).await.unwrap_or(false) {
        tokio::time::sleep(LOOK).await;
    }
    shutdown.stop();
}

async fn is_cancelled(backends: &Backends, run: &str) -> anyhow::Result<bool> {
    Ok(backends.store.cancelled_runs().await?.iter().any(|cancelled| cancelled == run))
}

/// Whether the same command may well go on later: trouble of servers or of this machine says nothing about the run.
fn is_passing(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<StoreError>() || cause.is::<QueueError>() || cause.is::<WorkerError>() || cause.is::<io::Error>()
    })
}
