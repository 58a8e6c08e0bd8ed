//! Warnings about unfinished searches when another one starts.

use host::Backends;
use model::search::{Search, SearchInfo};

use super::status::{SearchState, active_jobs};
use crate::fleet;
use crate::output::{counted, thousands, warn};

/// Characters of an id shown to people; ids are looked up by prefix.
const SHOWN_ID_CHARS: usize = 12;

/// Warns about open searches that are the same as this one but were started by another version of this program, under another
/// id.
pub async fn warn_about_other_versions(backends: &Backends, search: &Search) -> anyhow::Result<()> {
    for info in other_open(backends, &search.id).await? {
        if is_same(backends, &info, search).await? {
            let (id, left) = (short(&info), remaining_work(backends, &info).await?);
            warn(&format!(
                "search {id} has the same data and candidates, but was started by another version of this program and is \
                 unfinished ({left}): that version can resume it, and `spotifai search cancel {id}` ends it; this search, {}, \
                 does not reuse its fits",
                search.id
            ));
        }
    }
    Ok(())
}

/// Warns about other searches that are unfinished and that nobody works on: names the newest, counts the rest.
pub async fn warn_about_others(backends: &Backends, search: &Search) -> anyhow::Result<()> {
    let alive = fleet::alive(backends.store.workers().await?);
    let mut others = Vec::new();
    for info in other_open(backends, &search.id).await? {
        if active_jobs(&alive, &info.id).is_empty() && !is_same(backends, &info, search).await? {
            others.push(info);
        }
    }
    if let Some(newest) = others.first() {
        let more = match others.len() - 1 {
            0 => String::new(),
            1 => "; `spotifai search list` shows 1 more".to_owned(),
            more => format!("; `spotifai search list` shows {} more", thousands(more)),
        };
        let (id, left) = (short(newest), remaining_work(backends, newest).await?);
        warn(&format!(
            "search {id} is unfinished ({left}): the command that started it resumes it, and `spotifai search cancel {id}` \
             ends it{more}"
        ));
    }
    Ok(())
}

/// The open searches except this one, newest first.
async fn other_open(backends: &Backends, search: &str) -> anyhow::Result<Vec<SearchInfo>> {
    let mut open = Vec::new();
    for info in backends.store.searches().await?.into_iter().filter(|info| info.id != search) {
        if SearchState::of(&info, backends.store.model(&info.id).await?.is_some()) == SearchState::Open {
            open.push(info);
        }
    }
    Ok(open)
}

/// Whether two searches have the same data and candidates.
async fn is_same(backends: &Backends, info: &SearchInfo, search: &Search) -> anyhow::Result<bool> {
    // Compared first, without reading megabytes of candidates.
    let sizes = (info.settings, info.folds, &info.dataset);
    if sizes != (search.settings.len(), search.folds, &search.dataset) {
        return Ok(false);
    }
    let options = |search: &Search| (search.seed, search.thresholds);
    let other = backends.store.search(&info.id).await?;
    Ok(other.is_some_and(|other| options(&other) == options(search) && other.settings == search.settings))
}

/// The part of an id shown to people.
fn short(info: &SearchInfo) -> String {
    info.id.chars().take(SHOWN_ID_CHARS).collect()
}

async fn remaining_work(backends: &Backends, info: &SearchInfo) -> anyhow::Result<String> {
    let finished = backends.store.finished_trials(&info.id, None).await?;
    let blocks = backends.store.search(&info.id).await?.map_or(Vec::new(), |search| search.blocks);
    let left = blocks.iter().filter(|block| !grid_worker::is_finished(block, &finished)).count();
    Ok(match left {
        0 => "all its blocks are done, but the winner is not fitted yet".to_owned(),
        left => format!("{} of its {} left", thousands(left), counted(blocks.len(), "block")),
    })
}
