//! Where jobs wait and results are kept.

use std::sync::Arc;

use model::settings::Settings;
use queue::Queue;
use store::Store;

/// The two doors, opened as the settings say.
#[derive(Clone)]
pub struct Home {
    /// Jobs.
    pub queue: Arc<dyn Queue>,
    /// Results.
    pub store: Arc<dyn Store>,
    /// What they were opened with.
    pub settings: Settings,
}

impl Home {
    /// Opens queue and store.
    pub async fn open(settings: Settings) -> anyhow::Result<Self> {
        let (queue, store) =
            tokio::try_join!(async { Ok::<_, anyhow::Error>(queue::open(&settings.queue).await?) }, async {
                Ok(store::open(&settings.store).await?)
            })?;
        Ok(Self { queue, store, settings })
    }
}
