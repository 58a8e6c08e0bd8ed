//! Parts of the API that not every app may call.

use std::time::Duration;

use model::Timestamp;
use model::fleet::Capability;
use store::{Result, Store};

/// `audio-features`: refused to every app registered after 2024-11-27.
pub(crate) const AUDIO_FEATURES: &str = "spotify.audio-features";
/// `audio-analysis`: refused to the same apps.
pub(crate) const AUDIO_ANALYSIS: &str = "spotify.audio-analysis";
/// `artists`: deprecated, and it may go the same way.
pub(crate) const ARTISTS: &str = "spotify.artists";

/// How long a refusal is believed. Rights are given and taken by hand, so once a day is enough.
const BELIEVED: Duration = Duration::from_secs(24 * 3600);

/// What Spotify refuses this app of a track's audio, as found out within the last 24 hours.
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
    pub async fn remembered(store: &dyn Store) -> Result<Self> {
        let features = refusal(store, AUDIO_FEATURES).await?;
        Ok(Self { features, analysis: refusal(store, AUDIO_ANALYSIS).await? })
    }

    /// Whether nothing of the audio can be had.
    pub fn are_all(&self) -> bool {
        self.features.is_some() && self.analysis.is_some()
    }

    /// Those that there are.
    pub fn iter(&self) -> impl Iterator<Item = &Capability> {
        self.features.iter().chain(&self.analysis)
    }
}

/// Whether it was refused within the last 24 hours.
pub(crate) async fn was_refused(store: &dyn Store, name: &str) -> Result<bool> {
    Ok(refusal(store, name).await?.is_some())
}

async fn refusal(store: &dyn Store, name: &str) -> Result<Option<Capability>> {
    let known = store.capability(name).await?;
    Ok(known.filter(|known| !known.allowed && known.checked_at > Timestamp::now() - BELIEVED))
}

/// Notes that it was refused, with what Spotify said.
pub(crate) async fn refused(store: &dyn Store, name: &str, detail: &str) -> Result<()> {
    tracing::warn!(
        capability = name,
        "Spotify refuses this app {name}{}: tracks are collected without it, and it is asked for again in 24 hours: {detail}",
        if name == ARTISTS { "" } else { ", as it does every app made after 2024-11-27" }
    );
    save(store, name, false, detail).await
}

/// Notes that it is allowed, unless that is known.
pub(crate) async fn allowed(store: &dyn Store, name: &str) -> Result<()> {
    match store.capability(name).await? {
        Some(known) if known.allowed => Ok(()),
        _ => save(store, name, true, "").await,
    }
}

async fn save(store: &dyn Store, name: &str, allowed: bool, detail: &str) -> Result<()> {
    let (name, detail) = (name.to_owned(), detail.to_owned());
    store.save_capability(&Capability { name, allowed, detail, checked_at: Timestamp::now() }).await
}
