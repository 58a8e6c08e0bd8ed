//! What Spotify blocks this app from reading about a track's audio, and what can be done without it.

use host::Backends;
use playlist_worker::Refusals;

use crate::output::{self, age};

/// "audio features and audio analyses (403: …)".
fn blocked_data(refusals: &Refusals) -> String {
    let names = [(&refusals.features, "audio features"), (&refusals.analysis, "audio analyses")];
    let refused: Vec<&str> = names.iter().filter(|(refusal, _)| refusal.is_some()).map(|(_, name)| *name).collect();
    let answer = refusals.iter().next().map(|refusal| format!(" ({})", refusal.detail));
    format!("{}{}", refused.join(" and "), answer.unwrap_or_default())
}

/// The refusals if they leave nothing to train on: all audio data is blocked and the store has none from before.
pub async fn leaving_nothing(backends: &Backends) -> store::Result<Option<Refusals>> {
    let refusals = Refusals::remembered(&*backends.store).await?;
    if !refusals.are_all() {
        return Ok(None);
    }
    let audio = backends.store.audio_counts().await?;
    Ok((audio.features == 0 && audio.pitches == 0).then_some(refusals))
}

/// One line: what is blocked, and the alternatives. `labels_only` is the command that collects tags only.
pub fn alternatives(refusals: &Refusals, labels_only: &str) -> String {
    format!(
        "Spotify blocks {} for this app, as for every app created after 2024-11-27, so there is nothing to train a model on. \
         What works today: `{labels_only}` collects tags only; `spotifai search run --data FILE` trains on a table with \
         features and labels; `spotifai demo --catalogue FILE` trains on an Exportify export with genres. An app created \
         before that date still has access: set its id as SPOTIFAI_SPOTIFY_CLIENT_ID",
        blocked_data(refusals)
    )
}

/// Warns about what will be missing.
pub fn warn(refusals: &Refusals) {
    let effect = match (&refusals.features, &refusals.analysis) {
        (None, None) => return,
        (Some(_), Some(_)) => {
            "tracks and tags are collected, but only tracks whose audio data is already stored become rows"
        }
        (Some(_), None) => "rows will lack the 13 audio features",
        (None, Some(_)) => "rows will have the 13 audio features but no pitches",
    };
    let since = refusals.iter().map(|refusal| age(refusal.checked_at)).next().unwrap_or_default();
    output::warn(&format!("Spotify blocks {} for this app (checked {since} ago): {effect}", blocked_data(refusals)));
}

/// Like [`warn`], from the refusals in the store.
pub async fn warn_remembered(backends: &Backends) -> store::Result<()> {
    warn(&Refusals::remembered(&*backends.store).await?);
    Ok(())
}
