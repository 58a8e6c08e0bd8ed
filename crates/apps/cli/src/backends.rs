//! Opening queue and store for a command. Connection errors tell the user what to do.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use host::Backends;
use model::settings::Settings;
use queue::{Queue, QueueError};
use store::{Store, StoreError};
use tempfile::TempDir;

use crate::output::eprint_line;
use crate::programs;

/// How often to check whether the queue accepts jobs.
const BLOCKED_POLL_INTERVAL: Duration = Duration::from_millis(250);

/// Opens queue and store.
///
/// # Errors
/// A server is unreachable or unusable. The message hides credentials and says what to do.
pub async fn open(settings: Settings) -> anyhow::Result<Backends> {
    let (queue, store) = tokio::try_join!(queue(&settings), store(&settings))?;
    tokio::spawn(report_when_blocked(queue.clone()));
    Ok(Backends { queue, store, settings })
}

/// Tells the user why the command hangs while the queue refuses jobs.
async fn report_when_blocked(queue: Arc<dyn Queue>) {
    let mut is_reported = false;
    loop {
        let blocked = queue.blocked();
        match &blocked {
            Some(why) if !is_reported => eprint_line(&format!("spotifai: {why}; waiting for it to end")),
            None if is_reported => eprint_line("spotifai: the queue accepts jobs again"),
            _ => {}
        }
        is_reported = blocked.is_some();
        tokio::time::sleep(BLOCKED_POLL_INTERVAL).await;
    }
}

/// Opens only the queue.
pub async fn queue(settings: &Settings) -> anyhow::Result<Arc<dyn Queue>> {
    let queue = host::open_queue(settings).await.map_err(|error| match error {
        QueueError::Unavailable { .. } => out_of_reach(&error, "SPOTIFAI_QUEUE"),
        error => error.into(),
    })?;
    queue.register_kinds(&programs::kind_names());
    Ok(queue)
}

/// Opens only the store.
pub async fn store(settings: &Settings) -> anyhow::Result<Arc<dyn Store>> {
    host::open_store(settings).await.map_err(|error| match error {
        StoreError::Unavailable { .. } => out_of_reach(&error, "SPOTIFAI_STORE"),
        error => error.into(),
    })
}

/// The shared store with a temporary queue that only this command uses. A foreground command therefore does its own work and
/// nobody else's, and leaves no jobs behind if interrupted: its results are in the store.
pub struct PrivateQueue {
    /// The store and the queue.
    pub backends: Backends,
    // Declared after the queue, so that the queue is closed before its folder is removed.
    _folder: TempDir,
}

impl PrivateQueue {
    /// An empty queue.
    pub async fn open(store: Arc<dyn Store>, settings: Settings) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("cannot create a temporary folder for this command's jobs")?;
        let queue = queue::open(&format!("sqlite:{}", folder.path().join("queue.db").display()), None).await?;
        Ok(Self { backends: Backends { queue, store, settings }, _folder: folder })
    }
}

fn out_of_reach(error: &impl std::fmt::Display, variable: &str) -> anyhow::Error {
    anyhow!("{error}; start it, or set {variable} to its address (`spotifai doctor` checks everything)")
}
