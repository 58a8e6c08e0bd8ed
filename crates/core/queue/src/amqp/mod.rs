//! The AMQP backend: RabbitMQ, for workers on any number of machines.

mod address;
mod background_tasks;
mod channel_acker;
mod connection;
mod dead_letters;
mod delivery_acker;
mod management;
mod message;
mod publisher;
mod subscription;
mod topology;

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
use background_tasks::BackgroundTasks;
use channel_acker::ChannelAcker;
use connection::ConnectionManager;
use dead_letters::DeadLetterScan;
use management::Management;
use message::Message;
use publisher::Publisher;
use subscription::AmqpSubscription;
use topology::QueueRole;

pub use topology::PERMISSIONS;

/// Messages published together: a million jobs must not be in memory twice.
const PUBLISH_BATCH: usize = 1_000;

/// How long to wait before retrying to publish what a finished job needs.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// A queue on a RabbitMQ server, 3.10 or later.
pub struct Amqp {
    broker: Arc<Broker>,
    management: Management,
    /// Kinds that this process has used.
    kinds: Mutex<BTreeSet<String>>,
}

/// What the subscriptions and deliveries of a queue share.
struct Broker {
    address: Address,
    /// For consuming, acknowledging and queries.
    connection: ConnectionManager,
    publisher: Arc<Publisher>,
    background_tasks: BackgroundTasks,
}

impl Broker {
    /// A channel for queries and declarations, which a refusal closes. It is not on the publisher's connection, which the
    /// broker may block for hours.
    async fn query_channel(&self) -> Result<Channel, QueueError> {
        self.connection.channel().await
    }

    /// Publishes what must be safe before a delivery is acknowledged. Retries while the publisher cannot reach the broker
    /// and the delivery is still ours: giving up would only make the job run again.
    ///
    /// # Errors
    /// [`QueueError::Stale`] if the delivery is no longer ours.
    async fn publish_while_owned(&self, acker: &ChannelAcker, messages: &[Message]) -> Result<(), QueueError> {
        while acker.is_open() {
            match self.publisher.publish(messages.to_vec()).await {
                Ok(()) if acker.is_open() => return Ok(()),
                Ok(()) => break,
                Err(QueueError::Unavailable { cause, .. }) => {
                    tracing::warn!("finishing a job waits for the queue: {cause}");
                    tokio::time::sleep(RETRY_INTERVAL).await;
                }
                Err(unusable) => return Err(unusable),
            }
        }
        Err(QueueError::Stale)
    }
}

impl Amqp {
    /// Connects to a broker at `amqp[s]://USER:PASSWORD@HOST[:PORT]/VHOST`. `management` is the base of its management API.
    ///
    /// # Errors
    /// If the address is malformed, or the broker refuses it or cannot be reached.
    pub async fn open(url: &str, management: Option<&str>) -> Result<Self, QueueError> {
        let address = Address::parse(url, management)?;
        let publisher = Publisher::new(address.clone());
        let connection = ConnectionManager::new(address.clone(), "consumer");
        let management = Management::new(&address);
        let background_tasks = BackgroundTasks::default();
        let queue = Self {
            broker: Arc::new(Broker { address, connection, publisher, background_tasks }),
            management,
            kinds: Mutex::default(),
        };
        // A wrong password should be reported now, not when the first job is published.
        queue.broker.publisher.connect().await?;
        Ok(queue)
    }

    fn remember(&self, kinds: impl IntoIterator<Item = impl Into<String>>) {
        let mut known = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(kinds.into_iter().map(Into::into));
    }

    /// All queues with their unacknowledged messages; without the management API the queues of the known kinds, with
    /// unknown counts.
    async fn queues(&self) -> Result<BTreeMap<String, Option<u64>>, QueueError> {
        if let Some(counts) = self.management.unacknowledged().await {
            return Ok(counts);
        }
        let kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let channel = self.broker.query_channel().await?;
        let mut queues = self.broker.publisher.delay_queues();
        for kind in kinds {
            let declared = topology::declare_kind(&channel, &kind).await;
            declared.map_err(|error| self.broker.address.queue_error(&error))?;
            queues.extend([topology::normal_queue(&kind), topology::high_queue(&kind), topology::dead_queue(&kind)]);
        }
        Ok(queues.into_iter().map(|name| (name, None)).collect())
    }

    /// Scans the dead letters of one kind, or of all.
    async fn scan_dead_letters(&self, kind: Option<&str>) -> Result<Vec<DeadLetterScan>, QueueError> {
        let kinds: BTreeSet<String> = match kind {
            Some(kind) => BTreeSet::from([kind.to_owned()]),
            None => {
                let queues = self.queues().await?;
                let parsed = queues.keys().filter_map(|name| topology::parse(name));
                parsed.filter(|(_, role)| *role == QueueRole::Dead).map(|(kind, _)| kind.to_owned()).collect()
            }
        };
        let mut scans = Vec::new();
        for kind in kinds {
            scans.push(DeadLetterScan::start(&self.broker, &kind).await?);
        }
        Ok(scans)
    }

    /// Removes the chosen dead letters, publishing them again if `requeue`; returns how many there were.
    async fn remove_dead_letters(&self, filter: &DeadLetterFilter, requeue: bool) -> Result<usize, QueueError> {
        let scans = self.scan_dead_letters(None).await?;
        let mut chosen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for ListedLetter { listed_id, letter } in list(&scans) {
            if matches!(filter, DeadLetterFilter::All)
                || matches!(filter, DeadLetterFilter::Ids(ids) if ids.contains(&listed_id))
            {
                chosen.entry(letter.kind).or_default().insert(letter.id);
            }
        }
        let mut count = 0;
        for scan in scans {
            match chosen.get(scan.kind()) {
                Some(ids) => count += scan.remove(&self.broker, ids, requeue).await?,
                None => scan.close().await,
            }
        }
        Ok(count)
    }
}

#[async_trait]
impl Queue for Amqp {
    fn register_kinds(&self, kinds: &[&str]) {
        self.remember(kinds.iter().copied());
    }

    async fn publish(&self, jobs: &[Envelope]) -> Result<(), QueueError> {
        for batch in jobs.chunks(PUBLISH_BATCH) {
            self.broker.publisher.publish(batch.iter().map(Message::job).collect()).await?;
        }
        self.remember(jobs.iter().map(|job| job.kind.as_str()).collect::<BTreeSet<_>>());
        Ok(())
    }

    async fn subscribe(&self, kinds: &[&str], slots: usize) -> Result<Box<dyn Subscription>, QueueError> {
        self.remember(kinds.iter().copied());
        let start = || AmqpSubscription::start(self.broker.clone(), kinds, slots);
        let subscription = match start().await {
            // The connection may just have been lost without our having noticed.
            Err(QueueError::Unavailable { .. }) => start().await?,
            started => started?,
        };
        Ok(Box::new(subscription))
    }

    fn blocked(&self) -> Option<String> {
        self.broker.publisher.blocked()
    }

    async fn probe(&self) -> Result<Option<String>, QueueError> {
        self.broker.publisher.probe().await
    }

    async fn flush(&self) {
        self.broker.background_tasks.wait_for_all().await;
    }

    async fn stats(&self) -> Result<Vec<KindStats>, QueueError> {
        let queues = self.queues().await?;
        let channel = self.broker.query_channel().await?;
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        let mut stats: BTreeMap<&str, KindStats> = BTreeMap::new();
        for (name, unacknowledged) in &queues {
            let Some((kind, role)) = topology::parse(name) else { continue };
            let counted = channel.queue_declare(name.as_str().into(), passive, FieldTable::default()).await;
            let ready = counted.map_err(|error| self.broker.address.unavailable(error))?.message_count();
            let ready = u64::from(ready);
            let kind_stats = stats.entry(kind).or_insert_with(|| KindStats {
                kind: kind.to_owned(),
                running: unacknowledged.map(|_| 0),
                ..KindStats::default()
            });
            match role {
                QueueRole::Normal | QueueRole::High => {
                    kind_stats.ready += ready;
                    kind_stats.running = kind_stats.running.zip(*unacknowledged).map(|(running, more)| running + more);
                }
                QueueRole::Delay => kind_stats.delayed += ready,
                // Unacknowledged letters are being listed by somebody.
                QueueRole::Dead => kind_stats.dead += ready + unacknowledged.unwrap_or(0),
            }
        }
        Ok(stats.into_values().collect())
    }

    async fn dead_letters(&self, kind: Option<&str>) -> Result<Vec<DeadLetter>, QueueError> {
        let scans = self.scan_dead_letters(kind).await?;
        let listed = list(&scans).into_iter();
        let letters = listed.map(|ListedLetter { listed_id, letter }| DeadLetter { id: listed_id, ..letter }).collect();
        for scan in scans {
            scan.close().await;
        }
        Ok(letters)
    }

    async fn requeue(&self, filter: &DeadLetterFilter) -> Result<usize, QueueError> {
        self.remove_dead_letters(filter, true).await
    }

    async fn purge(&self, filter: &DeadLetterFilter) -> Result<usize, QueueError> {
        self.remove_dead_letters(filter, false).await
    }
}

/// A letter with the id that it is listed by.
struct ListedLetter {
    listed_id: String,
    letter: DeadLetter,
}

/// All letters, oldest first. If letters of two kinds have the same id, the kind is appended to the id of the younger.
fn list(scans: &[DeadLetterScan]) -> Vec<ListedLetter> {
    let mut letters: Vec<DeadLetter> = scans.iter().flat_map(DeadLetterScan::letters).collect();
    letters.sort_by_key(|letter| letter.died_at);
    let mut used_ids = BTreeSet::new();
    let list = |letter: DeadLetter| {
        let is_first = used_ids.insert(letter.id.clone());
        let listed_id = if is_first { letter.id.clone() } else { format!("{}-{}", letter.id, letter.kind) };
        ListedLetter { listed_id, letter }
    };
    letters.into_iter().map(list).collect()
}
