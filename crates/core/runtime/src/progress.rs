//! Progress as lines of a log.

use std::convert::Infallible;
use std::time::Duration;

use model::fleet::JobCounts;
use queue::Queue;

use crate::tally::{State, Tally};

/// How often there is a line, when something changed.
const LINE: Duration = Duration::from_secs(5);

/// Logs for ever what was done and what is waiting.
pub(crate) async fn log(queue: &dyn Queue, kinds: &[String], tally: &Tally) -> Infallible {
    let mut seen = tally.version();
    loop {
        tokio::time::sleep(LINE).await;
        let state = tally.snapshot();
        if state.version != seen {
            seen = state.version;
            tracing::info!("{}; {}", counted(&state), waiting(queue, kinds).await);
        }
    }
}

/// All jobs that ended, of whatever kind.
pub(crate) fn counted(state: &State) -> String {
    let JobCounts { done, retried, dead } = state.counts.values().fold(JobCounts::default(), |sum, counts| JobCounts {
        done: sum.done + counts.done,
        retried: sum.retried + counts.retried,
        dead: sum.dead + counts.dead,
    });
    format!("{done} done, {retried} retried, {dead} dead")
}

async fn waiting(queue: &dyn Queue, kinds: &[String]) -> String {
    let stats = match queue.stats().await {
        Ok(stats) => stats,
        Err(error) => return error.to_string(),
    };
    let ours = stats.iter().filter(|stats| kinds.contains(&stats.kind));
    let line = |stats: &queue::KindStats| {
        let delayed = if stats.delayed == 0 { String::new() } else { format!(" (+{} later)", stats.delayed) };
        format!("{} {}{delayed}", stats.kind, stats.ready)
    };
    format!("waiting: {}", ours.map(line).collect::<Vec<_>>().join(", "))
}
