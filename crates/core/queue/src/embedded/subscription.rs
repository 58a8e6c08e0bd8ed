//! Claiming jobs, and finishing them.

use std::iter;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use model::Timestamp;
use model::job::Envelope;
use sqlite::rusqlite::{Connection, Error};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::QueueFile;
use super::jobs::{self, JobFilter, NewJob};
use super::lease::{Lease, LeaseId, lock};
use super::lease_renewer::{ClaimedJob, Command, Prefetched, ReturnMode, ReturnedJob};
use super::{dead_letters, failed};
use crate::{Acker, Delivery, Outcome, QueueError, Subscription};

/// How often an idle subscription looks for jobs that other processes published and for delayed jobs that are due.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Jobs per claim, so that a subscription with many slots does not hold up the other writers of the file.
const MAX_CLAIM_BATCH: usize = 256;

/// A subscription to jobs of some kinds.
pub(super) struct EmbeddedSubscription {
    filter: JobFilter,
    slots: Arc<Semaphore>,
    prefetched: Arc<Mutex<Prefetched>>,
    // Declared after `prefetched`, hence dropped after it: jobs are handed back before the queue is closed.
    file: Arc<QueueFile>,
}

impl EmbeddedSubscription {
    pub(super) fn new(file: Arc<QueueFile>, filter: JobFilter, slots: usize) -> Self {
        let commands = file.lease_renewer.commands();
        let prefetched = Arc::new(Mutex::new(Prefetched::new([], commands.clone())));
        let _ = commands.send(Command::Watch(Arc::downgrade(&prefetched)));
        Self { filter, slots: Arc::new(Semaphore::new(slots)), prefetched, file }
    }

    /// Waits for a free slot, and takes the others that are free, too.
    async fn free_slots(&self) -> Vec<OwnedSemaphorePermit> {
        let first = self.slots.clone().acquire_owned().await.expect("it is never closed");
        let more = iter::from_fn(|| self.slots.clone().try_acquire_owned().ok());
        iter::once(first).chain(more).take(MAX_CLAIM_BATCH).collect()
    }

    /// Claims up to one job per slot. If this future is dropped half-way, so is its result, and [`Prefetched`] hands the
    /// jobs back.
    async fn claim(&self, slots: Vec<OwnedSemaphorePermit>) -> Result<Prefetched, QueueError> {
        let (filter, lease_duration) = (self.filter.clone(), self.file.lease_duration);
        let (leases, commands) = (self.file.leases.clone(), self.file.lease_renewer.commands());
        let claim = move |c: &Connection| {
            let now = Timestamp::now();
            jobs::renew(c, &leases.overdue(), now + lease_duration)?;
            let rows = jobs::claim(c, &filter, slots.len(), lease_duration, now)?;
            let claimed = rows.into_iter().zip(slots).map(|(row, slot)| ClaimedJob {
                lease: leases.hold(row.id),
                kind: row.kind,
                lost: row.lost,
                payload: row.payload,
                slot,
            });
            Ok(Prefetched::new(claimed, commands))
        };
        self.file.db.write(claim).await.map_err(|error| failed(&self.file.db, &error))
    }

    async fn wait_for_jobs(&self) -> Result<(), QueueError> {
        loop {
            // Register before querying, or a job published in between is missed.
            let published = self.file.published.notified();
            let filter = self.filter.clone();
            let may_claim = self.file.db.read(move |c| jobs::may_claim(c, &filter, Timestamp::now()));
            if may_claim.await.map_err(|error| failed(&self.file.db, &error))? {
                return Ok(());
            }
            let _ = timeout(POLL_INTERVAL, published).await;
        }
    }

    fn deliver(&self, job: ClaimedJob) -> Delivery {
        let acker = LeaseAcker { lease: job.lease, file: self.file.clone(), slot: job.slot };
        Delivery::new(job.kind, &job.payload, job.lost, Box::new(acker))
    }
}

#[async_trait]
impl Subscription for EmbeddedSubscription {
    async fn next(&mut self) -> Result<Delivery, QueueError> {
        loop {
            let job = lock(&self.prefetched).pop();
            if let Some(job) = job {
                return Ok(self.deliver(job));
            }
            let slots = self.free_slots().await;
            let claimed = self.claim(slots).await?;
            if claimed.is_empty() {
                self.wait_for_jobs().await?;
            } else {
                *lock(&self.prefetched) = claimed;
            }
        }
    }
}

/// An unfinished delivery. It keeps its lease and its slot until it is dropped.
struct LeaseAcker {
    lease: Lease,
    file: Arc<QueueFile>,
    slot: OwnedSemaphorePermit,
}

#[async_trait]
impl Acker for LeaseAcker {
    async fn finish(self: Box<Self>, outcome: Outcome) -> Result<(), QueueError> {
        let Self { lease, file, slot } = *self;
        let (id, now) = (lease.id, Timestamp::now());
        let written = match outcome {
            Outcome::Done(follow_ups) => {
                let follow_ups = NewJob::from_envelopes(&follow_ups);
                file.db.write(move |c| done(c, id, &follow_ups)).await
            }
            Outcome::Retry { after, reason } => file.db.write(move |c| retry(c, id, after, &reason, now)).await,
            Outcome::Dead { reason } => file.db.write(move |c| dead_letters::bury(c, id, &reason, now)).await,
            Outcome::Release => file.db.write(move |c| jobs::release(c, id)).await,
            Outcome::Postpone { after } => file.db.write(move |c| jobs::postpone(c, id, now + after)).await,
        };
        let is_ours = match written.map_err(|error| failed(&file.db, &error)) {
            Ok(is_ours) => is_ours,
            Err(error) => {
                // The worker is not lost, and the job not to blame.
                let returned = ReturnedJob { lease, _slot: slot, mode: ReturnMode::AfterLease };
                let _ = file.lease_renewer.commands().send(Command::HandBack(vec![returned]));
                return Err(error);
            }
        };
        file.published.notify_waiters();
        if is_ours { Ok(()) } else { Err(QueueError::Stale) }
    }
}

/// Deletes the job and publishes its follow-ups, in one transaction; `false` if the lease is stale.
fn done(c: &Connection, id: LeaseId, follow_ups: &[NewJob]) -> Result<bool, Error> {
    let is_ours = jobs::delete(c, id)?;
    if is_ours && !follow_ups.is_empty() {
        jobs::insert(c, follow_ups)?;
    }
    Ok(is_ours)
}

/// Counts the failed attempt in the envelope; a message that is not a job is put back unchanged. `false` if the lease is
/// stale.
fn retry(c: &Connection, id: LeaseId, after: Duration, reason: &str, now: Timestamp) -> Result<bool, Error> {
    let Some((_, payload)) = jobs::leased(c, id)? else { return Ok(false) };
    let payload = Envelope::parse(&payload).map_or(payload, |job| job.with_failure(now, reason).to_bytes());
    jobs::put_back(c, id, &payload, now + after)?;
    Ok(true)
}
