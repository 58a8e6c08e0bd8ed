//! Where jobs wait and results are kept.

use std::sync::Arc;

use model::settings::Settings;
use queue::Queue;
use store::Store;

use crate::{Budgets, Context};

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
    ///
    /// # Errors
    /// When one of them is out of reach, or of no known kind.
    pub async fn open(settings: Settings) -> anyhow::Result<Self> {
        let (queue, store) = tokio::try_join!(
            async {
                Ok::<_, anyhow::Error>(queue::open(&settings.queue, settings.queue_management_url.as_deref()).await?)
            },
            async { Ok(store::open(&settings.store).await?) }
        )?;
        Ok(Self { queue, store, settings })
    }

    /// What handlers may use: the store, and the rate budgets with the rates of the settings.
    pub fn context(&self) -> Context {
        let rates = [("lastfm", self.settings.lastfm.rate), ("spotify", self.settings.spotify.rate)];
        Context { store: self.store.clone(), budgets: Budgets::new(self.store.clone(), rates) }
    }
}
