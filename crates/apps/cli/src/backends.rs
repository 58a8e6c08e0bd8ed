//! The two doors, opened for a command that a person waits for: what is out of reach comes with the way out.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use host::Backends;
use model::settings::Settings;
use queue::{Queue, QueueError};
use store::{Store, StoreError};
use tempfile::TempDir;

use crate::output::tell;
use crate::programs;

/// How often a command looks whether the queue accepts its jobs.
const LOOK: Duration = Duration::from_millis(250);

/// Opens queue and store.
///
/// # Errors
/// Where a server is out of reach, or cannot be used: one line, without credentials, with the way out.
pub async fn open(settings: Settings) -> anyhow::Result<Backends> {
    let (queue, store) = tokio::try_join!(queue(&settings), store(&settings))?;
    tokio::spawn(say_when_blocked(queue.clone()));
    Ok(Backends { queue, store, settings })
}

/// Says why a command waits whose jobs the queue does not accept.
async fn say_when_blocked(queue: Arc<dyn Queue>) {
    let mut is_said = false;
    loop {
        let blocked = queue.blocked();
        match &blocked {
            Some(why) if !is_said => tell(&format!("spotifai: {why}; waiting until it ends")),
            None if is_said => tell("spotifai: the queue accepts jobs again"),
            _ => {}
        }
        is_said = blocked.is_some();
        tokio::time::sleep(LOOK).await;
    }
}

/// Opens the queue alone.
pub async fn queue(settings: &Settings) -> anyhow::Result<Arc<dyn Queue>> {
    let queue = host::open_queue(settings).await.map_err(|error| match error {
        QueueError::Unavailable { .. } => out_of_reach(&error, "SPOTIFAI_QUEUE"),
        error => error.into(),
    })?;
    queue.register_kinds(&programs::names());
    Ok(queue)
}

/// Opens the store alone.
pub async fn store(settings: &Settings) -> anyhow::Result<Arc<dyn Store>> {
    host::open_store(settings).await.map_err(|error| match error {
        StoreError::Unavailable { .. } => out_of_reach(&error, "SPOTIFAI_STORE"),
        error => error.into(),
    })
}

/// The store of everybody with a queue of this command alone. Nobody else's jobs wait there, so a command in the
/// foreground does its own work and no other, and an interrupted one leaves no job behind: what it has done is in the store.
pub struct OwnQueue {
    /// The store and the queue.
    pub backends: Backends,
    // Behind the queue, which is closed before its folder is removed.
    _folder: TempDir,
}

impl OwnQueue {
    /// An empty queue.
    pub async fn open(store: Arc<dyn Store>, settings: Settings) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder for the jobs of this command")?;
        let queue = queue::open(&format!("sqlite:{}", folder.path().join("queue.db").display()), None).await?;
        Ok(Self { backends: Backends { queue, store, settings }, _folder: folder })
    }
}

fn out_of_reach(error: &impl std::fmt::Display, variable: &str) -> anyhow::Error {
    anyhow!("{error}; start it, or set {variable} to where it runs (`spotifai doctor` checks everything)")
}
