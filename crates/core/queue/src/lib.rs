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

/// A durable job queue, shared by several processes. It delivers *at least once*.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Puts jobs into the queues of their kinds; returns when all of them are stored safely.
    async fn publish(&self, jobs: &[Envelope]) -> Result<(), QueueError>;

    /// Subscribes to jobs of `kinds`. At most `slots` deliveries of the subscription are unfinished at any time.
    async fn subscribe(&self, kinds: &[&str], slots: usize) -> Result<Box<dyn Subscription>, QueueError>;

    /// The same queue restricted to one run: subscriptions yield and `stats` counts only its jobs; dead letters are not
    /// restricted. `None` if the backend cannot find a run's jobs without scanning all jobs.
    fn for_run(&self, _run: &str) -> Option<Arc<dyn Queue>> {
        None
    }

    /// Deletes the jobs of a cancelled run that no worker has, if the backend can find them without scanning all jobs. The
    /// others do nothing when a worker gets them.
    async fn delete_run_jobs(&self, _run: &str) -> Result<(), QueueError> {
        Ok(())
    }

    /// Whether `stats` is one consistent snapshot. A broker counts its queues one after the other, and running jobs with a
    /// delay.
    fn has_exact_counts(&self) -> bool {
        false
    }

    /// Why the queue accepts no jobs at the moment, as far as this process knows. `publish` waits until that is over.
    fn blocked(&self) -> Option<String> {
        None
    }

    /// Finds out whether the queue accepts jobs, without publishing one: why not, or `None`.
    async fn probe(&self) -> Result<Option<String>, QueueError> {
        Ok(None)
    }

    /// Waits until everything that was finished or handed back so far is stored. Call it before the process ends.
    async fn flush(&self);

    /// Names kinds that `stats` and the dead-letter operations should cover although this process has not used them: a
    /// broker without its management API cannot list its queues. Other backends ignore it.
    fn register_kinds(&self, _kinds: &[&str]) {}

    /// Counts for every kind that has or had jobs, sorted by kind.
    async fn stats(&self) -> Result<Vec<KindStats>, QueueError>;

    /// Dead letters of one kind or of all, oldest first.
    async fn dead_letters(&self, kind: Option<&str>) -> Result<Vec<DeadLetter>, QueueError>;

    /// Puts dead letters back into their queues, with no failed attempts; returns how many there were.
    async fn requeue(&self, filter: &DeadLetterFilter) -> Result<usize, QueueError>;

    /// Deletes dead letters; returns how many there were.
    async fn purge(&self, filter: &DeadLetterFilter) -> Result<usize, QueueError>;
}

/// A stream of deliveries. Dropping it hands back the jobs that were prefetched and not yet yielded.
#[async_trait]
pub trait Subscription: Send {
    /// Waits for the next delivery. Cancel-safe: dropping the future loses nothing.
    async fn next(&mut self) -> Result<Delivery, QueueError>;
}

/// One message that one worker has, until it is finished with exactly one [`Outcome`]. Its lease is renewed in the
/// background meanwhile. If it is dropped unfinished, the message is delivered again, like that of a lost worker.
pub struct Delivery {
    /// The job, or why the message is not one.
    pub envelope: Result<Envelope, BadEnvelope>,
    /// The kind of the queue it came from, whatever the message says.
    pub kind: String,
    /// Whether it was delivered before, to a worker that was lost.
    pub redelivered: bool,
    acker: Box<dyn Acker>,
}

/// How a delivery is finished.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The job is done. Its follow-up jobs are stored safely before it is acknowledged.
    Done(Vec<Envelope>),
    /// The attempt failed: it is counted in the envelope, and the job is delivered again after a wait.
    Retry {
        /// The wait. A broker rounds it up to whole seconds.
        after: Duration,
        /// For the envelope's history.
        reason: String,
    },
    /// The job failed permanently and moves to the dead letters.
    Dead {
        /// Shown with the dead letter.
        reason: String,
    },
    /// Handed back unchanged, at the end of its queue; no attempt is counted.
    Release,
    /// Handed back unchanged, to be delivered after a wait; no attempt is counted.
    Postpone {
        /// The wait. A broker rounds it up to whole seconds.
        after: Duration,
    },
}

/// A backend's way to finish a delivery.
#[async_trait]
pub trait Acker: Send + Sync {
    /// Carries out the outcome.
    ///
    /// # Errors
    /// [`QueueError::Stale`] if another worker has the job by now.
    async fn finish(self: Box<Self>, outcome: Outcome) -> Result<(), QueueError>;
}

impl Delivery {
    /// A delivery of a backend.
    pub fn new(kind: String, payload: &[u8], redelivered: bool, acker: Box<dyn Acker>) -> Self {
        Self { envelope: Envelope::parse(payload), kind, redelivered, acker }
    }

    /// Finishes the delivery.
    ///
    /// # Errors
    /// [`QueueError::Stale`] if another worker has the job by now.
    pub async fn finish(self, outcome: Outcome) -> Result<(), QueueError> {
        self.acker.finish(outcome).await
    }
}

/// How many jobs of one kind are in which state.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct KindStats {
    /// Kind.
    pub kind: String,
    /// Waiting for a worker.
    pub ready: u64,
    /// Delivered and unfinished; `None` if the queue cannot tell.
    pub running: Option<u64>,
    /// Waiting for their time to come.
    pub delayed: u64,
    /// Failed permanently.
    pub dead: u64,
}

impl KindStats {
    /// Whether no job is left, dead ones aside. If the queue cannot count running jobs, some may still be running.
    pub fn is_idle(&self) -> bool {
        self.ready + self.running.unwrap_or(0) + self.delayed == 0
    }
}

/// A job that failed permanently, or a message that is not a job.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct DeadLetter {
    /// Id of the job, unique among the dead letters: if a job of another kind has the same id, it has a suffix.
    pub id: String,
    /// Kind of the queue it died in.
    pub kind: String,
    /// Key of the job; `None` if the payload is not a job.
    pub key: Option<String>,
    /// Why it failed.
    pub reason: String,
    /// When.
    pub died_at: Timestamp,
    /// Earlier failed attempts, oldest first.
    pub history: Vec<FailedAttempt>,
    /// The message as it was in the queue.
    pub payload: String,
}

/// Which dead letters an operation applies to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeadLetterFilter {
    /// All.
    All,
    /// Those with these ids.
    Ids(Vec<String>),
}

/// What can go wrong with a queue.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The delivery's lease expired and another worker has the job: continue with the next one.
    #[error("the job was handed to another worker after its lease expired")]
    Stale,
    /// The queue is busy, or cannot be reached at the moment: try again.
    #[error("the queue at {at} is unreachable: {cause}")]
    Unavailable {
        /// Address without credentials.
        at: String,
        /// What happened.
        cause: String,
    },
    /// This machine's disk is full, over its quota or read-only: a person has to act before trying again helps. A command
    /// should fail with this error; a worker should continue once it has been fixed.
    #[error("cannot write to {file}: {why}")]
    Unwritable {
        /// The queue's file.
        file: String,
        /// Why, and what to do about it.
        why: String,
    },
    /// The address or the queue itself is wrong: trying again will not help.
    #[error("{0}")]
    Unusable(String),
}

/// Opens the queue at a URL: `sqlite:FILE`, or `amqp://USER:PASSWORD@HOST[:PORT]/VHOST` (`amqps://` with TLS).
///
/// `management` is the base of a broker's management API. Without the API, running jobs cannot be counted.
///
/// # Errors
/// If the address is malformed, or the queue refuses it or cannot be reached.
pub async fn open(url: &str, management: Option<&str>) -> Result<Arc<dyn Queue>, QueueError> {
    match url.split_once(':') {
        Some(("sqlite", file)) => match model::settings::url_problem(url) {
            Some(advice) => Err(QueueError::Unusable(format!("the queue's address cannot be used: {advice}"))),
            None => Ok(Arc::new(Embedded::open(file).await?)),
        },
        Some(("amqp" | "amqps", _)) => Ok(Arc::new(Amqp::open(url, management).await?)),
        _ => {
            let url = model::settings::without_credentials(url);
            Err(QueueError::Unusable(format!("unknown kind of queue `{url}`: use sqlite:FILE or amqp://…")))
        }
    }
}
