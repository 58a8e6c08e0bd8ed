//! `spotifai search watch`.

use anyhow::bail;
use host::Backends;
use model::job::{JobBody, SearchBlockJob, SearchRefitJob};
use queue::KindStats;

use super::failure::dead_job_reason;
use super::show;
use super::status::{SearchMonitor, SearchState, SearchStatus};
use crate::args::SearchWatchArgs;
use crate::fleet;
use crate::output::print_line;
use crate::watch::{self, View};

/// Consecutive polls that must find no jobs before the search is called stalled: a job on its way between queue and worker is
/// briefly invisible.
const STALLED_POLLS: u32 = 3;

/// Follows a search until it has its model. A search that will not get there by itself is an error.
pub async fn run(args: &SearchWatchArgs, backends: &Backends) -> anyhow::Result<()> {
    let mut monitor = SearchMonitor::open(backends, args.search.as_deref(), args.top).await?;
    let (mut idle_polls, mut model) = (0, None);
    watch::follow(args.json, async || {
        let status = monitor.poll(backends).await?;
        if status.state != SearchState::Finished && status.workers.is_empty() {
            idle_polls = if has_jobs(&status, backends).await? { 0 } else { idle_polls + 1 };
            if idle_polls >= STALLED_POLLS {
                bail!(stall_reason(&status, backends).await?);
            }
        } else {
            idle_polls = 0;
        }
        let view = View {
            text: show::text(&status, &monitor),
            json: serde_json::to_value(&status)?,
            line: Some(status.line(&monitor.varied)),
        };
        let is_last = status.model.is_some();
        model = status.model;
        Ok((view, is_last))
    })
    .await?;
    match model {
        Some(model) if !args.json => print_line(&format!("\n{}", show::winner(&model, &monitor))),
        _ => Ok(()),
    }
}

/// Whether any job may still advance the search.
async fn has_jobs(status: &SearchStatus, backends: &Backends) -> anyhow::Result<bool> {
    if status.state == SearchState::Cancelled {
        return Ok(false);
    }
    let mut stats = backends.queue.stats().await?;
    fleet::fill_running(&mut stats, &fleet::alive(backends.store.workers().await?));
    let is_search = |kind: &&KindStats| [SearchBlockJob::KIND, SearchRefitJob::KIND].contains(&kind.kind.as_str());
    Ok(stats.iter().filter(is_search).any(|kind| !kind.is_idle()))
}

async fn stall_reason(status: &SearchStatus, backends: &Backends) -> anyhow::Result<String> {
    let id = &status.info.id;
    if status.state == SearchState::Cancelled {
        return Ok(format!("search {id} is cancelled; finished fits are kept, and the same `search start` resumes it"));
    }
    Ok(match dead_job_reason(backends, id).await? {
        Some(reason) => format!("search {id} has only dead jobs left: {reason}; see `spotifai dead list`"),
        None => format!("search {id} has no jobs left in the queue; run the same `search start` again to publish them"),
    })
}
