//! Opening queue and store for a command: a server that does not answer in time is an error.

use std::sync::Arc;
use std::time::Duration;

use model::settings::{Settings, without_credentials};
use queue::{Queue, QueueError};
use store::{Store, StoreError};

/// How long a broker may take to answer.
const QUEUE_OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a store may take, which creates its indexes before it answers; the driver reports an unreachable one after four
/// seconds.
const STORE_OPEN_TIMEOUT: Duration = Duration::from_secs(60);

/// Opens the queue of the settings.
///
/// # Errors
/// [`QueueError::Unavailable`] if it does not answer within five seconds; otherwise as [`queue::open`].
pub async fn open_queue(settings: &Settings) -> Result<Arc<dyn Queue>, QueueError> {
    let (url, management) = (settings.queue.clone(), settings.queue_management_url.clone());
    let opened =
        in_time(&settings.queue, QUEUE_OPEN_TIMEOUT, async move { queue::open(&url, management.as_deref()).await });
    let silent =
        || QueueError::Unavailable { at: without_credentials(&settings.queue), cause: no_answer(QUEUE_OPEN_TIMEOUT) };
    opened.await.unwrap_or_else(|| Err(silent()))
}

/// Opens the store of the settings.
///
/// # Errors
/// [`StoreError::Unavailable`] if it does not answer within a minute; otherwise as [`store::open`].
pub async fn open_store(settings: &Settings) -> Result<Arc<dyn Store>, StoreError> {
    let url = settings.store.clone();
    let opened = in_time(&settings.store, STORE_OPEN_TIMEOUT, async move { store::open(&url).await });
    let silent =
        || StoreError::Unavailable { at: without_credentials(&settings.store), cause: no_answer(STORE_OPEN_TIMEOUT) };
    opened.await.unwrap_or_else(|| Err(silent()))
}

/// The result of opening a backend; `None` if its server does not answer in time. A file has no limit: others may be writing to
/// it for a while.
async fn in_time<T: Send + 'static>(
    url: &str,
    timeout: Duration,
    opening: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    if url.starts_with("sqlite:") {
        return Some(opening.await);
    }
    // A task of its own, because a driver's call that is dropped half-way can leave its connection unusable.
    tokio::time::timeout(timeout, tokio::spawn(opening)).await.ok()?.ok()
}

fn no_answer(timeout: Duration) -> String {
    format!("no answer within {} s", timeout.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_silent_server_is_given_up_and_a_file_is_waited_for() {
        let silent = in_time("amqp://broker/v", Duration::from_millis(10), std::future::pending::<()>());
        assert_eq!(silent.await, None);
        assert_eq!(in_time("sqlite:x.db", Duration::ZERO, tokio::task::yield_now()).await, Some(()));
    }
}
