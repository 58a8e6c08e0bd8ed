//! Publishing: a message is safe when the broker confirmed it and did not return it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{Channel, Confirmation};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::address::Address;
use super::link::Link;
use super::message::{Message, Queue};
use super::names;
use crate::QueueError;

/// How long the broker may take to confirm.
const CONFIRM: Duration = Duration::from_secs(30);

/// A lost connection is made again, and a queue that was deleted is declared again, so often.
const TRIES: usize = 3;

/// Publishes over a connection of its own: the broker stops those who publish when it runs short, and acknowledgements
/// must go on then.
pub(super) struct Publisher {
    address: Address,
    link: Link,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    channel: Option<Channel>,
    /// Queues that were there a moment ago, by kind: the usual three, or the delay of so many seconds.
    declared: HashMap<String, HashSet<Option<u64>>>,
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

    /// A channel for a question or a declaration; a refusal closes it.
    pub(super) async fn channel(&self) -> Result<Channel, QueueError> {
        self.link.channel().await
    }

    /// Names of the delay queues that this process declared.
    pub(super) async fn delays(&self) -> BTreeSet<String> {
        let state = self.state.lock().await;
        let of_kind = |(kind, there): (&String, &HashSet<Option<u64>>)| {
            there.iter().flatten().map(|seconds| names::delay(kind, *seconds)).collect::<Vec<_>>()
        };
        state.declared.iter().flat_map(of_kind).collect()
    }

    async fn publish_all(&self, mut messages: Vec<Message>) -> Result<(), QueueError> {
        let mut problem = String::new();
        for _ in 0..TRIES {
            let channel = self.ready(&messages).await?;
            let returned = match timeout(CONFIRM, send(&channel, &messages)).await {
                Ok(Ok(returned)) => returned,
                // The connection was lost: all again, twice rather than never.
                Ok(Err(error)) => {
                    problem = error.to_string();
                    continue;
                }
                Err(_) if self.link.is_blocked().await => {
                    return Err(self.address.unavailable("it accepts nothing: its memory or disk runs short"));
                }
                Err(_) => {
                    self.link.forget().await;
                    return Err(self.address.unavailable(format_args!("no confirmation in {} s", CONFIRM.as_secs())));
                }
            };
            if !returned.contains(&true) {
                return Ok(());
            }
            let mut is_back = returned.into_iter();
            messages.retain(|_| is_back.next() == Some(true));
            problem = format!("it returns what is published to `{}`", messages[0].routing_key());
            // What was taken for declared is not there.
            self.state.lock().await.declared.clear();
        }
        Err(self.address.unavailable(problem))
    }

    /// The channel in force, with the queues of these messages declared.
    async fn ready(&self, messages: &[Message]) -> Result<Channel, QueueError> {
        let mut state = self.state.lock().await;
        let channel = match &state.channel {
            Some(channel) if channel.status().connected() => channel.clone(),
            _ => {
                let channel = self.link.channel().await?;
                let confirms = channel.confirm_select(ConfirmSelectOptions::default()).await;
                confirms.map_err(|error| self.address.failed(&error))?;
                *state = State { channel: Some(channel.clone()), declared: HashMap::new() };
                channel
            }
        };
        for message in messages {
            let seconds = match message.queue {
                Queue::Delay { seconds } => Some(seconds),
                Queue::Ready(_) | Queue::Dead => None,
            };
            if !state.declared.get(&message.kind).is_some_and(|there| there.contains(&seconds)) {
                // On a channel of its own, which a refusal closes.
                let asking = self.link.channel().await?;
                let declared = match seconds {
                    None => names::declare_kind(&asking, &message.kind).await,
                    Some(seconds) => names::declare_delay(&asking, &message.kind, seconds).await,
                };
                declared.map_err(|error| self.address.failed(&error))?;
                state.declared.entry(message.kind.clone()).or_default().insert(seconds);
            }
        }
        Ok(channel)
    }
}

/// Sends all, then waits for all; tells of each whether it came back because no queue took it.
async fn send(channel: &Channel, messages: &[Message]) -> lapin::Result<Vec<bool>> {
    let options = BasicPublishOptions { mandatory: true, immediate: false };
    let mut confirms = Vec::with_capacity(messages.len());
    for message in messages {
        let (queue, properties) = (message.routing_key(), message.properties());
        confirms.push(channel.basic_publish("".into(), queue.into(), options, &message.payload, properties).await?);
    }
    let confirmed = try_join_all(confirms).await?;
    Ok(confirmed.into_iter().map(|told| told != Confirmation::Ack(None)).collect())
}
