//! A queue in memory: what a backend has to implement, in its simplest form. Its jobs are gone when the process ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use model::Timestamp;
use model::job::{Envelope, Priority};
use queue::{Acker, DeadLetter, DeadLetterFilter, Delivery, KindStats, Outcome, Queue, QueueError, Subscription};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

/// How often a subscription looks when nothing is due. It is notified of every change, so this is only an upper bound.
const IDLE_INTERVAL: Duration = Duration::from_secs(60);

/// Handles to one queue: clones share it.
#[derive(Clone, Default)]
pub struct MemoryQueue(Arc<SharedQueue>);

#[derive(Default)]
struct SharedQueue {
    contents: Mutex<Contents>,
    changed: Notify,
}

#[derive(Default)]
struct Contents {
    /// By a number that grows: the order of jobs of one priority.
    messages: BTreeMap<u64, Message>,
    dead: Vec<DeadLetter>,
    kinds: BTreeSet<String>,
    last_number: u64,
}

struct Message {
    kind: String,
    priority: Priority,
    payload: Vec<u8>,
    state: MessageState,
    redelivered: bool,
}

enum MessageState {
    /// Ready from then on.
    Waiting(Instant),
    /// Delivered, under this lease.
    Running(u64),
}

/// A message that was just leased.
struct Lease {
    number: u64,
    lease: u64,
    kind: String,
    payload: Vec<u8>,
    redelivered: bool,
}

impl Contents {
    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// Adds a message behind all others.
    fn add(&mut self, kind: &str, payload: Vec<u8>, after: Duration) {
        let priority = Envelope::parse(&payload).map_or_else(|_| Priority::default(), |job| job.priority);
        let state = MessageState::Waiting(Instant::now() + after);
        let number = self.next_number();
        self.kinds.insert(kind.to_owned());
        self.messages.insert(number, Message { kind: kind.to_owned(), priority, payload, state, redelivered: false });
    }

    /// Leases the next message of these kinds; if none is ready, says when the first one will be.
    fn lease(&mut self, kinds: &BTreeSet<String>) -> Result<Lease, Option<Instant>> {
        let now = Instant::now();
        let lease = self.next_number();
        let waiting = self.messages.iter_mut().filter_map(|(number, message)| match message.state {
            MessageState::Waiting(due) if kinds.contains(&message.kind) => {
                Some((due, message.priority, *number, message))
            }
            _ => None,
        });
        // Those that are due first: urgent ones before others, then the oldest.
        let first =
            waiting.min_by_key(
                |(due, priority, number, _)| {
                    if *due <= now { (None, *priority, *number) } else { (Some(*due), *priority, *number) }
                },
            );
        match first {
            Some((due, _, number, message)) if due <= now => {
                message.state = MessageState::Running(lease);
                let (kind, payload, redelivered) = (message.kind.clone(), message.payload.clone(), message.redelivered);
                Ok(Lease { number, lease, kind, payload, redelivered })
            }
            first => Err(first.map(|(due, ..)| due)),
        }
    }

    /// Takes a message out of the queue, if the lease is still valid.
    fn remove(&mut self, number: u64, lease: u64) -> Option<Message> {
        let is_valid = self.messages.get(&number).is_some_and(|message| message.is_running_under(lease));
        is_valid.then(|| self.messages.remove(&number)).flatten()
    }

    fn bury(&mut self, number: u64, message: Message, reason: String) {
        let job = Envelope::parse(&message.payload).ok();
        let mut id = job.as_ref().map_or_else(|| format!("message-{number}"), |job| job.id.clone());
        if self.dead.iter().any(|letter| letter.id == id && letter.kind != message.kind) {
            id = format!("{id}-{number}");
        }
        self.dead.retain(|letter| letter.id != id);
        let payload = String::from_utf8_lossy(&message.payload).into_owned();
        let (key, history) = job.map_or_else(|| (None, Vec::new()), |job| (Some(job.key), job.history));
        self.dead.push(DeadLetter { id, kind: message.kind, key, reason, died_at: Timestamp::now(), history, payload });
    }

    fn take_dead(&mut self, filter: &DeadLetterFilter) -> Vec<DeadLetter> {
        let is_chosen = |letter: &mut DeadLetter| match filter {
            DeadLetterFilter::All => true,
            DeadLetterFilter::Ids(ids) => ids.contains(&letter.id),
        };
        self.dead.extract_if(.., is_chosen).collect()
    }
}

impl Message {
    fn is_running_under(&self, lease: u64) -> bool {
        matches!(self.state, MessageState::Running(current) if current == lease)
    }

    /// Its worker is lost.
    fn come_back(&mut self) {
        self.state = MessageState::Waiting(Instant::now());
        self.redelivered = true;
    }
}

impl SharedQueue {
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().expect("nothing panics while it holds the lock")
    }

    /// Changes the contents, and wakes all subscriptions.
    fn change<T>(&self, change: impl FnOnce(&mut Contents) -> T) -> T {
        let result = change(&mut self.contents());
        self.changed.notify_waiters();
        result
    }
}

impl MemoryQueue {
    /// Adds a message that may not be a job.
    pub fn put_raw(&self, kind: &str, payload: &[u8]) {
        self.0.change(|contents| contents.add(kind, payload.to_vec(), Duration::ZERO));
    }

    /// Gives all running jobs back, as if their workers were lost.
    pub fn end_leases(&self) {
        self.0.change(|contents| {
            let running = contents.messages.values_mut().filter(|job| matches!(job.state, MessageState::Running(_)));
            running.for_each(Message::come_back);
        });
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn publish(&self, jobs: &[Envelope]) -> Result<(), QueueError> {
        self.0.change(|contents| {
            jobs.iter().for_each(|job| contents.add(&job.kind, job.to_bytes(), Duration::ZERO));
        });
        Ok(())
    }

    async fn subscribe(&self, kinds: &[&str], slots: usize) -> Result<Box<dyn Subscription>, QueueError> {
        let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        Ok(Box::new(MemorySubscription { queue: self.0.clone(), kinds, slots: Arc::new(Semaphore::new(slots)) }))
    }

    fn has_exact_counts(&self) -> bool {
        true
    }

    async fn flush(&self) {}

    async fn stats(&self) -> Result<Vec<KindStats>, QueueError> {
        let (contents, now) = (self.0.contents(), Instant::now());
        let count = |kind: &String| {
            let mut stats = KindStats { kind: kind.clone(), running: Some(0), ..KindStats::default() };
            for message in contents.messages.values().filter(|message| message.kind == *kind) {
                match message.state {
                    MessageState::Waiting(due) if due <= now => stats.ready += 1,
                    MessageState::Waiting(_) => stats.delayed += 1,
                    MessageState::Running(_) => *stats.running.get_or_insert(0) += 1,
                }
            }
            stats.dead = contents.dead.iter().filter(|letter| letter.kind == *kind).count() as u64;
            stats
        };
        Ok(contents.kinds.iter().map(count).collect())
    }

    async fn dead_letters(&self, kind: Option<&str>) -> Result<Vec<DeadLetter>, QueueError> {
        let contents = self.0.contents();
        let letters = contents.dead.iter().filter(|letter| kind.is_none_or(|kind| letter.kind == kind));
        Ok(letters.cloned().collect())
    }

    async fn requeue(&self, filter: &DeadLetterFilter) -> Result<usize, QueueError> {
        Ok(self.0.change(|contents| {
            let letters = contents.take_dead(filter);
            for letter in &letters {
                let payload = match Envelope::parse(letter.payload.as_bytes()) {
                    Ok(job) => Envelope { attempt: 0, history: Vec::new(), ..job }.to_bytes(),
                    Err(_) => letter.payload.clone().into_bytes(),
                };
                contents.add(&letter.kind, payload, Duration::ZERO);
            }
            letters.len()
        }))
    }

    async fn purge(&self, filter: &DeadLetterFilter) -> Result<usize, QueueError> {
        Ok(self.0.contents().take_dead(filter).len())
    }
}

struct MemorySubscription {
    queue: Arc<SharedQueue>,
    kinds: BTreeSet<String>,
    slots: Arc<Semaphore>,
}

#[async_trait]
impl Subscription for MemorySubscription {
    async fn next(&mut self) -> Result<Delivery, QueueError> {
        // Dropped with the acker, or with this future: no delivery is taken before the last await.
        let slot = self.slots.clone().acquire_owned().await.expect("it is never closed");
        loop {
            let mut changed = std::pin::pin!(self.queue.changed.notified());
            // Registered before the look, or a job published in between is missed.
            changed.as_mut().enable();
            let leased = self.queue.contents().lease(&self.kinds);
            match leased {
                Ok(Lease { number, lease, kind, payload, redelivered }) => {
                    let acker = MemoryAcker { queue: self.queue.clone(), number, lease, _slot: slot };
                    return Ok(Delivery::new(kind, &payload, redelivered, Box::new(acker)));
                }
                Err(due) => {
                    let due = due.unwrap_or_else(|| Instant::now() + IDLE_INTERVAL);
                    tokio::select! {
                        () = changed => {}
                        () = sleep_until(due) => {}
                    }
                }
            }
        }
    }
}

/// Holds a message, and a slot of its subscription.
struct MemoryAcker {
    queue: Arc<SharedQueue>,
    number: u64,
    lease: u64,
    _slot: OwnedSemaphorePermit,
}

#[async_trait]
impl Acker for MemoryAcker {
    async fn finish(self: Box<Self>, outcome: Outcome) -> Result<(), QueueError> {
        self.queue.change(|contents| {
            let message = contents.remove(self.number, self.lease).ok_or(QueueError::Stale)?;
            match outcome {
                Outcome::Done(follow_ups) => {
                    follow_ups.iter().for_each(|job| contents.add(&job.kind, job.to_bytes(), Duration::ZERO));
                }
                Outcome::Retry { after, reason } => {
                    let payload = match Envelope::parse(&message.payload) {
                        Ok(job) => job.with_failure(Timestamp::now(), &reason).to_bytes(),
                        Err(_) => message.payload,
                    };
                    contents.add(&message.kind, payload, after);
                }
                Outcome::Dead { reason } => contents.bury(self.number, message, reason),
                Outcome::Release => contents.add(&message.kind, message.payload, Duration::ZERO),
                Outcome::Postpone { after } => contents.add(&message.kind, message.payload, after),
            }
            Ok(())
        })
    }
}

impl Drop for MemoryAcker {
    /// Unfinished: the worker is lost. After `finish` there is no such message any more.
    fn drop(&mut self) {
        self.queue.change(|contents| {
            let message = contents.messages.get_mut(&self.number);
            if let Some(message) = message.filter(|message| message.is_running_under(self.lease)) {
                message.come_back();
            }
        });
    }
}
