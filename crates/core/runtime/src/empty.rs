//! Waiting until nothing is left to do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::fleet::Heartbeat;
use queue::{KindStats, Queue, QueueError};
use store::{Store, StoreError};

use crate::WorkerError;
use crate::beat::{self, is_alive};
use crate::declines::Declines;
use crate::tally::Tally;

/// How often an idle worker looks.
const LOOK: Duration = Duration::from_millis(150);

/// Looks that must find nothing, one after the other: a queue may count its kinds one after the other, so that a job that
/// moves on meanwhile can be missed once.
const LOOKS: u32 = 2;

/// How long other workers must have done nothing. A queue may count running jobs late or not at all, but a worker says
/// within a second what it runs and what it ended.
const QUIET: Duration = Duration::from_millis(2_500);

/// What is seen of the work elsewhere: for each worker, the jobs it runs and the jobs it ended.
type Elsewhere = Vec<(String, usize, u64)>;

/// What is left of the kinds.
#[derive(Debug, PartialEq, Eq)]
enum Left {
    /// Jobs that may be run here or that run somewhere.
    Work,
    Nothing,
    /// Jobs that cannot be run here: how many, and why.
    Declined(u64, String),
}

/// Waits until the queue has no job of these kinds: none ready, none delayed, none running anywhere, since a running one
/// may publish more of them.
///
/// # Errors
/// [`WorkerError::Declined`] where there are some, and this process declines them all.
pub(crate) async fn wait_until_empty(
    queue: &dyn Queue,
    store: &dyn Store,
    me: &str,
    declines: &[Arc<Declines>],
    tally: &Tally,
) -> Result<(), WorkerError> {
    let kinds: Vec<&str> = declines.iter().map(|declines| declines.kind).collect();
    let (mut looks, mut since, mut seen) = (0, Instant::now(), (Left::Work, Elsewhere::new()));
    loop {
        tokio::time::sleep(LOOK).await;
        let left = if tally.is_busy() { Left::Work } else { look(queue, declines).await? };
        let elsewhere = match left {
            Left::Work => None,
            Left::Nothing if queue.has_exact_counts() => Some(Elsewhere::new()),
            _ => elsewhere(store, me, &kinds).await?,
        };
        let Some(now) = elsewhere.filter(|workers| workers.iter().all(|(_, running, _)| *running == 0)) else {
            looks = 0;
            continue;
        };
        let now = (left, now);
        if looks == 0 || now != seen {
            (looks, since, seen) = (0, Instant::now(), now);
        }
        looks += 1;
        if looks >= LOOKS && (seen.1.is_empty() || since.elapsed() > QUIET) {
            return match seen.0 {
                Left::Declined(jobs, reason) => Err(WorkerError::Declined { jobs, reason }),
                Left::Nothing | Left::Work => Ok(()),
            };
        }
    }
}

async fn look(queue: &dyn Queue, declines: &[Arc<Declines>]) -> Result<Left, WorkerError> {
    match queue.stats().await {
        Ok(stats) => Ok(left_of(&stats, declines)),
        Err(error @ QueueError::Unusable(_)) => Err(error.into()),
        Err(error @ QueueError::Unwritable { .. }) => Err(WorkerError::Local(error.to_string())),
        // The subscriptions say so already.
        Err(_) => Ok(Left::Work),
    }
}

fn left_of(stats: &[KindStats], declines: &[Arc<Declines>]) -> Left {
    let (mut jobs, mut reasons) = (0, Vec::new());
    if declines.iter().any(|declines| declines.are_handing_back()) {
        return Left::Work;
    }
    for declines in declines {
        let Some(left) = stats.iter().find(|stats| stats.kind == declines.kind && !stats.is_idle()) else { continue };
        let Some(reason) = declines.all_of(left) else { return Left::Work };
        jobs += left.ready + left.delayed;
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    if reasons.is_empty() { Left::Nothing } else { Left::Declined(jobs, reasons.join("; ")) }
}

/// The other live workers of these kinds; `None` where the store cannot tell.
async fn elsewhere(store: &dyn Store, me: &str, kinds: &[&str]) -> Result<Option<Elsewhere>, WorkerError> {
    let beats = match store.workers().await {
        Ok(beats) => beats,
        Err(error @ StoreError::Unusable(_)) => return Err(error.into()),
        Err(error @ StoreError::Unwritable { .. }) => return Err(WorkerError::Local(error.to_string())),
        Err(_) => return Ok(None),
    };
    let is_one = |beat: &Heartbeat| {
        is_alive(beat) && beat.id != me && beat.kinds.iter().any(|kind| kinds.contains(&kind.as_str()))
    };
    Ok(Some(beats.into_iter().filter(is_one).map(|beat| seen_of(beat, kinds)).collect()))
}

fn seen_of(beat: Heartbeat, kinds: &[&str]) -> (String, usize, u64) {
    let running = beat.running.iter().filter(|(kind, ..)| kinds.contains(&kind.as_str())).count();
    let ended = beat::ended(std::slice::from_ref(&beat), kinds);
    (beat.id, running, ended)
}
