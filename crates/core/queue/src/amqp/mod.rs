//! The shared home: RabbitMQ, for workers on any number of machines.

mod address;
mod background;
mod dead;
mod link;
mod management;
mod message;
mod names;
mod publisher;
mod settle;
mod subscription;
mod taken;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use lapin::Channel;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use model::job::Envelope;

use crate::{DeadLetter, DeadLetterFilter, KindStats, Queue, QueueError, Subscription};
use address::Address;
use background::Background;
use dead::Walk;
use link::Link;
use management::Management;
use message::Message;
use names::Role;
use publisher::Publisher;
use settle::Settler;
use subscription::Subscribed;

pub use names::PERMISSIONS;

/// Messages that are published together, so that a million of them need not be in memory twice.
const TOGETHER: usize = 1_000;

/// How long after a failure the end of a job is tried again.
const AGAIN: Duration = Duration::from_millis(500);

/// A queue at a RabbitMQ server, 3.10 or later.
pub struct Amqp {
    shared: Arc<Shared>,
    management: Management,
    /// Kinds that this process had to do with.
    kinds: Mutex<BTreeSet<String>>,
}

/// What the subscriptions and deliveries of a queue use together.
struct Shared {
    address: Address,
    consumers: Link,
    publisher: Arc<Publisher>,
    background: Background,
}

impl Shared {
    /// A channel for a question or a declaration; a refusal closes it. It is not of the connection that publishes, on which
    /// the broker may read nothing for hours.
    async fn questions(&self) -> Result<Channel, QueueError> {
        self.consumers.channel().await
    }

    /// Publishes what has to be safe before a delivery is acknowledged. While the delivery is ours it is not given up for a
    /// publisher that is out of reach: its job would only run again. [`QueueError::Stale`] when it is not ours any more.
    async fn publish_while(&self, settler: &Settler, messages: &[Message]) -> Result<(), QueueError> {
        while settler.is_live() {
            match self.publisher.publish(messages.to_vec()).await {
                Ok(()) if settler.is_live() => return Ok(()),
                Ok(()) => break,
                Err(QueueError::Unavailable { cause, .. }) => {
                    tracing::warn!("the end of a job waits for the queue: {cause}");
                    tokio::time::sleep(AGAIN).await;
                }
                Err(refused) => return Err(refused),
            }
        }
        Err(QueueError::Stale)
    }
}

impl Amqp {
    /// Connects to a broker, `amqp[s]://USER:PASSWORD@HOST[:PORT]/VHOST`.
    pub async fn open(url: &str, management: Option<&str>) -> Result<Self, QueueError> {
        let address = Address::parse(url, management)?;
        let publisher = Publisher::new(address.clone());
        let consumers = Link::new(address.clone(), "consumer");
        let management = Management::new(&address);
        let queue = Self {
            shared: Arc::new(Shared { address, consumers, publisher, background: Background::default() }),
            management,
            kinds: Mutex::default(),
        };
        // A wrong password is to be told now, not when the first job comes.
        queue.shared.publisher.connect().await?;
        Ok(queue)
    }

    fn note(&self, kinds: impl IntoIterator<Item = impl Into<String>>) {
        let mut known = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(kinds.into_iter().map(Into::into));
    }

    /// All queues there are with their unacknowledged messages; without the management API those of the known kinds,
    /// with nothing known of these.
    async fn queues(&self) -> Result<BTreeMap<String, Option<u64>>, QueueError> {
        if let Some(counts) = self.management.unacknowledged().await {
            return Ok(counts);
        }
        let kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let channel = self.shared.questions().await?;
        let mut queues = self.shared.publisher.delays();
        for kind in kinds {
            names::declare_kind(&channel, &kind).await.map_err(|error| self.shared.address.failed(&error))?;
            queues.extend([names::normal(&kind), names::high(&kind), names::dead(&kind)]);
        }
        Ok(queues.into_iter().map(|name| (name, None)).collect())
    }

    /// Takes the dead letters of all kinds, or of one, into hand.
    async fn walks(&self, kind: Option<&str>) -> Result<Vec<Walk>, QueueError> {
        let kinds: BTreeSet<String> = match kind {
            Some(kind) => BTreeSet::from([kind.to_owned()]),
            None => {
                let queues = self.queues().await?;
                let dead = queues.keys().filter_map(|name| names::parse(name)).filter(|(_, role)| *role == Role::Dead);
                dead.map(|(kind, _)| kind.to_owned()).collect()
            }
        };
        let mut walks = Vec::new();
        for kind in kinds {
            walks.push(Walk::through(&self.shared, &kind).await?);
        }
        Ok(walks)
    }

    /// Takes the chosen dead letters out, and publishes them again where `revive` says so; returns how many there were.
    async fn take_out(&self, which: &DeadLetterFilter, revive: bool) -> Result<usize, QueueError> {
        let walks = self.walks(None).await?;
        let mut chosen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for Named { shown, letter } in named(&walks) {
            if matches!(which, DeadLetterFilter::All)
                || matches!(which, DeadLetterFilter::Ids(ids) if ids.contains(&shown))
            {
                chosen.entry(letter.kind).or_default().insert(letter.id);
            }
        }
        let mut count = 0;
        for walk in walks {
            match chosen.get(walk.kind()) {
                Some(ids) => count += walk.take_out(&self.shared, ids, revive).await?,
                None => walk.close().await,
            }
        }
        Ok(count)
    }
}

#[async_trait]
impl Queue for Amqp {
    fn expect(&self, kinds: &[&str]) {
        self.note(kinds.iter().copied());
    }

    async fn publish(&self, jobs: &[Envelope]) -> Result<(), QueueError> {
        for some in jobs.chunks(TOGETHER) {
            self.shared.publisher.publish(some.iter().map(Message::job).collect()).await?;
        }
        self.note(jobs.iter().map(|job| job.kind.as_str()).collect::<BTreeSet<_>>());
        Ok(())
    }

    async fn subscribe(&self, kinds: &[&str], slots: usize) -> Result<Box<dyn Subscription>, QueueError> {
        self.note(kinds.iter().copied());
        let start = || Subscribed::start(self.shared.clone(), kinds, slots);
        let subscribed = match start().await {
            // The connection may have been lost with the news still on its way.
            Err(QueueError::Unavailable { .. }) => start().await?,
            started => started?,
        };
        Ok(Box::new(subscribed))
    }

    fn blocked(&self) -> Option<String> {
        self.shared.publisher.blocked()
    }

    async fn probe(&self) -> Result<Option<String>, QueueError> {
        self.shared.publisher.probe().await
    }

    async fn flush(&self) {
        self.shared.background.ended().await;
    }

    async fn stats(&self) -> Result<Vec<KindStats>, QueueError> {
        let queues = self.queues().await?;
        let channel = self.shared.questions().await?;
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        let mut stats: BTreeMap<&str, KindStats> = BTreeMap::new();
        for (name, in_hand) in &queues {
            let Some((kind, role)) = names::parse(name) else { continue };
            let counted = channel.queue_declare(name.as_str().into(), passive, FieldTable::default()).await;
            let ready = u64::from(counted.map_err(|error| self.shared.address.unavailable(error))?.message_count());
            let of_kind = stats.entry(kind).or_insert_with(|| KindStats {
                kind: kind.to_owned(),
                running: in_hand.map(|_| 0),
                ..KindStats::default()
            });
            match role {
                Role::Normal | Role::High => {
                    of_kind.ready += ready;
                    of_kind.running = of_kind.running.zip(*in_hand).map(|(running, more)| running + more);
                }
                Role::Delay => of_kind.delayed += ready,
                // In hand are those that somebody is looking at.
                Role::Dead => of_kind.dead += ready + in_hand.unwrap_or(0),
            }
        }
        Ok(stats.into_values().collect())
    }

    async fn dead_letters(&self, kind: Option<&str>) -> Result<Vec<DeadLetter>, QueueError> {
        let walks = self.walks(kind).await?;
        let letters = named(&walks).into_iter().map(|Named { shown, letter }| DeadLetter { id: shown, ..letter });
        let letters = letters.collect();
        for walk in walks {
            walk.close().await;
        }
        Ok(letters)
    }

    async fn requeue(&self, which: &DeadLetterFilter) -> Result<usize, QueueError> {
        self.take_out(which, true).await
    }

    async fn purge(&self, which: &DeadLetterFilter) -> Result<usize, QueueError> {
        self.take_out(which, false).await
    }
}

/// A letter with the id that it is shown by.
struct Named {
    shown: String,
    letter: DeadLetter,
}

/// All letters, oldest first; one whose id an older letter of another kind has is shown with its kind.
fn named(walks: &[Walk]) -> Vec<Named> {
    let mut letters: Vec<DeadLetter> = walks.iter().flat_map(Walk::letters).collect();
    letters.sort_by_key(|letter| letter.died_at);
    let mut taken = BTreeSet::new();
    let name = |letter: DeadLetter| {
        let is_first = taken.insert(letter.id.clone());
        let shown = if is_first { letter.id.clone() } else { format!("{}-{}", letter.id, letter.kind) };
        Named { shown, letter }
    };
    letters.into_iter().map(name).collect()
}
