//! Waiting until no jobs are left.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::fleet::Heartbeat;
use queue::{KindStats, Queue, QueueError};
use store::{Fleet, StoreError};

use crate::WorkerError;
use crate::counters::Counters;
use crate::decline_tracker::DeclineTracker;
use crate::heartbeat::{ended_jobs, is_alive};

/// How often an idle worker asks.
const POLL_INTERVAL: Duration = Duration::from_millis(150);

/// So many polls in a row must find nothing: a queue may count one kind after the other, and miss a job that moves from one
/// to the next meanwhile.
const MIN_EMPTY_POLLS: u32 = 2;

/// How long other workers must have done nothing. A queue may count running jobs late or not at all, but the heartbeats of a
/// worker say within a second what it runs and what it ended.
const QUIET_PERIOD: Duration = Duration::from_millis(2_500);

/// What the other workers do, by their heartbeats.
#[derive(Debug, PartialEq, Eq)]
struct OtherWorker {
    id: String,
    running: usize,
    ended: u64,
}

/// What is left of the kinds.
#[derive(Debug, PartialEq, Eq)]
enum RemainingJobs {
    /// Jobs that may be run here or that run somewhere.
    Runnable,
    None,
    /// Jobs that cannot be run here: how many, and why.
    Declined(u64, String),
}

/// Waits until the queue has no job of these kinds: none ready, none delayed, and none running anywhere, since a running job
/// may publish more of them.
///
/// # Errors
/// [`WorkerError::Declined`] if there are some and this process declines them all.
pub(crate) async fn wait_until_empty(
    queue: &dyn Queue,
    fleet: &dyn Fleet,
    worker_id: &str,
    declines: &[Arc<DeclineTracker>],
    counters: &Counters,
) -> Result<(), WorkerError> {
    let kinds: Vec<&str> = declines.iter().map(|declines| declines.kind).collect();
    let (mut polls, mut since, mut previous) = (0, Instant::now(), (RemainingJobs::Runnable, Vec::new()));
    loop {
        tokio::time::sleep(POLL_INTERVAL).await;
        let remaining =
            if counters.is_busy() { RemainingJobs::Runnable } else { remaining_jobs(queue, declines).await? };
        let others = match remaining {
            RemainingJobs::Runnable => None,
            RemainingJobs::None if queue.has_exact_counts() => Some(Vec::new()),
            _ => other_workers(fleet, worker_id, &kinds).await?,
        };
        let Some(others) = others.filter(|others| others.iter().all(|worker| worker.running == 0)) else {
            polls = 0;
            continue;
        };
        let current = (remaining, others);
        if polls == 0 || current != previous {
            (polls, since, previous) = (0, Instant::now(), current);
        }
        polls += 1;
        if polls >= MIN_EMPTY_POLLS && (previous.1.is_empty() || since.elapsed() > QUIET_PERIOD) {
            return match previous.0 {
                RemainingJobs::Declined(jobs, reason) => Err(WorkerError::Declined { jobs, reason }),
                RemainingJobs::None | RemainingJobs::Runnable => Ok(()),
            };
        }
    }
}

async fn remaining_jobs(queue: &dyn Queue, declines: &[Arc<DeclineTracker>]) -> Result<RemainingJobs, WorkerError> {
    match queue.stats().await {
        Ok(stats) => Ok(classify(&stats, declines)),
        Err(error @ QueueError::Unusable(_)) => Err(error.into()),
        Err(error @ QueueError::Unwritable { .. }) => Err(WorkerError::Local(error.to_string())),
        // The subscriptions say so already.
        Err(_) => Ok(RemainingJobs::Runnable),
    }
}

fn classify(stats: &[KindStats], declines: &[Arc<DeclineTracker>]) -> RemainingJobs {
    let (mut jobs, mut reasons) = (0, Vec::new());
    if declines.iter().any(|declines| declines.is_handing_back()) {
        return RemainingJobs::Runnable;
    }
    for declines in declines {
        let of_kind = stats.iter().find(|stats| stats.kind == declines.kind && !stats.is_idle());
        let Some(stats) = of_kind else { continue };
        let Some(reason) = declines.reason_for_all(stats) else { return RemainingJobs::Runnable };
        jobs += stats.ready + stats.delayed;
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    if reasons.is_empty() { RemainingJobs::None } else { RemainingJobs::Declined(jobs, reasons.join("; ")) }
}

/// The other live workers of these kinds; `None` if the store cannot tell.
async fn other_workers(
    fleet: &dyn Fleet,
    worker_id: &str,
    kinds: &[&str],
) -> Result<Option<Vec<OtherWorker>>, WorkerError> {
    let heartbeats = match fleet.workers().await {
        Ok(heartbeats) => heartbeats,
        Err(error @ StoreError::Unusable(_)) => return Err(error.into()),
        Err(error @ StoreError::Unwritable { .. }) => return Err(WorkerError::Local(error.to_string())),
        Err(_) => return Ok(None),
    };
    let is_other = |heartbeat: &Heartbeat| {
        let shares_kind = heartbeat.kinds.iter().any(|kind| kinds.contains(&kind.as_str()));
        is_alive(heartbeat) && heartbeat.id != worker_id && shares_kind
    };
    let others = heartbeats.into_iter().filter(is_other);
    Ok(Some(others.map(|heartbeat| other_worker(heartbeat, kinds)).collect()))
}

fn other_worker(heartbeat: Heartbeat, kinds: &[&str]) -> OtherWorker {
    let running = heartbeat.running.iter().filter(|(kind, ..)| kinds.contains(&kind.as_str())).count();
    let ended = ended_jobs(std::slice::from_ref(&heartbeat), kinds);
    OtherWorker { id: heartbeat.id, running, ended }
}
