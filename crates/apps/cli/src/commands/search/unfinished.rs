//! Searches that others left unfinished, named where another one begins.

use model::search::SearchInfo;
use worker::Home;

use super::standing::{State, at_work};
use crate::fleet;
use crate::output::{thousands, warn};

/// Letters of an id that people are shown: what they paste back is looked up by its beginning.
const ID_LETTERS: usize = 12;

/// Says on standard error which searches but this one were begun and are neither finished nor cancelled nor under way: the
/// newest, and how many more.
pub async fn name_others(home: &Home, search: &str) -> anyhow::Result<()> {
    let alive = fleet::alive(home.store.workers().await?);
    let mut others = Vec::new();
    for info in home.store.searches().await?.into_iter().filter(|info| info.id != search) {
        let is_open = State::of(&info, home.store.model(&info.id).await?.is_some()) == State::Open;
        if is_open && at_work(&alive, &info.id).is_empty() {
            others.push(info);
        }
    }
    if let Some(newest) = others.first() {
        warn(&line(home, newest, others.len() - 1).await?);
    }
    Ok(())
}

async fn line(home: &Home, info: &SearchInfo, more: usize) -> anyhow::Result<String> {
    let finished = home.store.finished_trials(&info.id, None).await?;
    let blocks = home.store.search(&info.id).await?.map_or(Vec::new(), |search| search.blocks);
    let left = blocks.iter().filter(|block| !grid_worker::is_finished(block, &finished)).count();
    let id: String = info.id.chars().take(ID_LETTERS).collect();
    let more = match more {
        0 => String::new(),
        1 => "; one more: `spotifai search list`".to_owned(),
        more => format!("; {} more: `spotifai search list`", thousands(more)),
    };
    let what = match left {
        0 => "without its model, all its blocks finished and its winner not refitted".to_owned(),
        left => format!("with {} of its {} blocks unfinished", thousands(left), thousands(blocks.len())),
    };
    Ok(format!(
        "search {id} was left {what}: `spotifai search cancel {id}` ends it, the command that began it goes on with it{more}"
    ))
}
