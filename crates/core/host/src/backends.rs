//! Where jobs wait and results are kept.

use std::sync::Arc;

use anyhow::anyhow;
use model::settings::Settings;
use queue::{Queue, QueueError};
use runtime::{Outage, Until, Worker};
use store::{Store, StoreError};

use crate::{open_queue, open_store};

/// The two doors, opened as the settings say.
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
    /// Opens queue and store for somebody who waits, see [`open_queue`] and [`open_store`].
    ///
    /// # Errors
    /// When one of them cannot be reached, or can never be used as the settings say.
    pub async fn open(settings: Settings) -> anyhow::Result<Self> {
        let queue = async { anyhow::Ok(open_queue(&settings).await?) };
        let store = async { anyhow::Ok(open_store(&settings).await?) };
        let (queue, store) = tokio::try_join!(queue, store)?;
        Ok(Self { queue, store, settings })
    }

    /// Opens queue and store, however long it takes until both are there; `kept_out` is told why it takes long.
    ///
    /// # Errors
    /// When one of them can never be used as the settings say. With [`Until::Empty`] also where this machine's disk does not
    /// take them.
    pub async fn open_patiently(settings: Settings, until: Until, kept_out: impl Fn(&str)) -> anyhow::Result<Self> {
        let (queue_url, store_url) = (settings.queue.clone(), settings.store.clone());
        let management = settings.queue_management_url.clone();
        let failed = |closed: &Closed| {
            kept_out(&closed.why);
            closed.for_ever || closed.is_local && until == Until::Empty
        };
        let queue = reach(&failed, move || {
            let (url, management) = (queue_url.clone(), management.clone());
            async move { queue::open(&url, management.as_deref()).await.map_err(Closed::from) }
        });
        let store = reach(&failed, move || {
            let url = store_url.clone();
            async move { store::open(&url).await.map_err(Closed::from) }
        });
        let (queue, store) = tokio::try_join!(queue, store)?;
        Ok(Self { queue, store, settings })
    }

    /// A worker without any handler.
    pub fn worker(&self) -> Worker {
        Worker::new(self.queue.clone(), self.store.clone(), self.settings.worker.clone())
    }
}

/// Why a door did not open.
struct Closed {
    for_ever: bool,
    /// This machine's disk is the reason.
    is_local: bool,
    why: String,
}

impl From<QueueError> for Closed {
    fn from(error: QueueError) -> Self {
        let is_local = matches!(error, QueueError::Unwritable { .. });
        let for_ever = !is_local && !matches!(error, QueueError::Unavailable { .. });
        Self { for_ever, is_local, why: error.to_string() }
    }
}

impl From<StoreError> for Closed {
    fn from(error: StoreError) -> Self {
        let is_local = matches!(error, StoreError::Unwritable { .. });
        let for_ever = !is_local && !matches!(error, StoreError::Unavailable { .. });
        Self { for_ever, is_local, why: error.to_string() }
    }
}

/// Tries to open a door until it is open, or until `is_enough` says so of a failure. Each try is a task of its own, because a
/// driver's call that is dropped half-way can leave its connection unusable.
async fn reach<T, F>(is_enough: impl Fn(&Closed) -> bool, open: impl Fn() -> F) -> anyhow::Result<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Closed>> + Send + 'static,
{
    let outage = Outage::seen_by("start");
    loop {
        match tokio::spawn(open()).await? {
            Ok(opened) => {
                outage.over();
                return Ok(opened);
            }
            Err(closed) if is_enough(&closed) => return Err(anyhow!(closed.why)),
            Err(closed) => outage.wait(&closed.why).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    async fn reach_by(open: impl Fn(u32) -> Result<u32, Closed>) -> (Result<u32, String>, u32) {
        let tries = AtomicU32::new(0);
        let reached =
            reach(|closed| closed.for_ever, || std::future::ready(open(tries.fetch_add(1, Ordering::SeqCst)))).await;
        (reached.map_err(|error| error.to_string()), tries.load(Ordering::SeqCst))
    }

    #[tokio::test]
    async fn a_door_that_is_out_of_reach_is_tried_until_it_opens() {
        let closed = || Closed {
            for_ever: false,
            is_local: false,
            why: "the queue at broker is out of reach: nobody answers".into(),
        };
        assert_eq!(reach_by(|tries| if tries < 2 { Err(closed()) } else { Ok(tries) }).await, (Ok(2), 3));
    }

    #[tokio::test]
    async fn a_door_that_can_never_be_used_is_tried_once() {
        let refused = |_| Err(Closed { for_ever: true, is_local: false, why: "wrong password".into() });
        assert_eq!(reach_by(refused).await, (Err("wrong password".into()), 1));
    }
}
