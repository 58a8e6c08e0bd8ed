//! `spotifai search watch`.

use anyhow::bail;
use host::Backends;
use model::job::{JobBody, SearchBlockJob, SearchRefitJob};
use queue::KindStats;

use super::reasons::why_dead;
use super::show;
use super::standing::{Standing, State, Watched};
use crate::args::SearchWatchArgs;
use crate::fleet;
use crate::output::say;
use crate::watch::{self, View};

/// Looks, one after the other, that find a search with nothing left to wait for: jobs are on their way now and then.
const LOOKS: u32 = 3;

/// Follows a search until its model is there. One that will not get there by itself is an error.
pub async fn run(args: &SearchWatchArgs, backends: &Backends) -> anyhow::Result<()> {
    let mut watched = Watched::open(backends, args.search.as_deref(), args.top).await?;
    let (mut hopeless, mut model) = (0, None);
    watch::follow(args.json, async || {
        let standing = watched.look(backends).await?;
        if standing.state != State::Finished && standing.workers.is_empty() {
            hopeless = if is_hopeful(&standing, backends).await? { 0 } else { hopeless + 1 };
            if hopeless >= LOOKS {
                bail!(why_hopeless(&standing, backends).await?);
            }
        } else {
            hopeless = 0;
        }
        let view = View {
            text: show::text(&standing, &watched),
            json: serde_json::to_value(&standing)?,
            line: Some(standing.line(&watched.varied)),
        };
        let is_over = standing.model.is_some();
        model = standing.model;
        Ok((view, is_over))
    })
    .await?;
    match model {
        Some(model) if !args.json => say(&format!("\n{}", show::winner(&model, &watched))),
        _ => Ok(()),
    }
}

/// Whether some job may still bring the search forward.
async fn is_hopeful(standing: &Standing, backends: &Backends) -> anyhow::Result<bool> {
    if standing.state == State::Cancelled {
        return Ok(false);
    }
    let mut stats = backends.queue.stats().await?;
    fleet::fill_running(&mut stats, &fleet::alive(backends.store.workers().await?));
    let ours = |kind: &&KindStats| [SearchBlockJob::KIND, SearchRefitJob::KIND].contains(&kind.kind.as_str());
    Ok(stats.iter().filter(ours).any(|kind| !kind.is_idle()))
}

async fn why_hopeless(standing: &Standing, backends: &Backends) -> anyhow::Result<String> {
    let id = &standing.info.id;
    if standing.state == State::Cancelled {
        return Ok(format!("search {id} is cancelled; its finished trials stay, the same `search start` goes on"));
    }
    Ok(match why_dead(backends, id).await? {
        Some(reason) => format!("search {id} has dead jobs and no others: {reason}; see `spotifai dead list`"),
        None => format!("search {id} has no job left in the queue; the same `search start` publishes them again"),
    })
}
