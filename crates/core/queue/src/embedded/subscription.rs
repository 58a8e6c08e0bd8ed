//! Taking jobs and ending them.

use std::iter;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use model::Timestamp;
use model::job::Envelope;
use sqlite::rusqlite::{Connection, Error};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::Shared;
use super::jobs::{self, Message, Wanted};
use super::keeper::{Claimed, Order, Returned, Unasked, Way};
use super::lease::{Lease, LeaseId, lock};
use super::{dead, failed};
use crate::{Acker, Delivery, Outcome, QueueError, Subscription};

/// How often an idle subscription looks for what other processes published, and for what is due.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Jobs of one claim at most.
const CLAIM: usize = 256;

/// Jobs of some kinds, taken from the file.
pub(super) struct Taker {
    wanted: Wanted,
    slots: Arc<Semaphore>,
    unasked: Arc<Mutex<Unasked>>,
    // Behind `unasked`, whose jobs are handed back before the last one of these closes the queue.
    shared: Arc<Shared>,
}

impl Taker {
    pub(super) fn new(shared: Arc<Shared>, wanted: Wanted, slots: usize) -> Self {
        let orders = shared.keeper.orders();
        let unasked = Arc::new(Mutex::new(Unasked::new([], orders.clone())));
        let _ = orders.send(Order::Watch(Arc::downgrade(&unasked)));
        Self { wanted, slots: Arc::new(Semaphore::new(slots)), unasked, shared }
    }

    /// Waits for a free slot; takes others that are free too.
    async fn free_slots(&self) -> Vec<OwnedSemaphorePermit> {
        let first = self.slots.clone().acquire_owned().await.expect("it is never closed");
        let more = iter::from_fn(|| self.slots.clone().try_acquire_owned().ok());
        iter::once(first).chain(more).take(CLAIM).collect()
    }

    /// Claims a job for each of `slots` as far as there are any. Where this future is dropped half-way the result is
    /// dropped too, and [`Unasked`] hands it back.
    async fn claim(&self, slots: Vec<OwnedSemaphorePermit>) -> Result<Unasked, QueueError> {
        let (wanted, length) = (self.wanted.clone(), self.shared.lease_length);
        let (leases, orders) = (self.shared.leases.clone(), self.shared.keeper.orders());
        let claim = move |c: &Connection| {
            let now = Timestamp::now();
            jobs::renew(c, &leases.overdue(), now + length)?;
            let rows = jobs::claim(c, &wanted, slots.len(), length, now)?;
            let claimed = rows.into_iter().zip(slots).map(|(row, slot)| Claimed {
                lease: leases.hold(row.id),
                kind: row.kind,
                lost: row.lost,
                payload: row.payload,
                slot,
            });
            Ok(Unasked::new(claimed, orders))
        };
        self.shared.db.write(claim).await.map_err(|error| failed(&self.shared.db, &error))
    }

    async fn wait_for_work(&self) -> Result<(), QueueError> {
        loop {
            // Registered before looking, or what is published in between is missed.
            let published = self.shared.published.notified();
            let wanted = self.wanted.clone();
            let look = self.shared.db.read(move |c| jobs::is_work(c, &wanted, Timestamp::now()));
            if look.await.map_err(|error| failed(&self.shared.db, &error))? {
                return Ok(());
            }
            let _ = timeout(LOOK_AGAIN, published).await;
        }
    }

    fn deliver(&self, job: Claimed) -> Delivery {
        let finish = Taken { lease: job.lease, shared: self.shared.clone(), slot: job.slot };
        Delivery::new(job.kind, &job.payload, job.lost, Box::new(finish))
    }
}

#[async_trait]
impl Subscription for Taker {
    async fn next(&mut self) -> Result<Delivery, QueueError> {
        loop {
            let asked = lock(&self.unasked).pop();
            if let Some(job) = asked {
                return Ok(self.deliver(job));
            }
            let slots = self.free_slots().await;
            let claimed = self.claim(slots).await?;
            if claimed.is_empty() {
                self.wait_for_work().await?;
            } else {
                *lock(&self.unasked) = claimed;
            }
        }
    }
}

/// A job in the hands of a worker. Its lease is renewed and its slot taken for as long as this lives.
struct Taken {
    lease: Lease,
    shared: Arc<Shared>,
    slot: OwnedSemaphorePermit,
}

#[async_trait]
impl Acker for Taken {
    async fn finish(self: Box<Self>, end: Outcome) -> Result<(), QueueError> {
        let Self { lease, shared, slot } = *self;
        let (id, now) = (lease.id, Timestamp::now());
        let ended = match end {
            Outcome::Done(follow_ups) => {
                let follow_ups = Message::all(&follow_ups);
                shared.db.write(move |c| done(c, id, &follow_ups)).await
            }
            Outcome::Retry { after, reason } => shared.db.write(move |c| retry(c, id, after, &reason, now)).await,
            Outcome::Dead { reason } => shared.db.write(move |c| dead::bury(c, id, &reason, now)).await,
            Outcome::Release => shared.db.write(move |c| jobs::release(c, id)).await,
            Outcome::Postpone { after } => shared.db.write(move |c| jobs::postpone(c, id, now + after)).await,
        };
        let good = match ended.map_err(|error| failed(&shared.db, &error)) {
            Ok(good) => good,
            Err(error) => {
                // The worker is not lost, and the job not to blame.
                let returned = Returned { lease, _slot: slot, way: Way::Later };
                let _ = shared.keeper.orders().send(Order::HandBack(vec![returned]));
                return Err(error);
            }
        };
        shared.published.notify_waiters();
        if good { Ok(()) } else { Err(QueueError::Stale) }
    }
}

/// Acknowledges the job and publishes what follows from it, in one step.
fn done(c: &Connection, id: LeaseId, follow_ups: &[Message]) -> Result<bool, Error> {
    let good = jobs::delete(c, id)?;
    if good && !follow_ups.is_empty() {
        jobs::insert(c, follow_ups)?;
    }
    Ok(good)
}

/// Counts the attempt in the envelope. A message that has none is put back as it is.
fn retry(c: &Connection, id: LeaseId, after: Duration, reason: &str, now: Timestamp) -> Result<bool, Error> {
    let Some((_, payload)) = jobs::leased(c, id)? else { return Ok(false) };
    let payload = Envelope::parse(&payload).map_or(payload, |job| job.failed(now, reason).to_bytes());
    jobs::put_back(c, id, &payload, now + after)?;
    Ok(true)
}
