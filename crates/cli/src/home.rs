//! The two doors, opened for a command that a person waits for.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use model::settings::{Settings, without_credentials};
use queue::{Queue, QueueError};
use store::{Store, StoreError};
use worker::Home;

/// How long a broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a store may take, which makes its indexes before it answers; one out of reach says so after four seconds.
const STORE_PATIENCE: Duration = Duration::from_secs(60);

/// Opens queue and store.
///
/// # Errors
/// Where a server is out of reach for five seconds, or cannot be used: one line, without credentials, with the way out.
pub async fn open(settings: Settings) -> anyhow::Result<Home> {
    let (queue, store) = tokio::try_join!(queue(&settings), store(&settings))?;
    Ok(Home { queue, store, settings })
}

/// Opens the queue alone.
pub async fn queue(settings: &Settings) -> anyhow::Result<Arc<dyn Queue>> {
    let (url, management) = (settings.queue.clone(), settings.queue_management_url.clone());
    let opened = answers(&settings.queue, PATIENCE, async move { queue::open(&url, management.as_deref()).await });
    match opened.await {
        Some(Err(error @ QueueError::Unavailable { .. })) => Err(out_of_reach(&error, "SPOTIFAI_QUEUE")),
        Some(Err(error)) => Err(error.into()),
        Some(Ok(queue)) => Ok(queue),
        None => {
            let error =
                QueueError::Unavailable { at: without_credentials(&settings.queue), cause: no_answer(PATIENCE) };
            Err(out_of_reach(&error, "SPOTIFAI_QUEUE"))
        }
    }
}

/// Opens the store alone.
pub async fn store(settings: &Settings) -> anyhow::Result<Arc<dyn Store>> {
    let url = settings.store.clone();
    match answers(&settings.store, STORE_PATIENCE, async move { store::open(&url).await }).await {
        Some(Err(error @ StoreError::Unavailable { .. })) => Err(out_of_reach(&error, "SPOTIFAI_STORE")),
        Some(Err(error)) => Err(error.into()),
        Some(Ok(store)) => Ok(store),
        None => {
            let error =
                StoreError::Unavailable { at: without_credentials(&settings.store), cause: no_answer(STORE_PATIENCE) };
            Err(out_of_reach(&error, "SPOTIFAI_STORE"))
        }
    }
}

/// What a server answers in time. A file is waited for: others may be writing to it for a while.
async fn answers<T: Send + 'static>(
    url: &str,
    patience: Duration,
    opening: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    if url.starts_with("sqlite:") {
        return Some(opening.await);
    }
    // A task of its own, because a driver's call that is dropped half-way can leave its connection unusable.
    tokio::time::timeout(patience, tokio::spawn(opening)).await.ok()?.ok()
}

fn no_answer(patience: Duration) -> String {
    format!("no answer within {} s", patience.as_secs())
}

fn out_of_reach(error: &impl std::fmt::Display, variable: &str) -> anyhow::Error {
    anyhow!("{error}; start it, or set {variable} to where it runs (`spotifai doctor` checks everything)")
}
