//! Taking jobs.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use futures::Stream;
use futures::future::poll_fn;
use lapin::message::Delivery as Received;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};
use model::job::Priority;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::Shared;
use super::background::Background;
use super::message::{self, Message, Queue};
use super::names;
use super::settle::Settler;
use super::taken::Taken;
use crate::{Delivery, QueueError, Subscription};

/// How long an urgent job that was counted may take to come, before it is taken for somebody else's.
const COUNTED: Duration = Duration::from_millis(200);

/// How long an urgent job that is not counted any more may still be on its way to here.
const ON_ITS_WAY: Duration = Duration::from_millis(20);

/// How long before a consumer is ended the broker gets no reason to send another delivery.
const QUIET: Duration = Duration::from_millis(100);

/// Consumers of some kinds. Each has as many jobs in flight as there are slots, so that a job is on its way while another
/// one ends: while urgent jobs run, as many normal ones may wait here.
pub(super) struct Subscribed {
    /// Urgent ones first.
    lanes: Vec<Lane>,
    slots: Arc<Semaphore>,
    shared: Arc<Shared>,
}

/// The consumer of one queue, on a channel of its own.
struct Lane {
    kind: String,
    priority: Priority,
    consumer: Consumer,
    settler: Arc<Settler>,
    /// Urgent: there may be more of them at the broker, which go before the normal ones that are here.
    maybe_more: bool,
}

impl Subscribed {
    pub(super) async fn start(shared: Arc<Shared>, kinds: &[&str], slots: usize) -> Result<Self, QueueError> {
        let slots_of_all = Arc::new(Semaphore::new(slots));
        // First, so that a lane that fails has the others handed back.
        let mut subscribed = Self { lanes: Vec::new(), slots: slots_of_all, shared };
        for priority in [Priority::High, Priority::Normal] {
            for kind in kinds {
                let shared = &subscribed.shared;
                let channel = shared.consumers.channel().await?;
                let lane = Lane::start(channel, &shared.background, kind, priority, slots).await;
                subscribed.lanes.push(lane.map_err(|error| shared.address.failed(&error))?);
            }
        }
        Ok(subscribed)
    }

    /// The next message and its lane. Cancel-safe: a message that was taken out is returned at once.
    async fn receive(&mut self) -> Result<(usize, Received), QueueError> {
        loop {
            let Some(urgent) = self.lanes.iter().position(|lane| lane.maybe_more) else {
                return poll_fn(|context| self.poll(context, Priority::Normal)).await;
            };
            if let Poll::Ready(received) = poll_once(|context| self.poll(context, Priority::High)).await {
                return received;
            }
            let lane = &mut self.lanes[urgent];
            let count = lane.count().await.map_err(|error| self.shared.address.unavailable(error))?;
            let patience = if count > 0 { COUNTED } else { ON_ITS_WAY };
            let coming = poll_fn(|context| self.poll(context, Priority::High));
            match timeout(patience, coming).await {
                Ok(received) => return received,
                Err(_) => self.lanes[urgent].maybe_more = count > 0,
            }
        }
    }

    /// A message of the first lane that has one, among those of this priority and above.
    fn poll(&mut self, context: &mut Context<'_>, least: Priority) -> Poll<Result<(usize, Received), QueueError>> {
        for (at, lane) in self.lanes.iter_mut().enumerate().filter(|(_, lane)| lane.priority <= least) {
            if let Poll::Ready(received) = Pin::new(&mut lane.consumer).poll_next(context) {
                let received = match received {
                    Some(Ok(received)) => received,
                    Some(Err(error)) => return Poll::Ready(Err(self.shared.address.unavailable(error))),
                    None => return Poll::Ready(Err(self.shared.address.unavailable("it ended the subscription"))),
                };
                lane.settler.note(received.delivery_tag);
                lane.maybe_more = lane.priority == Priority::High;
                return Poll::Ready(Ok((at, received)));
            }
        }
        Poll::Pending
    }

    fn take(&self, lane: usize, received: Received, slot: OwnedSemaphorePermit) -> Delivery {
        let Lane { kind, priority, settler, .. } = &self.lanes[lane];
        Taken::deliver(self.shared.clone(), settler.clone(), kind.clone(), *priority, received, slot)
    }
}

#[async_trait]
impl Subscription for Subscribed {
    async fn next(&mut self) -> Result<Delivery, QueueError> {
        let slot = self.slots.clone().acquire_owned().await.expect("it is never closed");
        loop {
            let (lane, received) = self.receive().await?;
            let wait = message::wait_of(&received.properties);
            if wait == 0 {
                return Ok(self.take(lane, received, slot));
            }
            // One stretch of its wait is over, the next follows.
            let Lane { kind, settler, .. } = &self.lanes[lane];
            let is_lost = received.redelivered || message::is_lost(&received.properties);
            let next = Message::delayed(kind, wait, received.data).lost(is_lost);
            let (shared, settler) = (self.shared.clone(), settler.clone());
            self.shared.background.spawn(async move { pass_on(&shared, &settler, received.delivery_tag, next).await });
        }
    }
}

impl Drop for Subscribed {
    fn drop(&mut self) {
        for lane in self.lanes.drain(..) {
            self.shared.background.spawn(lane.hand_back(self.shared.clone()));
        }
    }
}

impl Lane {
    async fn start(
        channel: Channel,
        background: &Background,
        kind: &str,
        priority: Priority,
        slots: usize,
    ) -> lapin::Result<Self> {
        names::declare_kind(&channel, kind).await?;
        let slots = u16::try_from(slots).unwrap_or(u16::MAX);
        channel.basic_qos(slots, BasicQosOptions::default()).await?;
        let (options, none) = (BasicConsumeOptions::default(), FieldTable::default());
        let queue = name(kind, priority);
        let consumer = channel.basic_consume(queue.into(), "".into(), options, none).await?;
        let settler = Settler::start(channel, background);
        Ok(Self { kind: kind.to_owned(), priority, consumer, settler, maybe_more: priority == Priority::High })
    }

    /// How many jobs are ready at the broker. When this returns, what the broker had sent before is here.
    async fn count(&self) -> lapin::Result<u32> {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        let ask = || {
            let queue = name(&self.kind, self.priority);
            self.settler.channel().queue_declare(queue.into(), passive, FieldTable::default())
        };
        let count = ask().await?.message_count();
        if count > 0 {
            return Ok(count);
        }
        // The broker answers before it sends what left the queue meanwhile; it does not answer the next one before that.
        Ok(ask().await?.message_count())
    }

    /// Ends the consumer and gives back what nobody asked for, as new messages: to return a message counts against it.
    ///
    /// A delivery that the broker sends while it is told to stop reaches nobody, and comes back as lost when the channel is
    /// closed. So nothing is acknowledged shortly before, which would make it send one.
    async fn hand_back(mut self, shared: Arc<Shared>) {
        self.settler.hold();
        tokio::time::sleep(QUIET).await;
        let cancelled = self.settler.channel().basic_cancel(self.consumer.tag(), BasicCancelOptions::default()).await;
        self.settler.go_on();
        if cancelled.is_err() {
            return;
        }
        while let Some(Ok(received)) = poll_fn(|context| Pin::new(&mut self.consumer).poll_next(context)).await {
            self.settler.note(received.delivery_tag);
            let is_lost = received.redelivered || message::is_lost(&received.properties);
            let again = Message::new(&self.kind, Queue::Ready(self.priority), received.data)
                .lost(is_lost)
                .waiting(message::wait_of(&received.properties));
            pass_on(&shared, &self.settler, received.delivery_tag, again).await;
        }
    }
}

/// Replaces a delivery by another message; where the broker takes none, the delivery comes back.
async fn pass_on(shared: &Shared, settler: &Settler, tag: u64, next: Message) {
    match shared.publish_while(settler, &[next]).await {
        Ok(()) => settler.ack(tag),
        Err(QueueError::Stale) => {}
        Err(error) => {
            tracing::warn!("a job could not be passed on, it comes back: {error}");
            tokio::time::sleep(super::AGAIN).await;
            settler.nack(tag);
        }
    }
}

fn name(kind: &str, priority: Priority) -> String {
    match priority {
        Priority::Normal => names::normal(kind),
        Priority::High => names::high(kind),
    }
}

async fn poll_once<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    poll_fn(|context| Poll::Ready(poll(context))).await
}
