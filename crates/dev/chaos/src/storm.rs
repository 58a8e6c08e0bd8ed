//! The run itself: work, events and garbage, until no work is left.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::bail;
use queue::{KindStats, Queue, QueueError};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::fleet::Fleet;
use crate::garbage::{Garbage, garbage};
use crate::plan::{Event, Plan};
use crate::world::World;

/// How long a worker may take after a server's return until it takes jobs again.
pub const MAX_RETURN_TIME: Duration = Duration::from_secs(5);

/// How long to wait for readiness, so as to report how much [`MAX_RETURN_TIME`] was exceeded.
const READINESS_TIMEOUT: Duration = Duration::from_secs(30);

/// Consecutive checks that must find all queues empty before the work counts as done: a job that moves between queues is in
/// none of the counts for a moment.
const EMPTY_CHECKS: usize = 5;

/// What was observed during a run.
#[derive(Default)]
pub struct Seen {
    /// For each return of a server: how long until every worker was ready, and which were last.
    pub returns: Vec<(Event, Duration, String)>,
    /// Messages that are not jobs, as published.
    pub garbage: Vec<Garbage>,
    /// Number of events so far.
    pub events: usize,
    /// How long the run took.
    pub took: Duration,
}

/// Carries out all planned events, and waits until the work is done.
pub async fn storm(world: &mut World, fleet: &Fleet, queue: &dyn Queue, plan: &Plan) -> anyhow::Result<Seen> {
    let random = StdRng::seed_from_u64(plan.seed ^ 0x6b69_6c6c);
    let begin = Instant::now();
    let mut seen = Seen::default();
    tokio::select! {
        error = fleet.keep_alive() => return Err(error),
        error = fleet.kill_at_random(random) => return Err(error),
        result = happen(world, fleet, queue, plan, &mut seen) => result?,
        () = tokio::time::sleep(plan.limit) => {
            let left = tokio::time::timeout(Duration::from_secs(10), queue.stats()).await;
            let left = left.map(|stats| stats.map(busy));
            bail!("the work was not done within {} s; left are {left:?}", plan.limit.as_secs());
        }
    }
    seen.took = begin.elapsed();
    Ok(seen)
}

async fn happen(
    world: &mut World,
    fleet: &Fleet,
    queue: &dyn Queue,
    plan: &Plan,
    seen: &mut Seen,
) -> anyhow::Result<()> {
    let mut events: VecDeque<(f64, Event)> = plan.events.iter().copied().collect();
    let mut litter: VecDeque<Garbage> = garbage(plan.garbage).into();
    let mut empty = 0;
    while !events.is_empty() || !litter.is_empty() || empty < EMPTY_CHECKS {
        tokio::time::sleep(Duration::from_millis(200)).await;
        // Events that are left when the work is done happen all the same.
        let progress = if empty >= EMPTY_CHECKS { 1.0 } else { world.progress() };
        while let Some(event) = events.pop_front_if(|(share, _)| *share <= progress) {
            let event = event.1;
            println!("{:>4.0} % {event:?}", progress * 100.0);
            if world.happen(event).await? {
                seen.returns.push(returned(fleet, event).await);
            }
            seen.events += 1;
        }
        // Evenly over the run, and never while the broker is gone: a message of unknown fate could not be counted.
        let due = (progress.min(1.0) * plan.garbage as f64).ceil() as usize;
        while seen.garbage.len() < due
            && let Some(garbage) = litter.pop_front()
        {
            world.publish(&garbage.queue(), &garbage.payload).await?;
            seen.garbage.push(garbage);
        }
        let is_empty = match queue.stats().await {
            Ok(stats) => stats.iter().all(KindStats::is_idle),
            // After a restart, the first request still uses the old connection.
            Err(QueueError::Unavailable { .. }) => false,
            Err(error) => return Err(error.into()),
        };
        empty = if is_empty { empty + 1 } else { 0 };
    }
    Ok(())
}

/// Measures how long the workers take after a server is back. No process is killed meanwhile.
async fn returned(fleet: &Fleet, event: Event) -> (Event, Duration, String) {
    let _peace = fleet.peace.lock().await;
    let (after, last) = fleet.ready_within(READINESS_TIMEOUT).await;
    println!("       all workers ready after {:.1} s, the last: {}", after.as_secs_f64(), last.join(", "));
    (event, after, last.join(", "))
}

/// The kinds that still have jobs.
fn busy(mut stats: Vec<KindStats>) -> Vec<KindStats> {
    stats.retain(|stats| !stats.is_idle());
    stats
}
