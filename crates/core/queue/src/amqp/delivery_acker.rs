//! Finishes one delivery.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lapin::message::Delivery as Received;
use model::Timestamp;
use model::job::{Envelope, Priority};
use tokio::sync::OwnedSemaphorePermit;

use super::Broker;
use super::channel_acker::ChannelAcker;
use super::message::{self, Destination, Message};
use super::topology;
use crate::{Acker, Delivery, Outcome, QueueError};

/// An unfinished delivery. If it is dropped unfinished, it returns to the broker as if its worker were lost.
pub(super) struct DeliveryAcker {
    broker: Arc<Broker>,
    channel_acker: Arc<ChannelAcker>,
    tag: u64,
    kind: String,
    priority: Priority,
    payload: Vec<u8>,
    is_finished: bool,
    _slot: OwnedSemaphorePermit,
}

impl DeliveryAcker {
    /// The delivery of a message that was received from the queue of `kind`.
    pub(super) fn deliver(
        broker: Arc<Broker>,
        channel_acker: Arc<ChannelAcker>,
        kind: String,
        priority: Priority,
        received: Received,
        slot: OwnedSemaphorePermit,
    ) -> Delivery {
        let redelivered = received.redelivered || message::is_lost(&received.properties);
        let (tag, payload) = (received.delivery_tag, received.data);
        let envelope = Envelope::parse(&payload);
        let acker =
            Self { broker, channel_acker, tag, kind: kind.clone(), priority, payload, is_finished: false, _slot: slot };
        Delivery { envelope, kind, redelivered, acker: Box::new(acker) }
    }

    /// The messages that must be safe before the delivery is acknowledged.
    fn messages(&mut self, outcome: Outcome) -> Vec<Message> {
        let payload = std::mem::take(&mut self.payload);
        match outcome {
            Outcome::Done(follow_ups) => follow_ups.iter().map(Message::job).collect(),
            Outcome::Retry { after, reason } => {
                let now = Timestamp::now();
                let payload =
                    Envelope::parse(&payload).map_or(payload, |job| job.with_failure(now, &reason).to_bytes());
                vec![self.republished(after, payload)]
            }
            Outcome::Dead { reason } => vec![Message::dead(&self.kind, payload, &reason, Timestamp::now())],
            // As a new message, at the end of the queue: the broker would count a returned one as another delivery.
            Outcome::Release => vec![self.republished(Duration::ZERO, payload)],
            Outcome::Postpone { after } => vec![self.republished(after, payload)],
        }
    }

    /// A message for the same queue that becomes ready after `wait`.
    fn republished(&self, wait: Duration, payload: Vec<u8>) -> Message {
        match topology::ceil_seconds(wait) {
            0 => Message::new(&self.kind, Destination::Ready(self.priority), payload),
            seconds => Message::delayed(&self.kind, seconds, payload),
        }
    }
}

#[async_trait]
impl Acker for DeliveryAcker {
    /// Publishes first and acknowledges then: if the process is killed in between, both messages exist and the job runs
    /// twice, which jobs allow for. An orderly stop leaves one: what was begun here is completed even if the caller drops
    /// this future, and [`Queue::flush`](crate::Queue::flush) waits for it.
    async fn finish(mut self: Box<Self>, outcome: Outcome) -> Result<(), QueueError> {
        let (broker, messages) = (self.broker.clone(), self.messages(outcome));
        let finished = broker.background_tasks.run_to_completion(async move {
            self.broker.publish_while_owned(&self.channel_acker, &messages).await?;
            self.is_finished = true;
            self.channel_acker.ack(self.tag);
            Ok(())
        });
        finished.await.unwrap_or(Err(QueueError::Stale))
    }
}

impl Drop for DeliveryAcker {
    fn drop(&mut self) {
        if !self.is_finished {
            self.channel_acker.nack(self.tag);
        }
    }
}
