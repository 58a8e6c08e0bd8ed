//! Why a search produced no model.

use host::Backends;

/// Why a search has no model after all its jobs ended.
pub async fn reason(backends: &Backends, search: &str) -> anyhow::Result<String> {
    if backends.store.search_info(search).await?.is_some_and(|info| info.cancelled_at.is_some()) {
        return Ok(format!("{search} was cancelled; finished fits are kept, and the same command resumes it"));
    }
    let reason = dead_job_reason(backends, search).await?;
    Ok(reason.unwrap_or_else(|| "its jobs did not finish; run the same command again to resume".to_owned()))
}

/// The reason of the newest dead job of a search.
pub async fn dead_job_reason(backends: &Backends, search: &str) -> anyhow::Result<Option<String>> {
    let letters = backends.queue.dead_letters(None).await?;
    let belongs = |key: &Option<String>| key.as_ref().is_some_and(|key| key.starts_with(search));
    Ok(letters.into_iter().rev().find(|letter| belongs(&letter.key)).map(|letter| letter.reason))
}
