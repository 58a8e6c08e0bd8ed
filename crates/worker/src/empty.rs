//! Waiting until nothing is left to do.

use std::time::{Duration, Instant};

use model::Timestamp;
use model::fleet::WorkerBeat;
use queue::{KindStats, Queue, QueueError};
use store::{Store, StoreError};

use crate::WorkerError;
use crate::tally::Tally;

/// How often an idle worker looks.
const LOOK: Duration = Duration::from_millis(150);

/// Looks that must find nothing, one after the other: a queue may count its kinds one after the other, so that a job that
/// moves on meanwhile can be missed once.
const LOOKS: u32 = 2;

/// How long other workers must have done nothing. A queue may count running jobs late or not at all, but a worker says
/// within a second what it runs and what it ended.
const QUIET: Duration = Duration::from_millis(2_500);

/// A worker that did not beat for so long is gone.
const GONE: Duration = Duration::from_secs(15);

/// What is seen of the work elsewhere: for each worker, the jobs it runs and the jobs it ended.
type Elsewhere = Vec<(String, usize, u64)>;

/// Waits until the queue has no job of these kinds: none ready, none delayed, none running anywhere, since a running one
/// may publish more of them.
pub(crate) async fn wait_until_empty(
    queue: &dyn Queue,
    store: &dyn Store,
    me: &str,
    kinds: &[String],
    tally: &Tally,
) -> Result<(), WorkerError> {
    let (mut looks, mut since, mut seen) = (0, Instant::now(), Elsewhere::new());
    loop {
        tokio::time::sleep(LOOK).await;
        let elsewhere = match !tally.is_busy() && looks_empty(queue, kinds).await? {
            true => elsewhere(store, me, kinds).await?,
            false => None,
        };
        let Some(now) = elsewhere.filter(|workers| workers.iter().all(|(_, running, _)| *running == 0)) else {
            looks = 0;
            continue;
        };
        if looks == 0 || now != seen {
            (looks, since, seen) = (0, Instant::now(), now);
        }
        looks += 1;
        if looks >= LOOKS && (seen.is_empty() || since.elapsed() > QUIET) {
            return Ok(());
        }
    }
}

async fn looks_empty(queue: &dyn Queue, kinds: &[String]) -> Result<bool, WorkerError> {
    match queue.stats().await {
        Ok(stats) => Ok(stats.iter().filter(|stats| kinds.contains(&stats.kind)).all(KindStats::is_idle)),
        Err(error @ QueueError::Unusable(_)) => Err(error.into()),
        Err(error @ QueueError::Unwritable { .. }) => Err(WorkerError::Local(error.to_string())),
        // The subscriptions say so already.
        Err(_) => Ok(false),
    }
}

/// The other live workers of these kinds; `None` where the store cannot tell.
async fn elsewhere(store: &dyn Store, me: &str, kinds: &[String]) -> Result<Option<Elsewhere>, WorkerError> {
    let beats = match store.workers().await {
        Ok(beats) => beats,
        Err(error @ StoreError::Unusable(_)) => return Err(error.into()),
        Err(error @ StoreError::Unwritable { .. }) => return Err(WorkerError::Local(error.to_string())),
        Err(_) => return Ok(None),
    };
    let now = Timestamp::now();
    let is_one = |beat: &WorkerBeat| {
        let is_alive = now.after(beat.beat_at) < GONE;
        is_alive && beat.id != me && beat.kinds.iter().any(|kind| kinds.contains(kind))
    };
    Ok(Some(beats.into_iter().filter(is_one).map(|beat| seen_of(beat, kinds)).collect()))
}

fn seen_of(beat: WorkerBeat, kinds: &[String]) -> (String, usize, u64) {
    let running = beat.running.iter().filter(|(kind, ..)| kinds.contains(kind)).count();
    let counts = beat.counts.iter().filter(|(kind, _)| kinds.contains(kind));
    (beat.id, running, counts.map(|(_, counts)| counts.done + counts.retried + counts.dead).sum())
}
