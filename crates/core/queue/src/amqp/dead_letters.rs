//! Dead letters. A broker's queue can only be read from its head, so every operation scans a kind's whole queue: chosen
//! letters are republished or dropped, and acknowledged; the others return in their order when the channel is closed.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use lapin::message::BasicGetMessage;
use lapin::options::{BasicAckOptions, BasicGetOptions};
use lapin::protocol::constants::REPLY_SUCCESS;
use lapin::{BasicProperties, Channel};
use model::job::{Envelope, Priority};

use super::Broker;
use super::message::{self, Destination, Message};
use super::topology;
use crate::{DeadLetter, QueueError};

/// The dead letters of one kind, held by this scan until its channel is closed.
pub(super) struct DeadLetterScan {
    kind: String,
    channel: Channel,
    /// Delivery tag, letter and payload.
    letters: Vec<(u64, DeadLetter, Vec<u8>)>,
}

impl DeadLetterScan {
    /// Takes all dead letters of a kind off the queue, unacknowledged.
    pub(super) async fn start(broker: &Broker, kind: &str) -> Result<Self, QueueError> {
        let channel = broker.query_channel().await?;
        let failed = |error| broker.address.queue_error(&error);
        topology::declare_kind(&channel, kind).await.map_err(failed)?;
        let queue = topology::dead_queue(kind);
        let mut letters = Vec::new();
        while let Some(BasicGetMessage { delivery, .. }) =
            channel.basic_get(queue.as_str().into(), BasicGetOptions::default()).await.map_err(failed)?
        {
            let letter = letter(kind, &delivery.data, &delivery.properties);
            letters.push((delivery.delivery_tag, letter, delivery.data));
        }
        Ok(Self { kind: kind.to_owned(), channel, letters })
    }

    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    /// The letters, oldest first, each id once: a job that was published twice and died twice is one letter, the later.
    pub(super) fn letters(&self) -> Vec<DeadLetter> {
        let last: BTreeMap<&str, usize> =
            self.letters.iter().enumerate().map(|(at, (_, letter, _))| (letter.id.as_str(), at)).collect();
        let is_last = |at: usize, letter: &DeadLetter| last[letter.id.as_str()] == at;
        let letters = self.letters.iter().enumerate();
        letters.filter(|(at, (_, letter, _))| is_last(*at, letter)).map(|(_, (_, letter, _))| letter.clone()).collect()
    }

    /// Removes the letters with these ids; with `requeue` each is first published again, with no failed attempts. Returns
    /// how many there were. The other letters stay.
    pub(super) async fn remove(
        self,
        broker: &Broker,
        ids: &BTreeSet<String>,
        requeue: bool,
    ) -> Result<usize, QueueError> {
        let chosen: Vec<_> = self.letters.into_iter().filter(|(_, letter, _)| ids.contains(&letter.id)).collect();
        if requeue {
            let by_id: BTreeMap<&str, Message> =
                chosen.iter().map(|(_, letter, payload)| (letter.id.as_str(), requeued(letter, payload))).collect();
            broker.publisher.publish(by_id.into_values().collect()).await?;
        }
        for (tag, ..) in &chosen {
            let acked = self.channel.basic_ack(*tag, BasicAckOptions::default()).await;
            acked.map_err(|error| broker.address.queue_error(&error))?;
        }
        let _ = self.channel.close(REPLY_SUCCESS, "done".into()).await;
        Ok(chosen.iter().map(|(_, letter, _)| &letter.id).collect::<BTreeSet<_>>().len())
    }

    /// Returns all letters to the queue.
    pub(super) async fn close(self) {
        // If it cannot be closed, the broker has taken the letters back already.
        let _ = self.channel.close(REPLY_SUCCESS, "done".into()).await;
    }
}

fn letter(kind: &str, payload: &[u8], properties: &BasicProperties) -> DeadLetter {
    let (reason, died_at) = message::death(properties);
    let (id, key, history) = match Envelope::parse(payload) {
        Ok(job) => (job.id, Some(job.key), job.history),
        Err(_) => (message::generated_id(properties).unwrap_or_else(|| hashed_id(payload)), None, Vec::new()),
    };
    let payload = String::from_utf8_lossy(payload).into_owned();
    DeadLetter { id, kind: kind.to_owned(), key, reason, died_at, history, payload }
}

/// An id for a message that is not a job and that the broker itself dead-lettered: the same at every scan.
fn hashed_id(payload: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    payload.hash(&mut hasher);
    format!("message-{:016x}", hasher.finish())
}

/// Goes to the queue that the letter died in, whatever kind its envelope names.
fn requeued(letter: &DeadLetter, payload: &[u8]) -> Message {
    match Envelope::parse(payload) {
        Ok(job) => {
            let job = Envelope { attempt: 0, history: Vec::new(), ..job };
            Message::new(&letter.kind, Destination::Ready(job.priority), job.to_bytes())
        }
        Err(_) => Message::new(&letter.kind, Destination::Ready(Priority::Normal), payload.to_vec()),
    }
}
