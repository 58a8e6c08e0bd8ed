//! Publishing. A message is safe once the broker has confirmed it without returning it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::try_join_all;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Confirmation};
use tokio::time::timeout;

use super::address::Address;
use super::connection::ConnectionManager;
use super::message::{Destination, Message};
use super::topology;
use crate::QueueError;

/// How long the broker may take to confirm a batch.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the broker may take to confirm a probe.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long after a confirmation the broker may take to notify us that it blocks the connection.
const BLOCKED_NOTICE_DELAY: Duration = Duration::from_millis(500);

/// A queue that does not exist: messages to it are dropped.
const PROBE_QUEUE: &str = "spotifai.probe";

/// Attempts at a batch: after a lost connection, or after a queue was deleted.
const MAX_PUBLISH_ATTEMPTS: usize = 3;

/// Publishes over a connection of its own: a broker that runs low on memory or disk blocks connections that publish, and
/// acknowledgements must go on meanwhile.
pub(super) struct Publisher {
    address: Address,
    connection: ConnectionManager,
    /// Never locked across an await: a blocked broker may delay a publisher for hours.
    state: Mutex<PublisherState>,
}

#[derive(Default)]
struct PublisherState {
    /// Channels that no batch is using. A batch needs a channel to itself: the confirmation of any message reports all
    /// messages that were returned on its channel so far.
    idle_channels: Vec<Channel>,
    /// Queues known to exist, by kind: `None` for the usual three, else the delay in seconds.
    declared: HashMap<String, HashSet<Option<u64>>>,
    /// Names of all delay queues that this process has used.
    delay_queues: BTreeSet<String>,
}

impl Publisher {
    pub(super) fn new(address: Address) -> Arc<Self> {
        let connection = ConnectionManager::new(address.clone(), "publisher");
        Arc::new(Self { address, connection, state: Mutex::default() })
    }

    /// Returns when every message is safe. Completes even if the caller drops the future.
    pub(super) async fn publish(self: &Arc<Self>, messages: Vec<Message>) -> Result<(), QueueError> {
        if messages.is_empty() {
            return Ok(());
        }
        let publisher = self.clone();
        let published = tokio::spawn(async move { publisher.publish_batch(messages).await });
        published.await.unwrap_or_else(|stopped| Err(self.address.unavailable(stopped)))
    }

    /// Connects, unless connected already.
    pub(super) async fn connect(&self) -> Result<(), QueueError> {
        self.connection.channel().await.map(drop)
    }

    /// Why the broker accepts no messages, if it has told this process. Publishing waits until that is over.
    pub(super) fn blocked(&self) -> Option<String> {
        self.connection.blocked()
    }

    /// Finds out whether the broker accepts messages by publishing one that it drops: only connections that publish are
    /// told that they are blocked.
    pub(super) async fn probe(&self) -> Result<Option<String>, QueueError> {
        let probe = async {
            let channel = self.connection.channel().await?;
            let confirmed = async {
                channel.confirm_select(ConfirmSelectOptions::default()).await?;
                let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
                channel.basic_publish("".into(), PROBE_QUEUE.into(), options, b"", properties).await?.await
            };
            match timeout(PROBE_TIMEOUT, confirmed).await {
                Ok(Ok(_)) => {
                    // During an alarm the first message is still accepted; the notification may arrive after that.
                    tokio::time::sleep(BLOCKED_NOTICE_DELAY).await;
                    Ok(None)
                }
                Ok(Err(error)) => Err(self.address.queue_error(&error)),
                Err(_) => Err(self.unconfirmed(PROBE_TIMEOUT)),
            }
        };
        tokio::select! {
            biased;
            () = self.connection.wait_until_blocked() => Ok(self.connection.blocked()),
            accepted = probe => accepted,
        }
    }

    /// Names of the delay queues that this process has used.
    pub(super) fn delay_queues(&self) -> BTreeSet<String> {
        self.state().delay_queues.clone()
    }

    async fn publish_batch(&self, messages: Vec<Message>) -> Result<(), QueueError> {
        let mut problem = String::new();
        for _ in 0..MAX_PUBLISH_ATTEMPTS {
            let channel = self.prepared_channel(&messages).await?;
            match self.connection.timeout_unless_blocked(CONFIRM_TIMEOUT, send(&channel, &messages)).await {
                Some(Ok(true)) => {
                    self.state().idle_channels.push(channel);
                    return Ok(());
                }
                // A queue that we took for declared is gone. Publish all again: which messages came back is not known.
                Some(Ok(false)) => {
                    problem = "it returns what is published".to_owned();
                    self.state().declared.clear();
                }
                // The connection was lost. Publish all again: twice rather than never.
                Some(Err(error)) => match self.address.queue_error(&error) {
                    unusable @ QueueError::Unusable(_) => return Err(unusable),
                    _ => problem = error.to_string(),
                },
                None => {
                    self.connection.discard().await;
                    self.state().idle_channels.clear();
                    return Err(self.unconfirmed(CONFIRM_TIMEOUT));
                }
            }
        }
        Err(self.address.unavailable(problem))
    }

    fn unconfirmed(&self, timeout: Duration) -> QueueError {
        self.address.unavailable(format_args!("no confirmation within {} s", timeout.as_secs()))
    }

    /// A channel for one batch, with the queues of its messages declared.
    async fn prepared_channel(&self, messages: &[Message]) -> Result<Channel, QueueError> {
        let idle = self.idle_channel();
        let channel = match idle {
            Some(channel) => channel,
            None => {
                let channel = self.connection.channel().await?;
                let confirms = channel.confirm_select(ConfirmSelectOptions::default()).await;
                confirms.map_err(|error| self.address.queue_error(&error))?;
                channel
            }
        };
        for message in messages {
            let delay = match message.destination {
                Destination::Delay { seconds } => Some(seconds),
                Destination::Ready(_) | Destination::Dead => None,
            };
            let is_declared = self.state().declared.get(&message.kind).is_some_and(|delays| delays.contains(&delay));
            if !is_declared {
                // On another channel, since a refusal closes it.
                let declaring = self.connection.channel().await?;
                let declared = match delay {
                    None => topology::declare_kind(&declaring, &message.kind).await,
                    Some(seconds) => topology::declare_delay(&declaring, &message.kind, seconds).await,
                };
                declared.map_err(|error| self.address.queue_error(&error))?;
                let mut state = self.state();
                state.delay_queues.extend(delay.map(|seconds| topology::delay_queue(&message.kind, seconds)));
                state.declared.entry(message.kind.clone()).or_default().insert(delay);
            }
        }
        Ok(channel)
    }

    fn idle_channel(&self) -> Option<Channel> {
        let mut state = self.state();
        state.idle_channels.retain(|channel| channel.status().connected());
        state.idle_channels.pop()
    }

    fn state(&self) -> MutexGuard<'_, PublisherState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends all messages, then waits for all confirmations; `false` if one was returned because no queue took it.
async fn send(channel: &Channel, messages: &[Message]) -> lapin::Result<bool> {
    let options = BasicPublishOptions { mandatory: true, immediate: false };
    let mut confirms = Vec::with_capacity(messages.len());
    for message in messages {
        let (queue, properties) = (message.routing_key(), message.properties());
        confirms.push(channel.basic_publish("".into(), queue.into(), options, &message.payload, properties).await?);
    }
    let confirmations = try_join_all(confirms).await?;
    Ok(confirmations.into_iter().all(|confirmation| confirmation == Confirmation::Ack(None)))
}
