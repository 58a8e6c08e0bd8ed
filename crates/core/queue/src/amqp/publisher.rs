//! Publishing: a message is safe when the broker confirmed it and did not return it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::try_join_all;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Confirmation};
use tokio::time::timeout;

use super::address::Address;
use super::link::Link;
use super::message::{Message, Queue};
use super::names;
use crate::QueueError;

/// How long the broker may take to confirm.
const CONFIRM: Duration = Duration::from_secs(30);

/// How long it may take where somebody wants to know whether it does.
const ANSWER: Duration = Duration::from_secs(5);

/// How long after a confirmation the broker may take to say that it blocks the connection.
const NEWS: Duration = Duration::from_millis(500);

/// Name of a queue that there is not.
const PROBE: &str = "spotifai.probe";

/// A lost connection is made again, and a queue that was deleted is declared again, so often.
const TRIES: usize = 3;

/// Publishes over a connection of its own: the broker stops those who publish when it runs short, and acknowledgements
/// must go on then.
pub(super) struct Publisher {
    address: Address,
    link: Link,
    /// Locked for a look at a time: a blocked broker may have a publisher wait for hours.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Channels that no batch is using. Each has one to itself: a message that comes back is told of with the confirmation
    /// of any message of its channel.
    free: Vec<Channel>,
    /// Queues that were there a moment ago, by kind: the usual three, or the delay of so many seconds.
    declared: HashMap<String, HashSet<Option<u64>>>,
    /// Names of all delay queues that were ever used here.
    delays: BTreeSet<String>,
}

impl Publisher {
    pub(super) fn new(address: Address) -> Arc<Self> {
        let link = Link::new(address.clone(), "publisher");
        Arc::new(Self { address, link, state: Mutex::default() })
    }

    /// Returns when every message is safe. It goes on to its end though the caller lets go of it.
    pub(super) async fn publish(self: &Arc<Self>, messages: Vec<Message>) -> Result<(), QueueError> {
        if messages.is_empty() {
            return Ok(());
        }
        let publisher = self.clone();
        let published = tokio::spawn(async move { publisher.publish_all(messages).await });
        published.await.unwrap_or_else(|stopped| Err(self.address.unavailable(stopped)))
    }

    /// Connects, where that was not done yet.
    pub(super) async fn connect(&self) -> Result<(), QueueError> {
        self.link.channel().await.map(drop)
    }

    /// Why the broker accepts no messages, as far as it was said here. Who publishes waits until that is over.
    pub(super) fn blocked(&self) -> Option<String> {
        self.link.blocked()
    }

    /// Finds out whether the broker accepts messages, by one for no queue, which it throws away. It says so to those only
    /// who publish.
    pub(super) async fn probe(&self) -> Result<Option<String>, QueueError> {
        let probe = async {
            let channel = self.link.channel().await?;
            let confirmed = async {
                channel.confirm_select(ConfirmSelectOptions::default()).await?;
                let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
                channel.basic_publish("".into(), PROBE.into(), options, b"", properties).await?.await
            };
            match timeout(ANSWER, confirmed).await {
                Ok(Ok(_)) => {
                    // During an alarm the first message is still taken, and what blocks the next may be told after that.
                    tokio::time::sleep(NEWS).await;
                    Ok(None)
                }
                Ok(Err(error)) => Err(self.address.failed(&error)),
                Err(_) => Err(self.address.unavailable(format_args!("no confirmation in {} s", ANSWER.as_secs()))),
            }
        };
        tokio::select! {
            biased;
            () = self.link.block() => Ok(self.link.blocked()),
            answer = probe => answer,
        }
    }

    /// Names of the delay queues that this process used.
    pub(super) fn delays(&self) -> BTreeSet<String> {
        self.state().delays.clone()
    }

    async fn publish_all(&self, messages: Vec<Message>) -> Result<(), QueueError> {
        let mut problem = String::new();
        for _ in 0..TRIES {
            let channel = self.ready(&messages).await?;
            match self.link.patiently(CONFIRM, send(&channel, &messages)).await {
                Some(Ok(true)) => {
                    self.state().free.push(channel);
                    return Ok(());
                }
                // All again, since it is not told which came back: what was taken for declared is not there.
                Some(Ok(false)) => {
                    problem = "it returns what is published".to_owned();
                    self.state().declared.clear();
                }
                // The connection was lost: all again, twice rather than never.
                Some(Err(error)) => match self.address.failed(&error) {
                    refused @ QueueError::Unusable(_) => return Err(refused),
                    _ => problem = error.to_string(),
                },
                None => {
                    self.link.forget().await;
                    self.state().free.clear();
                    return Err(self.address.unavailable(format_args!("no confirmation in {} s", CONFIRM.as_secs())));
                }
            }
        }
        Err(self.address.unavailable(problem))
    }

    /// A channel for one batch, with the queues of its messages declared.
    async fn ready(&self, messages: &[Message]) -> Result<Channel, QueueError> {
        let free = self.free_channel();
        let channel = match free {
            Some(channel) => channel,
            None => {
                let channel = self.link.channel().await?;
                let confirms = channel.confirm_select(ConfirmSelectOptions::default()).await;
                confirms.map_err(|error| self.address.failed(&error))?;
                channel
            }
        };
        for message in messages {
            let seconds = match message.queue {
                Queue::Delay { seconds } => Some(seconds),
                Queue::Ready(_) | Queue::Dead => None,
            };
            let is_there = self.state().declared.get(&message.kind).is_some_and(|there| there.contains(&seconds));
            if !is_there {
                // On a channel of its own, which a refusal closes.
                let asking = self.link.channel().await?;
                let declared = match seconds {
                    None => names::declare_kind(&asking, &message.kind).await,
                    Some(seconds) => names::declare_delay(&asking, &message.kind, seconds).await,
                };
                declared.map_err(|error| self.address.failed(&error))?;
                let mut state = self.state();
                state.delays.extend(seconds.map(|seconds| names::delay(&message.kind, seconds)));
                state.declared.entry(message.kind.clone()).or_default().insert(seconds);
            }
        }
        Ok(channel)
    }

    fn free_channel(&self) -> Option<Channel> {
        let mut state = self.state();
        state.free.retain(|channel| channel.status().connected());
        state.free.pop()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends all, then waits for all; `false` where one of them came back because no queue took it.
async fn send(channel: &Channel, messages: &[Message]) -> lapin::Result<bool> {
    let options = BasicPublishOptions { mandatory: true, immediate: false };
    let mut confirms = Vec::with_capacity(messages.len());
    for message in messages {
        let (queue, properties) = (message.routing_key(), message.properties());
        confirms.push(channel.basic_publish("".into(), queue.into(), options, &message.payload, properties).await?);
    }
    Ok(try_join_all(confirms).await?.into_iter().all(|told| told == Confirmation::Ack(None)))
}
