//! Why a search has no model.

use host::Backends;

/// Why a search that was worked on has no model.
pub async fn why_given_up(backends: &Backends, search: &str) -> anyhow::Result<String> {
    if backends.store.search_info(search).await?.is_some_and(|info| info.cancelled_at.is_some()) {
        return Ok(format!("{search} was cancelled; finished trials stay, the same command goes on"));
    }
    let reason = why_dead(backends, search).await?;
    Ok(reason.unwrap_or_else(|| "its jobs came to no end; the same command goes on".to_owned()))
}

/// Why the newest dead job of a search is dead.
pub async fn why_dead(backends: &Backends, search: &str) -> anyhow::Result<Option<String>> {
    let letters = backends.queue.dead_letters(None).await?;
    let of_search = |key: &Option<String>| key.as_ref().is_some_and(|key| key.starts_with(search));
    Ok(letters.into_iter().rev().find(|letter| of_search(&letter.key)).map(|letter| letter.reason))
}
