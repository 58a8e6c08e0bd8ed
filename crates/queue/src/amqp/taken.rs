//! A job in the hands of a worker.

use std::sync::Arc;

use async_trait::async_trait;
use model::Timestamp;
use model::job::{Envelope, Priority};
use tokio::sync::OwnedSemaphorePermit;

use super::Shared;
use super::message::{Message, Queue};
use super::names;
use super::settle::Settler;
use crate::{Delivery, End, Finish, QueueError};

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
    pub(super) fn new(
        shared: Arc<Shared>,
        settler: Arc<Settler>,
        priority: Priority,
        slot: OwnedSemaphorePermit,
        tag: u64,
    ) -> Self {
        Self {
            shared,
            settler,
            tag,
            kind: String::new(),
            priority,
            payload: Vec::new(),
            is_settled: false,
            _slot: slot,
        }
    }

    /// The delivery of this payload from the queue of `kind`.
    pub(super) fn deliver(mut self, kind: String, payload: Vec<u8>, is_lost: bool) -> Delivery {
        self.kind.clone_from(&kind);
        let read = Envelope::parse(&payload);
        self.payload = payload;
        Delivery { envelope: read, kind, redelivered: is_lost, finish: Box::new(self) }
    }

    /// What has to be safe before the delivery is acknowledged.
    fn messages(&mut self, end: End) -> Vec<Message> {
        let payload = std::mem::take(&mut self.payload);
        match end {
            End::Done(follow_ups) => follow_ups.iter().map(Message::job).collect(),
            End::Retry { after, reason } => {
                let now = Timestamp::now();
                let payload = Envelope::parse(&payload).map_or(payload, |job| job.failed(now, &reason).to_bytes());
                match names::whole_seconds(after) {
                    0 => vec![Message::new(&self.kind, Queue::Ready(self.priority), payload)],
                    seconds => vec![Message::delayed(&self.kind, seconds, payload)],
                }
            }
            End::Dead { reason } => vec![Message::dead(&self.kind, payload, &reason, Timestamp::now())],
            // As a new message, at the end of the queue: to return this one would count against it.
            End::Release => vec![Message::new(&self.kind, Queue::Ready(self.priority), payload)],
        }
    }
}

#[async_trait]
impl Finish for Taken {
    async fn finish(mut self: Box<Self>, end: End) -> Result<(), QueueError> {
        let messages = self.messages(end);
        self.shared.publish_while(&self.settler, &messages).await?;
        self.is_settled = true;
        self.settler.ack(self.tag);
        Ok(())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if !self.is_settled {
            self.settler.nack(self.tag);
        }
    }
}
