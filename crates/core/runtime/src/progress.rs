//! Progress as lines of the log.

use std::convert::Infallible;
use std::time::Duration;

use model::fleet::JobCounts;
use queue::{KindStats, Queue};

use crate::counters::{CounterSnapshot, Counters};

/// How often there is a line, if something changed.
const LOG_INTERVAL: Duration = Duration::from_secs(5);

/// Logs forever what was done and what is waiting.
pub(crate) async fn log(queue: &dyn Queue, kinds: &[String], counters: &Counters) -> Infallible {
    let mut logged = counters.version();
    loop {
        tokio::time::sleep(LOG_INTERVAL).await;
        let snapshot = counters.snapshot();
        if snapshot.version != logged {
            logged = snapshot.version;
            tracing::info!("{}; {}", totals(&snapshot), waiting(queue, kinds).await);
        }
    }
}

/// The jobs that ended, of all kinds together.
pub(crate) fn totals(snapshot: &CounterSnapshot) -> String {
    let add = |sum: JobCounts, counts: &JobCounts| JobCounts {
        done: sum.done + counts.done,
        retried: sum.retried + counts.retried,
        dead: sum.dead + counts.dead,
    };
    let JobCounts { done, retried, dead } = snapshot.counts.values().fold(JobCounts::default(), add);
    format!("{done} done, {retried} retried, {dead} dead")
}

async fn waiting(queue: &dyn Queue, kinds: &[String]) -> String {
    let stats = match queue.stats().await {
        Ok(stats) => stats,
        Err(error) => return error.to_string(),
    };
    let stats = stats.iter().filter(|stats| kinds.contains(&stats.kind));
    let line = |stats: &KindStats| {
        let delayed = if stats.delayed == 0 { String::new() } else { format!(" (+{} delayed)", stats.delayed) };
        format!("{} {}{delayed}", stats.kind, stats.ready)
    };
    format!("waiting: {}", stats.map(line).collect::<Vec<_>>().join(", "))
}
