//! What Spotify refuses this app of a track's audio, in words, and what can be done without it.

use host::Backends;
use playlist_worker::Refusals;

use crate::output::{age, warn};

/// "audio features and audio analyses (it says: HTTP 403)".
fn named(refusals: &Refusals) -> String {
    let names = [(&refusals.features, "audio features"), (&refusals.analysis, "audio analyses")];
    let refused: Vec<&str> = names.iter().filter(|(refusal, _)| refusal.is_some()).map(|(_, name)| *name).collect();
    let said = refusals.iter().next().map(|refusal| format!(" (it says: {})", refusal.detail));
    format!("{}{}", refused.join(" and "), said.unwrap_or_default())
}

/// The refusals, where there is nothing to train on: all audio is refused, and the store has none from before.
pub async fn in_vain(backends: &Backends) -> store::Result<Option<Refusals>> {
    let refusals = Refusals::remembered(&*backends.store).await?;
    if !refusals.are_all() {
        return Ok(None);
    }
    let audio = backends.store.audio_counts().await?;
    Ok((audio.features == 0 && audio.pitches == 0).then_some(refusals))
}

/// One line: what is refused, and what can be done today. `labels_only` is the command that does with tags alone.
pub fn way_out(refusals: &Refusals, labels_only: &str) -> String {
    format!(
        "Spotify refuses this app {}, as it does every app made after 2024-11-27, and without them there is nothing to train \
         a model on. What can be done today: `{labels_only}` collects the tags alone; `spotifai search run --data FILE` \
         trains on a table that has features and labels, `spotifai demo --catalogue FILE` on an Exportify export with genres; \
         an app made before that date, set as SPOTIFAI_SPOTIFY_CLIENT_ID, may ask for all",
        named(refusals)
    )
}

/// Says what will be missing, where something is refused.
pub fn warn_of(refusals: &Refusals) {
    let effect = match (&refusals.features, &refusals.analysis) {
        (None, None) => return,
        (Some(_), Some(_)) => {
            "tracks and tags are collected, and only tracks whose audio is in the store already become rows"
        }
        (Some(_), None) => "rows will lack the 13 audio features",
        (None, Some(_)) => "rows will have the 13 audio features and no pitches",
    };
    let since = refusals.iter().map(|refusal| age(refusal.checked_at)).next().unwrap_or_default();
    warn(&format!("Spotify refuses this app {}, as was found out {since} ago: {effect}", named(refusals)));
}

/// The same of what the store remembers.
pub async fn warn_of_remembered(backends: &Backends) -> store::Result<()> {
    warn_of(&Refusals::remembered(&*backends.store).await?);
    Ok(())
}
