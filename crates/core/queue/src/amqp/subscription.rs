//! Consuming jobs.

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

use super::Broker;
use super::background_tasks::BackgroundTasks;
use super::channel_acker::ChannelAcker;
use super::delivery_acker::DeliveryAcker;
use super::message::{self, Destination, Message};
use super::topology;
use crate::{Delivery, QueueError, Subscription};

/// How long to wait for an urgent job that the broker counted, before assuming that another subscription got it.
const COUNTED_JOB_TIMEOUT: Duration = Duration::from_millis(200);

/// How long an urgent job that the broker no longer counts may still be on its way to us.
const IN_FLIGHT_TIMEOUT: Duration = Duration::from_millis(20);

/// How long before a consumer is cancelled acknowledgements are held back.
const ACK_PAUSE: Duration = Duration::from_millis(100);

/// Consumers of the queues of some kinds. Each prefetches as many jobs as there are slots, so that the next job is here
/// when one finishes: while urgent jobs run, as many normal ones may wait here.
pub(super) struct AmqpSubscription {
    /// Those of high priority first.
    consumers: Vec<QueueConsumer>,
    slots: Arc<Semaphore>,
    broker: Arc<Broker>,
}

/// The consumer of one queue, on a channel of its own.
struct QueueConsumer {
    kind: String,
    priority: Priority,
    stream: Consumer,
    acker: Arc<ChannelAcker>,
    /// For high priority: the broker may have more jobs, which go before the normal ones that are already here.
    may_have_more: bool,
}

impl AmqpSubscription {
    pub(super) async fn start(broker: Arc<Broker>, kinds: &[&str], slots: usize) -> Result<Self, QueueError> {
        let shared_slots = Arc::new(Semaphore::new(slots));
        // Made first, so that its drop hands back the earlier consumers if a later one fails.
        let mut subscription = Self { consumers: Vec::new(), slots: shared_slots, broker };
        for priority in [Priority::High, Priority::Normal] {
            for kind in kinds {
                let broker = &subscription.broker;
                let channel = broker.connection.channel().await?;
                let consumer = QueueConsumer::start(channel, &broker.background_tasks, kind, priority, slots).await;
                subscription.consumers.push(consumer.map_err(|error| broker.address.queue_error(&error))?);
            }
        }
        Ok(subscription)
    }

    /// The next message and the index of its consumer. Cancel-safe: a message that was taken out is returned at once.
    async fn receive(&mut self) -> Result<(usize, Received), QueueError> {
        loop {
            let Some(urgent) = self.consumers.iter().position(|consumer| consumer.may_have_more) else {
                return poll_fn(|context| self.poll_down_to(Priority::Normal, context)).await;
            };
            if let Poll::Ready(received) = poll_once(|context| self.poll_down_to(Priority::High, context)).await {
                return received;
            }
            let consumer = &mut self.consumers[urgent];
            let ready = consumer.count_ready().await.map_err(|error| self.broker.address.unavailable(error))?;
            let limit = if ready > 0 { COUNTED_JOB_TIMEOUT } else { IN_FLIGHT_TIMEOUT };
            let next_urgent = poll_fn(|context| self.poll_down_to(Priority::High, context));
            match timeout(limit, next_urgent).await {
                Ok(received) => return received,
                Err(_) => self.consumers[urgent].may_have_more = ready > 0,
            }
        }
    }

    /// A message of the first consumer that has one, among those of `lowest` priority and above.
    fn poll_down_to(
        &mut self,
        lowest: Priority,
        context: &mut Context<'_>,
    ) -> Poll<Result<(usize, Received), QueueError>> {
        for (index, consumer) in self.consumers.iter_mut().enumerate().filter(|(_, c)| c.priority <= lowest) {
            if let Poll::Ready(received) = Pin::new(&mut consumer.stream).poll_next(context) {
                let received = match received {
                    Some(Ok(received)) => received,
                    Some(Err(error)) => return Poll::Ready(Err(self.broker.address.unavailable(error))),
                    None => return Poll::Ready(Err(self.broker.address.unavailable("it ended the subscription"))),
                };
                consumer.acker.register(received.delivery_tag);
                consumer.may_have_more = consumer.priority == Priority::High;
                return Poll::Ready(Ok((index, received)));
            }
        }
        Poll::Pending
    }

    fn deliver(&self, consumer: usize, received: Received, slot: OwnedSemaphorePermit) -> Delivery {
        let QueueConsumer { kind, priority, acker, .. } = &self.consumers[consumer];
        DeliveryAcker::deliver(self.broker.clone(), acker.clone(), kind.clone(), *priority, received, slot)
    }
}

#[async_trait]
impl Subscription for AmqpSubscription {
    async fn next(&mut self) -> Result<Delivery, QueueError> {
        let slot = self.slots.clone().acquire_owned().await.expect("it is never closed");
        loop {
            let (consumer, received) = self.receive().await?;
            let wait_seconds = message::remaining_wait_seconds(&received.properties);
            if wait_seconds == 0 {
                return Ok(self.deliver(consumer, received, slot));
            }
            // One segment of its wait is over, the next one follows.
            let QueueConsumer { kind, acker, .. } = &self.consumers[consumer];
            let is_lost = received.redelivered || message::is_lost(&received.properties);
            let next = Message::delayed(kind, wait_seconds, received.data).with_lost(is_lost);
            let (broker, acker) = (self.broker.clone(), acker.clone());
            self.broker
                .background_tasks
                .spawn(async move { replace(&broker, &acker, received.delivery_tag, next).await });
        }
    }
}

impl Drop for AmqpSubscription {
    fn drop(&mut self) {
        for consumer in self.consumers.drain(..) {
            self.broker.background_tasks.spawn(consumer.stop(self.broker.clone()));
        }
    }
}

impl QueueConsumer {
    async fn start(
        channel: Channel,
        background_tasks: &BackgroundTasks,
        kind: &str,
        priority: Priority,
        slots: usize,
    ) -> lapin::Result<Self> {
        topology::declare_kind(&channel, kind).await?;
        let prefetch = u16::try_from(slots).unwrap_or(u16::MAX);
        channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
        let (options, no_arguments) = (BasicConsumeOptions::default(), FieldTable::default());
        let queue = ready_queue(kind, priority);
        let stream = channel.basic_consume(queue.into(), "".into(), options, no_arguments).await?;
        let acker = ChannelAcker::start(channel, background_tasks);
        Ok(Self { kind: kind.to_owned(), priority, stream, acker, may_have_more: priority == Priority::High })
    }

    /// How many jobs are ready at the broker. When this returns, everything that the broker sent before has arrived.
    async fn count_ready(&self) -> lapin::Result<u32> {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        let ask = || {
            let queue = ready_queue(&self.kind, self.priority);
            self.acker.channel().queue_declare(queue.into(), passive, FieldTable::default())
        };
        let ready = ask().await?.message_count();
        if ready > 0 {
            return Ok(ready);
        }
        // The broker may answer before it sends what has just left the queue; it sends that before its next answer.
        Ok(ask().await?.message_count())
    }

    /// Cancels the consumer and hands back what was not asked for, as new messages: the broker counts a returned message
    /// as another delivery.
    ///
    /// A delivery that the broker sends while it is being told to stop reaches nobody, and comes back as lost when the
    /// channel is closed. So acknowledgements, each of which makes it send one, are held back for a moment before.
    async fn stop(mut self, broker: Arc<Broker>) {
        self.acker.pause();
        tokio::time::sleep(ACK_PAUSE).await;
        let cancelled = self.acker.channel().basic_cancel(self.stream.tag(), BasicCancelOptions::default()).await;
        self.acker.resume();
        if cancelled.is_err() {
            return;
        }
        while let Some(Ok(received)) = poll_fn(|context| Pin::new(&mut self.stream).poll_next(context)).await {
            self.acker.register(received.delivery_tag);
            let is_lost = received.redelivered || message::is_lost(&received.properties);
            let handed_back = Message::new(&self.kind, Destination::Ready(self.priority), received.data)
                .with_lost(is_lost)
                .with_wait(message::remaining_wait_seconds(&received.properties));
            replace(&broker, &self.acker, received.delivery_tag, handed_back).await;
        }
    }
}

/// Replaces a delivery by another message. If that cannot be published, the delivery returns to the broker.
async fn replace(broker: &Broker, acker: &ChannelAcker, tag: u64, next: Message) {
    match broker.publish_while_owned(acker, &[next]).await {
        Ok(()) => acker.ack(tag),
        Err(QueueError::Stale) => {}
        Err(error) => {
            tracing::warn!("a job could not be handed back and will be delivered again: {error}");
            tokio::time::sleep(super::RETRY_INTERVAL).await;
            acker.nack(tag);
        }
    }
}

fn ready_queue(kind: &str, priority: Priority) -> String {
    match priority {
        Priority::Normal => topology::normal_queue(kind),
        Priority::High => topology::high_queue(kind),
    }
}

async fn poll_once<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    poll_fn(|context| Poll::Ready(poll(context))).await
}
