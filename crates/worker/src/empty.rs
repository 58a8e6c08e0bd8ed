//! Waiting until nothing is left to do.

use std::time::Duration;

use queue::{Queue, QueueError};

use crate::WorkerError;
use crate::tally::Tally;

/// How often an idle worker looks.
const LOOK: Duration = Duration::from_millis(150);

/// Waits until the queue has no job of these kinds: none ready, none delayed, none running anywhere, since a running one
/// may publish more of them.
pub(crate) async fn wait_until_empty(queue: &dyn Queue, kinds: &[String], tally: &Tally) -> Result<(), WorkerError> {
    let mut empty_looks = 0;
    // Twice, because a queue may count its kinds one after the other: a job that moves on meanwhile can be missed once.
    while empty_looks < 2 {
        tokio::time::sleep(LOOK).await;
        let is_empty = !tally.is_busy() && looks_empty(queue, kinds).await?;
        empty_looks = if is_empty { empty_looks + 1 } else { 0 };
    }
    Ok(())
}

async fn looks_empty(queue: &dyn Queue, kinds: &[String]) -> Result<bool, WorkerError> {
    match queue.stats().await {
        Ok(stats) => {
            let mut ours = stats.iter().filter(|stats| kinds.contains(&stats.kind));
            Ok(ours.all(queue::KindStats::is_idle))
        }
        Err(error @ QueueError::Unusable(_)) => Err(error.into()),
        // The subscriptions say so already.
        Err(_) => Ok(false),
    }
}
