//! The thread that renews leases and hands jobs back. It is no task of the async runtime: handlers compute for minutes on
//! the runtime's threads, and leases must not run out meanwhile.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use model::Timestamp;
use sqlite::Db;
use tokio::sync::OwnedSemaphorePermit;

use super::jobs;
use super::lease::{Lease, LeaseId, Leases, lock};

/// How long a claimed job may lie unasked for before it is handed back for others to take.
const UNASKED: Duration = Duration::from_millis(100);

/// A job that nobody has asked for yet.
pub(super) struct Claimed {
    pub(super) lease: Lease,
    pub(super) kind: String,
    pub(super) lost: bool,
    pub(super) payload: Vec<u8>,
    pub(super) slot: OwnedSemaphorePermit,
}

/// A job that is to be handed back. Its lease is renewed and its slot taken until that is written: it would come back like
/// the job of a lost worker.
pub(super) struct Returned {
    pub(super) lease: Lease,
    pub(super) _slot: OwnedSemaphorePermit,
    pub(super) way: Way,
}

/// How a job is handed back.
#[derive(Clone, Copy)]
pub(super) enum Way {
    /// As it was: nobody has asked for it.
    Untouched,
    /// After the length of a lease: its end could not be written, and it will run again.
    Later,
}

/// Jobs that were claimed together. What is left when this is dropped is handed back, be it that the subscription ended or
/// that the claim's future was dropped half-way.
pub(super) struct Unasked {
    jobs: VecDeque<Claimed>,
    since: Instant,
    orders: Sender<Order>,
}

/// What the keeper is told.
pub(super) enum Order {
    /// Hand back what lies here for too long.
    Watch(Weak<Mutex<Unasked>>),
    /// Hand these back now.
    HandBack(Vec<Returned>),
    /// Finish.
    Close,
}

impl Unasked {
    pub(super) fn new(jobs: impl IntoIterator<Item = Claimed>, orders: Sender<Order>) -> Self {
        Self { jobs: jobs.into_iter().collect(), since: Instant::now(), orders }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    pub(super) fn pop(&mut self) -> Option<Claimed> {
        self.jobs.pop_front()
    }

    fn hand_back(&mut self) {
        if !self.jobs.is_empty() {
            // A keeper that is gone cannot be told; the leases run out then.
            let returned = |job: Claimed| Returned { lease: job.lease, _slot: job.slot, way: Way::Untouched };
            let _ = self.orders.send(Order::HandBack(self.jobs.drain(..).map(returned).collect()));
        }
    }
}

impl Drop for Unasked {
    fn drop(&mut self) {
        self.hand_back();
    }
}

/// The handle of the thread; dropping it waits until everything is handed back.
pub(super) struct Keeper {
    orders: Sender<Order>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Keeps `leases`, each of this `length`.
    pub(super) fn start(db: Db, leases: Leases, length: Duration) -> Self {
        let (orders, received) = channel();
        let thread = thread::spawn(move || keep(&db, &leases, length, &received));
        Self { orders, thread: Some(thread) }
    }

    pub(super) fn orders(&self) -> Sender<Order> {
        self.orders.clone()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::Close);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn keep(db: &Db, leases: &Leases, length: Duration, orders: &Receiver<Order>) {
    let beat = length / 4;
    let mut renewed = Instant::now();
    let mut watched: Vec<Weak<Mutex<Unasked>>> = Vec::new();
    let mut owed: Vec<Returned> = Vec::new();
    loop {
        match orders.recv_timeout(UNASKED.min(beat)) {
            Ok(Order::Watch(unasked)) => watched.push(unasked),
            Ok(Order::HandBack(jobs)) => {
                owed.extend(jobs);
                hand_back(db, &mut owed, length);
            }
            Ok(Order::Close) | Err(RecvTimeoutError::Disconnected) => {
                return hand_back_the_rest(db, owed, length, orders);
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        if renewed.elapsed() >= beat {
            renewed = Instant::now();
            renew(db, leases, length);
            if !owed.is_empty() {
                hand_back(db, &mut owed, length);
            }
        }
        watched.retain(|unasked| unasked.upgrade().inspect(|unasked| give_up_idle(&mut lock(unasked))).is_some());
    }
}

fn give_up_idle(unasked: &mut Unasked) {
    if unasked.since.elapsed() > UNASKED {
        unasked.hand_back();
    }
}

/// A claim whose subscription is gone may still be on its way. After one more write its jobs have been handed back.
fn hand_back_the_rest(db: &Db, mut owed: Vec<Returned>, length: Duration, orders: &Receiver<Order>) {
    hand_back(db, &mut owed, length);
    for order in orders.try_iter() {
        if let Order::HandBack(jobs) = order {
            owed.extend(jobs);
        }
    }
    if !owed.is_empty() {
        hand_back(db, &mut owed, length);
    }
}

/// Hands these back; what could not be written stays owed.
fn hand_back(db: &Db, owed: &mut Vec<Returned>, length: Duration) {
    let jobs: Vec<(LeaseId, Way)> = owed.iter().map(|job| (job.lease.id, job.way)).collect();
    let handed_back = db.write_blocking(move |c| {
        jobs.iter().try_for_each(|(id, way)| match way {
            Way::Untouched => jobs::hand_back(c, *id),
            Way::Later => jobs::postpone(c, *id, Timestamp::now() + length).map(drop),
        })
    });
    match handed_back {
        Ok(()) => owed.clear(),
        Err(error) => tracing::warn!(%error, jobs = owed.len(), "jobs could not be handed back, the next try follows"),
    }
}

fn renew(db: &Db, leases: &Leases, length: Duration) {
    let ids = leases.ids();
    if ids.is_empty() {
        return;
    }
    let renewed = db.write_blocking(move |c| jobs::renew(c, &ids, Timestamp::now() + length));
    leases.renewed(renewed.is_ok());
    if let Err(error) = renewed {
        tracing::warn!(%error, "leases could not be renewed, the next try follows");
    }
}
