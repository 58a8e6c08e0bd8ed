//! Parts of the API that not every app may use.

use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use model::fleet::Capability;
use store::{Capabilities, Result};

/// Audio features: refused to every app registered after 2024-11-27.
pub(crate) const AUDIO_FEATURES: &str = "spotify.audio-features";
/// Audio analyses: refused to the same apps.
pub(crate) const AUDIO_ANALYSIS: &str = "spotify.audio-analysis";
/// Artists: deprecated, and may go the same way.
pub(crate) const ARTISTS: &str = "spotify.artists";

/// How long a refusal is valid. Permissions are granted by hand, so trying once a day is enough.
const REFUSAL_VALIDITY: Duration = Duration::from_secs(24 * 3600);

/// Which parts of a track's audio Spotify has refused to this app within the last 24 hours.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Refusals {
    /// The refusal of audio features.
    pub features: Option<Capability>,
    /// The refusal of audio analyses.
    pub analysis: Option<Capability>,
}

impl Refusals {
    /// The refusals that the store remembers.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn remembered(capabilities: &dyn Capabilities) -> Result<Self> {
        let features = refusal(capabilities, AUDIO_FEATURES).await?;
        Ok(Self { features, analysis: refusal(capabilities, AUDIO_ANALYSIS).await? })
    }

    /// Whether all of the audio is refused.
    pub fn are_all(&self) -> bool {
        self.features.is_some() && self.analysis.is_some()
    }

    /// All refusals.
    pub fn iter(&self) -> impl Iterator<Item = &Capability> {
        self.features.iter().chain(&self.analysis)
    }
}

/// What the store remembers of what Spotify allows this app.
#[derive(Clone)]
pub(crate) struct ApiAccess {
    capabilities: Arc<dyn Capabilities>,
}

impl ApiAccess {
    pub(crate) fn new(capabilities: Arc<dyn Capabilities>) -> Self {
        Self { capabilities }
    }

    /// Whether this was refused within the last 24 hours.
    pub(crate) async fn is_refused(&self, name: &str) -> Result<bool> {
        Ok(refusal(&*self.capabilities, name).await?.is_some())
    }

    /// Records that this was refused, with what Spotify said.
    pub(crate) async fn record_refusal(&self, name: &str, detail: &str) -> Result<()> {
        tracing::warn!(
            capability = name,
            "Spotify refuses this app {name}{}: tracks are collected without it; next try in 24 hours: {detail}",
            if name == ARTISTS { "" } else { ", as it does every app registered after 2024-11-27" }
        );
        self.save(name, false, detail).await
    }

    /// Records that this is allowed, unless that is known.
    pub(crate) async fn record_grant(&self, name: &str) -> Result<()> {
        match self.capabilities.capability(name).await? {
            Some(known) if known.allowed => Ok(()),
            _ => self.save(name, true, "").await,
        }
    }

    async fn save(&self, name: &str, allowed: bool, detail: &str) -> Result<()> {
        let (name, detail) = (name.to_owned(), detail.to_owned());
        self.capabilities.save_capability(&Capability { name, allowed, detail, checked_at: Timestamp::now() }).await
    }
}

async fn refusal(capabilities: &dyn Capabilities, name: &str) -> Result<Option<Capability>> {
    let known = capabilities.capability(name).await?;
    Ok(known.filter(|known| !known.allowed && known.checked_at > Timestamp::now() - REFUSAL_VALIDITY))
}
