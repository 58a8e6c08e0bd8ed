//! What Spotify refuses this app of a track's audio, in words, and what can be done without it.

use playlist_worker::Refusals;
use worker::Home;

use crate::output::age;

/// What is refused and since when: "audio features and audio analyses (it says: HTTP 403)".
pub fn named(refusals: &Refusals) -> String {
    let names = [(&refusals.features, "audio features"), (&refusals.analysis, "audio analyses")];
    let refused: Vec<&str> = names.iter().filter(|(refusal, _)| refusal.is_some()).map(|(_, name)| *name).collect();
    let said = refusals
        .iter()
        .next()
        .map(|refusal| format!(" (found out {} ago: {})", age(refusal.checked_at), refusal.detail));
    format!("{}{}", refused.join(" and "), said.unwrap_or_default())
}

/// The refusals, where there is nothing to train on: all audio is refused, and the store has none from before.
pub async fn in_vain(home: &Home) -> store::Result<Option<Refusals>> {
    let refusals = Refusals::remembered(&*home.store).await?;
    if !refusals.are_all() {
        return Ok(None);
    }
    let audio = home.store.audio_counts().await?;
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

/// What is missing where something is refused and there is something to train on, or only tags are wanted.
pub fn consequence(refusals: &Refusals) -> String {
    let effect = match (&refusals.features, &refusals.analysis) {
        (Some(_), Some(_)) => "only tracks whose audio the store has already can become rows",
        (Some(_), None) => "rows will lack the 13 audio features",
        _ => "rows will have the 13 audio features and no pitches",
    };
    format!("Spotify refuses this app {}: {effect}", named(refusals))
}
