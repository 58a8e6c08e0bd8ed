//! A job in the hands of a worker.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lapin::message::Delivery as Received;
use model::Timestamp;
use model::job::{Envelope, Priority};
use tokio::sync::OwnedSemaphorePermit;

use super::Shared;
use super::message::{self, Message, Queue};
use super::names;
use super::settle::Settler;
use crate::{Acker, Delivery, Outcome, QueueError};

/// A delivery that is not settled. Dropped without an end it goes back to the broker, as if its worker were lost.
pub(super) struct Taken {
    shared: Arc<Shared>,
    settler: Arc<Settler>,
    tag: u64,
    kind: String,
    priority: Priority,
    payload: Vec<u8>,
    is_settled: bool,
    _slot: OwnedSemaphorePermit,
}

impl Taken {
    /// The delivery of a message that was received from the queue of `kind`.
    pub(super) fn deliver(
        shared: Arc<Shared>,
        settler: Arc<Settler>,
        kind: String,
        priority: Priority,
        received: Received,
        slot: OwnedSemaphorePermit,
    ) -> Delivery {
        let redelivered = received.redelivered || message::is_lost(&received.properties);
        let (tag, payload) = (received.delivery_tag, received.data);
        let envelope = Envelope::parse(&payload);
        let taken =
            Self { shared, settler, tag, kind: kind.clone(), priority, payload, is_settled: false, _slot: slot };
        Delivery { envelope, kind, redelivered, finish: Box::new(taken) }
    }

    /// What has to be safe before the delivery is acknowledged.
    fn messages(&mut self, end: Outcome) -> Vec<Message> {
        let payload = std::mem::take(&mut self.payload);
        match end {
            Outcome::Done(follow_ups) => follow_ups.iter().map(Message::job).collect(),
            Outcome::Retry { after, reason } => {
                let now = Timestamp::now();
                let payload = Envelope::parse(&payload).map_or(payload, |job| job.failed(now, &reason).to_bytes());
                vec![self.again(after, payload)]
            }
            Outcome::Dead { reason } => vec![Message::dead(&self.kind, payload, &reason, Timestamp::now())],
            // As a new message, at the end of the queue: to return this one would count against it.
            Outcome::Release => vec![self.again(Duration::ZERO, payload)],
            Outcome::Postpone { after } => vec![self.again(after, payload)],
        }
    }

    /// The message of a job that is ready again after this wait.
    fn again(&self, after: Duration, payload: Vec<u8>) -> Message {
        match names::whole_seconds(after) {
            0 => Message::new(&self.kind, Queue::Ready(self.priority), payload),
            seconds => Message::delayed(&self.kind, seconds, payload),
        }
    }
}

#[async_trait]
impl Acker for Taken {
    /// What is published is safe before the delivery is acknowledged: a process that is killed in between leaves both, and
    /// the job runs twice, with once's effect. A stop in good order leaves one: what is begun here goes on to its end though
    /// the caller lets go, and [`Queue::flush`](crate::Queue::flush) waits for it.
    async fn finish(mut self: Box<Self>, end: Outcome) -> Result<(), QueueError> {
        let (shared, messages) = (self.shared.clone(), self.messages(end));
        let ended = shared.background.complete(async move {
            self.shared.publish_while(&self.settler, &messages).await?;
            self.is_settled = true;
            self.settler.ack(self.tag);
            Ok(())
        });
        ended.await.unwrap_or(Err(QueueError::Stale))
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if !self.is_settled {
            self.settler.nack(self.tag);
        }
    }
}
