#![doc = include_str!("../README.md")]

mod amqp;
mod embedded;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::Timestamp;
use model::job::{BadEnvelope, Envelope, FailedAttempt};

pub use amqp::{Amqp, PERMISSIONS};
pub use embedded::Embedded;

/// A durable job queue that several processes share. It promises *at least once* and nothing more.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Puts jobs into the queues of their kinds; returns when every one of them is safe.
    async fn publish(&self, jobs: &[Envelope]) -> Result<(), QueueError>;

    /// Starts to take jobs of `kinds`. At most `slots` deliveries of this subscription are unfinished at any time.
    async fn subscribe(&self, kinds: &[&str], slots: usize) -> Result<Box<dyn Subscription>, QueueError>;

    /// The same queue, whose subscriptions yield and whose `stats` count the jobs of one run alone; dead letters are those of
    /// all. `None` where a run's jobs are not found without looking at each one.
    fn of_run(&self, _run: &str) -> Option<Arc<dyn Queue>> {
        None
    }

    /// Forgets the jobs of a cancelled run that nobody has taken, where they are found without looking at each one. What is
    /// left does nothing when a worker takes it.
    async fn forget_run(&self, _run: &str) -> Result<(), QueueError> {
        Ok(())
    }

    /// Whether `stats` misses no job. A broker counts its queues one after the other, and running jobs late.
    fn counts_exactly(&self) -> bool {
        false
    }

    /// Why the queue accepts no jobs at the moment, as far as this process was told. Who publishes waits until that is over.
    fn blocked(&self) -> Option<String> {
        None
    }

    /// Finds out whether the queue accepts jobs, without leaving one there: why not, or `None`.
    async fn probe(&self) -> Result<Option<String>, QueueError> {
        Ok(None)
    }

    /// Waits until what was ended and handed back by now is with the queue; for the end of a process.
    async fn flush(&self);

    /// Kinds that `stats` and the operator's verbs are to find although nobody in this process has used them: a broker without its
    /// management API cannot list them. Elsewhere it does nothing.
    fn expect(&self, _kinds: &[&str]) {}

    /// Counts of all kinds that have or had jobs, sorted by kind.
    async fn stats(&self) -> Result<Vec<KindStats>, QueueError>;

    /// Dead jobs, oldest first; of one kind or of all.
    async fn dead_letters(&self, kind: Option<&str>) -> Result<Vec<DeadLetter>, QueueError>;

    /// Puts dead jobs back with no attempts counted; returns how many there were.
    async fn requeue(&self, which: &DeadLetterFilter) -> Result<usize, QueueError>;

    /// Deletes dead jobs; returns how many there were.
    async fn purge(&self, which: &DeadLetterFilter) -> Result<usize, QueueError>;
}

/// A stream of deliveries. Dropping it hands back what was fetched and not yet yielded.
#[async_trait]
pub trait Subscription: Send {
    /// Waits for the next delivery. Cancel-safe: dropping the future loses nothing.
    async fn next(&mut self) -> Result<Delivery, QueueError>;
}

/// One message in the hands of one worker, until it is ended in exactly one way. Its lease is renewed in the background
/// for as long as it lives; dropped without an end it comes back like the job of a dead worker.
pub struct Delivery {
    /// The job, or why the message is none.
    pub envelope: Result<Envelope, BadEnvelope>,
    /// The kind it was subscribed by (that of the queue, whatever the message says).
    pub kind: String,
    /// It was delivered before and its worker was lost.
    pub redelivered: bool,
    finish: Box<dyn Acker>,
}

/// The ends of a delivery.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Follow-ups safe first, then the acknowledgement.
    Done(Vec<Envelope>),
    /// A failed attempt: counted in the envelope, delivered again after the wait.
    Retry {
        /// Whole seconds or more are kept to the second.
        after: Duration,
        /// For the history.
        reason: String,
    },
    /// To the dead letters.
    Dead {
        /// For the list.
        reason: String,
    },
    /// Handed back untouched, for anyone to take, behind all that wait; no attempt is counted.
    Release,
    /// Handed back untouched, for anyone to take after a wait; no attempt is counted.
    Postpone {
        /// Whole seconds or more are kept to the second.
        after: Duration,
    },
}

/// How an adapter ends a delivery.
#[async_trait]
pub trait Acker: Send + Sync {
    /// Carries out the end; [`QueueError::Stale`] when the delivery is somebody else's by now.
    async fn finish(self: Box<Self>, end: Outcome) -> Result<(), QueueError>;
}

impl Delivery {
    /// A delivery of an adapter.
    pub fn new(kind: String, payload: &[u8], redelivered: bool, finish: Box<dyn Acker>) -> Self {
        Self { envelope: Envelope::parse(payload), kind, redelivered, finish }
    }

    /// Ends it.
    pub async fn end(self, end: Outcome) -> Result<(), QueueError> {
        self.finish.finish(end).await
    }
}

/// Counts of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct KindStats {
    /// Kind.
    pub kind: String,
    /// Waiting to be taken.
    pub ready: u64,
    /// Taken and not ended; `None` where the queue cannot tell.
    pub running: Option<u64>,
    /// Waiting for their time.
    pub delayed: u64,
    /// In the dead letters.
    pub dead: u64,
}

impl KindStats {
    /// Whether no job is left that the queue knows of, dead ones aside. Jobs that it cannot count may still be running.
    pub fn is_idle(&self) -> bool {
        self.ready + self.running.unwrap_or(0) + self.delayed == 0
    }
}

/// A dead job.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct DeadLetter {
    /// Id of the message, unique among the dead letters: numbered where one of another kind has the same.
    pub id: String,
    /// Kind of its queue.
    pub kind: String,
    /// Key, where the payload could be read.
    pub key: Option<String>,
    /// Why it is dead.
    pub reason: String,
    /// Since when.
    pub died_at: Timestamp,
    /// Earlier failures.
    pub history: Vec<FailedAttempt>,
    /// The message as it lay in the queue.
    pub payload: String,
}

/// A choice among dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeadLetterFilter {
    /// Every one.
    All,
    /// Those with these ids.
    Ids(Vec<String>),
}

/// What can go wrong with a queue.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The delivery's lease ran out and the job is somebody else's: go on with the next.
    #[error("the job was handed to another worker after its lease ran out")]
    Stale,
    /// Trying again may help: busy, or out of reach for the moment.
    #[error("the queue at {at} is out of reach: {cause}")]
    Unavailable {
        /// Address without credentials.
        at: String,
        /// What was answered.
        cause: String,
    },
    /// This machine's disk does not take it: full, over its quota, read-only. Trying again helps when a person has seen to
    /// it. Who is waited for ends with this; a standing worker goes on then.
    #[error("cannot write to {file}: {why}")]
    Unwritable {
        /// The queue's file.
        file: String,
        /// Why, and what to do.
        why: String,
    },
    /// Trying again won't help.
    #[error("{0}")]
    Unusable(String),
}

/// Opens the queue at a URL: `sqlite:FILE`, or `amqp://USER:PASSWORD@HOST[:PORT]/VHOST` (`amqps://` with TLS).
///
/// `management` is the base address of a broker's management API; only with it can a broker's running jobs be counted.
pub async fn open(url: &str, management: Option<&str>) -> Result<Arc<dyn Queue>, QueueError> {
    match url.split_once(':') {
        Some(("sqlite", file)) => match model::settings::torn_by(url) {
            Some(advice) => Err(QueueError::Unusable(format!("the queue's address is unusable: {advice}"))),
            None => Ok(Arc::new(Embedded::open(file).await?)),
        },
        Some(("amqp" | "amqps", _)) => Ok(Arc::new(Amqp::open(url, management).await?)),
        _ => {
            let url = model::settings::without_credentials(url);
            Err(QueueError::Unusable(format!("queue `{url}` is of no known kind: use sqlite:FILE or amqp://…")))
        }
    }
}
