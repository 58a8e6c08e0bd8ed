//! Searches that others left unfinished, named where another one begins.

use host::Backends;
use model::search::{Search, SearchInfo};

use super::standing::{State, at_work};
use crate::fleet;
use crate::output::{thousands, warn};

/// Letters of an id that people are shown: what they paste back is looked up by its beginning.
const ID_LETTERS: usize = 12;

/// Says on standard error which open searches are this one by another id, from another version of this program.
pub async fn name_same(backends: &Backends, search: &Search) -> anyhow::Result<()> {
    for info in open_but(backends, &search.id).await? {
        if is_same(backends, &info, search).await? {
            let (id, left) = (short(&info), what_is_left(backends, &info).await?);
            warn(&format!(
                "search {id} has the same data and settings, but was started by another version of this program and is \
                 unfinished ({left}): that version resumes it, `spotifai search cancel {id}` ends it; this search, {}, does not \
                 take up its trials",
                search.id
            ));
        }
    }
    Ok(())
}

/// Says on standard error which searches but this one were begun and are neither finished nor cancelled nor under way: the
/// newest, and how many more.
pub async fn name_others(backends: &Backends, search: &Search) -> anyhow::Result<()> {
    let alive = fleet::alive(backends.store.workers().await?);
    let mut others = Vec::new();
    for info in open_but(backends, &search.id).await? {
        if at_work(&alive, &info.id).is_empty() && !is_same(backends, &info, search).await? {
            others.push(info);
        }
    }
    if let Some(newest) = others.first() {
        let more = match others.len() - 1 {
            0 => String::new(),
            1 => "; `spotifai search list` shows one more".to_owned(),
            more => format!("; `spotifai search list` shows {} more", thousands(more)),
        };
        let (id, left) = (short(newest), what_is_left(backends, newest).await?);
        warn(&format!(
            "search {id} is unfinished ({left}): the command that started it resumes it, `spotifai search cancel {id}` ends \
             it{more}"
        ));
    }
    Ok(())
}

/// The open searches but one, newest first.
async fn open_but(backends: &Backends, search: &str) -> anyhow::Result<Vec<SearchInfo>> {
    let mut open = Vec::new();
    for info in backends.store.searches().await?.into_iter().filter(|info| info.id != search) {
        if State::of(&info, backends.store.model(&info.id).await?.is_some()) == State::Open {
            open.push(info);
        }
    }
    Ok(open)
}

/// Whether a search is of the same data and settings as another.
async fn is_same(backends: &Backends, info: &SearchInfo, search: &Search) -> anyhow::Result<bool> {
    // What is known without reading megabytes of settings.
    let sizes = (info.settings, info.folds, &info.dataset);
    if sizes != (search.settings.len(), search.folds, &search.dataset) {
        return Ok(false);
    }
    let asked = |of: &Search| (of.seed, of.thresholds);
    let other = backends.store.search(&info.id).await?;
    Ok(other.is_some_and(|other| asked(&other) == asked(search) && other.settings == search.settings))
}

/// The beginning of an id that people are shown.
fn short(info: &SearchInfo) -> String {
    info.id.chars().take(ID_LETTERS).collect()
}

async fn what_is_left(backends: &Backends, info: &SearchInfo) -> anyhow::Result<String> {
    let finished = backends.store.finished_trials(&info.id, None).await?;
    let blocks = backends.store.search(&info.id).await?.map_or(Vec::new(), |search| search.blocks);
    let left = blocks.iter().filter(|block| !grid_worker::is_finished(block, &finished)).count();
    Ok(match left {
        0 => "all its blocks are done, but its winner was not refitted".to_owned(),
        left => format!("{} of its {} blocks to go", thousands(left), thousands(blocks.len())),
    })
}
