//! The backends of a process: where jobs wait and results are kept.

use std::sync::Arc;

use anyhow::anyhow;
use model::settings::Settings;
use queue::{Queue, QueueError};
use runtime::{Outage, Until, Worker};
use store::{Store, StoreError};

use crate::{open_queue, open_store};

/// Queue and store, opened as the settings say.
#[derive(Clone)]
pub struct Backends {
    /// Jobs.
    pub queue: Arc<dyn Queue>,
    /// Results.
    pub store: Arc<dyn Store>,
    /// What they were opened with.
    pub settings: Settings,
}

impl Backends {
    /// Opens queue and store for a command, which does not wait for long; see [`open_queue`] and [`open_store`].
    ///
    /// # Errors
    /// When one of them cannot be reached, or can never be used as the settings say.
    pub async fn open(settings: Settings) -> anyhow::Result<Self> {
        let queue = async { anyhow::Ok(open_queue(&settings).await?) };
        let store = async { anyhow::Ok(open_store(&settings).await?) };
        let (queue, store) = tokio::try_join!(queue, store)?;
        Ok(Self { queue, store, settings })
    }

    /// Opens queue and store, retrying until both are reachable; `on_failure` is told why each try failed.
    ///
    /// # Errors
    /// When one of them can never be used as the settings say. With [`Until::Empty`] also when this machine's disk does not
    /// accept their files.
    pub async fn open_with_retries(
        settings: Settings,
        until: Until,
        on_failure: impl Fn(&str),
    ) -> anyhow::Result<Self> {
        let (queue_url, store_url) = (settings.queue.clone(), settings.store.clone());
        let management = settings.queue_management_url.clone();
        let is_final = |failure: &OpenFailure| {
            on_failure(&failure.message);
            failure.is_permanent || failure.is_local && until == Until::Empty
        };
        let queue = retry(&is_final, move || {
            let (url, management) = (queue_url.clone(), management.clone());
            async move { queue::open(&url, management.as_deref()).await.map_err(OpenFailure::from) }
        });
        let store = retry(&is_final, move || {
            let url = store_url.clone();
            async move { store::open(&url).await.map_err(OpenFailure::from) }
        });
        let (queue, store) = tokio::try_join!(queue, store)?;
        Ok(Self { queue, store, settings })
    }

    /// A worker without handlers.
    pub fn worker(&self) -> Worker {
        Worker::new(self.queue.clone(), self.store.clone(), self.settings.worker.clone())
    }
}

/// Why a backend could not be opened.
struct OpenFailure {
    is_permanent: bool,
    /// The reason is this machine's disk.
    is_local: bool,
    message: String,
}

impl From<QueueError> for OpenFailure {
    fn from(error: QueueError) -> Self {
        let is_local = matches!(error, QueueError::Unwritable { .. });
        let is_permanent = !is_local && !matches!(error, QueueError::Unavailable { .. });
        Self { is_permanent, is_local, message: error.to_string() }
    }
}

impl From<StoreError> for OpenFailure {
    fn from(error: StoreError) -> Self {
        let is_local = matches!(error, StoreError::Unwritable { .. });
        let is_permanent = !is_local && !matches!(error, StoreError::Unavailable { .. });
        Self { is_permanent, is_local, message: error.to_string() }
    }
}

/// Tries to open a backend until that succeeds, or until a failure `is_final`. Each try is a task of its own, because a driver's
/// call that is dropped half-way can leave its connection unusable.
async fn retry<T, F>(is_final: impl Fn(&OpenFailure) -> bool, open: impl Fn() -> F) -> anyhow::Result<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T, OpenFailure>> + Send + 'static,
{
    let outage = Outage::seen_by("start");
    loop {
        match tokio::spawn(open()).await? {
            Ok(opened) => {
                outage.end();
                return Ok(opened);
            }
            Err(failure) if is_final(&failure) => return Err(anyhow!(failure.message)),
            Err(failure) => outage.wait(&failure.message).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    async fn open_with(open: impl Fn(u32) -> Result<u32, OpenFailure>) -> (Result<u32, String>, u32) {
        let tries = AtomicU32::new(0);
        let try_once = || std::future::ready(open(tries.fetch_add(1, Ordering::SeqCst)));
        let opened = retry(|failure| failure.is_permanent, try_once).await;
        (opened.map_err(|error| error.to_string()), tries.load(Ordering::SeqCst))
    }

    #[tokio::test]
    async fn an_unreachable_backend_is_tried_until_it_opens() {
        let unreachable = || OpenFailure {
            is_permanent: false,
            is_local: false,
            message: "the queue at broker is unreachable: nobody answers".into(),
        };
        assert_eq!(open_with(|tries| if tries < 2 { Err(unreachable()) } else { Ok(tries) }).await, (Ok(2), 3));
    }

    #[tokio::test]
    async fn a_backend_that_can_never_be_used_is_tried_once() {
        let refused = |_| Err(OpenFailure { is_permanent: true, is_local: false, message: "wrong password".into() });
        assert_eq!(open_with(refused).await, (Err("wrong password".into()), 1));
    }
}
