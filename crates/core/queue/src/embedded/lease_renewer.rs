//! The thread that renews leases and hands jobs back. It is not a task of the async runtime: handlers may compute for
//! minutes on the runtime's threads, and leases must not expire meanwhile.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use model::Timestamp;
use sqlite::Db;
use tokio::sync::OwnedSemaphorePermit;

use super::jobs;
use super::lease::{HeldLeases, Lease, LeaseId, lock};

/// How long a claimed job may wait to be asked for before it is handed back to other processes.
const MAX_PREFETCH_AGE: Duration = Duration::from_millis(100);

/// Renewals in the duration of a lease: three may fail or be late before it expires.
const RENEWALS_PER_LEASE: u32 = 4;

/// A job that was claimed and not asked for yet.
pub(super) struct ClaimedJob {
    pub(super) lease: Lease,
    pub(super) kind: String,
    pub(super) lost: bool,
    pub(super) payload: Vec<u8>,
    pub(super) slot: OwnedSemaphorePermit,
}

/// A job to be handed back. It keeps its lease and its slot until that is written: an expired lease would make it look like
/// the job of a lost worker.
pub(super) struct ReturnedJob {
    pub(super) lease: Lease,
    pub(super) _slot: OwnedSemaphorePermit,
    pub(super) mode: ReturnMode,
}

/// How a job is handed back.
#[derive(Clone, Copy)]
pub(super) enum ReturnMode {
    /// At once and unchanged: nobody has asked for it.
    Untouched,
    /// After the duration of a lease: its outcome could not be written, and it will run again.
    AfterLease,
}

/// Jobs that were claimed together. Dropping this hands the rest back: if the subscription ends, and also if the future of
/// the claim is dropped half-way.
pub(super) struct Prefetched {
    jobs: VecDeque<ClaimedJob>,
    claimed_at: Instant,
    commands: Sender<Command>,
}

/// A command to the thread.
pub(super) enum Command {
    /// Hand back what stays here for longer than [`MAX_PREFETCH_AGE`].
    Watch(Weak<Mutex<Prefetched>>),
    /// Hand these back now.
    HandBack(Vec<ReturnedJob>),
    /// Finish.
    Close,
}

impl Prefetched {
    pub(super) fn new(jobs: impl IntoIterator<Item = ClaimedJob>, commands: Sender<Command>) -> Self {
        Self { jobs: jobs.into_iter().collect(), claimed_at: Instant::now(), commands }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    pub(super) fn pop(&mut self) -> Option<ClaimedJob> {
        self.jobs.pop_front()
    }

    fn hand_back(&mut self) {
        if !self.jobs.is_empty() {
            let returned =
                |job: ClaimedJob| ReturnedJob { lease: job.lease, _slot: job.slot, mode: ReturnMode::Untouched };
            // Without the thread the leases expire.
            let _ = self.commands.send(Command::HandBack(self.jobs.drain(..).map(returned).collect()));
        }
    }
}

impl Drop for Prefetched {
    fn drop(&mut self) {
        self.hand_back();
    }
}

/// The handle of the thread. Dropping it waits until everything is handed back.
pub(super) struct LeaseRenewer {
    commands: Sender<Command>,
    thread: Option<JoinHandle<()>>,
}

impl LeaseRenewer {
    /// Renews `leases`, each of which lasts for `duration`.
    pub(super) fn start(db: Db, leases: HeldLeases, duration: Duration) -> Self {
        let (commands, received) = channel();
        let thread = thread::spawn(move || run(&db, &leases, duration, &received));
        Self { commands, thread: Some(thread) }
    }

    pub(super) fn commands(&self) -> Sender<Command> {
        self.commands.clone()
    }
}

impl Drop for LeaseRenewer {
    fn drop(&mut self) {
        let _ = self.commands.send(Command::Close);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(db: &Db, leases: &HeldLeases, duration: Duration, commands: &Receiver<Command>) {
    let renewal_interval = duration / RENEWALS_PER_LEASE;
    let mut renewed_at = Instant::now();
    let mut watched: Vec<Weak<Mutex<Prefetched>>> = Vec::new();
    let mut pending: Vec<ReturnedJob> = Vec::new();
    loop {
        match commands.recv_timeout(MAX_PREFETCH_AGE.min(renewal_interval)) {
            Ok(Command::Watch(prefetched)) => watched.push(prefetched),
            Ok(Command::HandBack(jobs)) => {
                pending.extend(jobs);
                hand_back(db, &mut pending, duration);
            }
            Ok(Command::Close) | Err(RecvTimeoutError::Disconnected) => {
                return hand_back_all(db, pending, duration, commands);
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        if renewed_at.elapsed() >= renewal_interval {
            renewed_at = Instant::now();
            renew(db, leases, duration);
            if !pending.is_empty() {
                hand_back(db, &mut pending, duration);
            }
        }
        let hand_back_old = |prefetched: &Mutex<Prefetched>| {
            let mut prefetched = lock(prefetched);
            if prefetched.claimed_at.elapsed() > MAX_PREFETCH_AGE {
                prefetched.hand_back();
            }
        };
        watched.retain(|prefetched| prefetched.upgrade().inspect(|jobs| hand_back_old(jobs)).is_some());
    }
}

/// Hands back everything before the thread ends, including jobs of a claim that is still being written while its
/// subscription is gone: they have been sent here after one more write.
fn hand_back_all(db: &Db, mut pending: Vec<ReturnedJob>, duration: Duration, commands: &Receiver<Command>) {
    hand_back(db, &mut pending, duration);
    for command in commands.try_iter() {
        if let Command::HandBack(jobs) = command {
            pending.extend(jobs);
        }
    }
    if !pending.is_empty() {
        hand_back(db, &mut pending, duration);
    }
}

/// Hands jobs back; they stay in `pending` if that cannot be written.
fn hand_back(db: &Db, pending: &mut Vec<ReturnedJob>, duration: Duration) {
    let jobs: Vec<(LeaseId, ReturnMode)> = pending.iter().map(|job| (job.lease.id, job.mode)).collect();
    let written = db.write_blocking(move |c| {
        jobs.iter().try_for_each(|(id, mode)| match mode {
            ReturnMode::Untouched => jobs::hand_back(c, *id),
            ReturnMode::AfterLease => jobs::postpone(c, *id, Timestamp::now() + duration).map(drop),
        })
    });
    match written {
        Ok(()) => pending.clear(),
        Err(error) => tracing::warn!(%error, jobs = pending.len(), "jobs could not be handed back; will try again"),
    }
}

fn renew(db: &Db, leases: &HeldLeases, duration: Duration) {
    let ids = leases.ids();
    if ids.is_empty() {
        return;
    }
    let renewed = db.write_blocking(move |c| jobs::renew(c, &ids, Timestamp::now() + duration));
    leases.set_renewed(renewed.is_ok());
    if let Err(error) = renewed {
        tracing::warn!(%error, "leases could not be renewed; will try again");
    }
}
