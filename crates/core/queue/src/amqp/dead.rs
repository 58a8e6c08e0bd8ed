//! Dead letters. A broker's queue can be read only from its head, so each verb walks the whole queue of a kind: what is
//! taken out is published or dropped, and acknowledged; all else goes back in its order when the channel is closed.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use lapin::message::BasicGetMessage;
use lapin::options::{BasicAckOptions, BasicGetOptions};
use lapin::{BasicProperties, Channel};
use model::job::{Envelope, Priority};

use super::Shared;
use super::message::{self, Message, Queue};
use super::names;
use crate::{DeadLetter, QueueError};

/// The letters of one kind, in the hands of this walk until its channel is closed.
pub(super) struct Walk {
    kind: String,
    channel: Channel,
    letters: Vec<(u64, DeadLetter, Vec<u8>)>,
}

impl Walk {
    /// Takes all dead letters of a kind into hand.
    pub(super) async fn through(shared: &Shared, kind: &str) -> Result<Self, QueueError> {
        let channel = shared.questions().await?;
        let failed = |error| shared.address.failed(&error);
        names::declare_kind(&channel, kind).await.map_err(failed)?;
        let mut letters = Vec::new();
        while let Some(BasicGetMessage { delivery, .. }) =
            channel.basic_get(names::dead(kind).into(), BasicGetOptions::default()).await.map_err(failed)?
        {
            let letter = letter(kind, &delivery.data, &delivery.properties);
            letters.push((delivery.delivery_tag, letter, delivery.data));
        }
        Ok(Self { kind: kind.to_owned(), channel, letters })
    }

    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    /// The letters in the order of their deaths, each once: a job that was published twice and died twice is one, the
    /// later one.
    pub(super) fn letters(&self) -> Vec<DeadLetter> {
        let last: BTreeMap<&str, usize> =
            self.letters.iter().enumerate().map(|(at, (_, letter, _))| (letter.id.as_str(), at)).collect();
        let is_last = |at: usize, letter: &DeadLetter| last[letter.id.as_str()] == at;
        let letters = self.letters.iter().enumerate();
        letters.filter(|(at, (_, letter, _))| is_last(*at, letter)).map(|(_, (_, letter, _))| letter.clone()).collect()
    }

    /// Takes out the letters with these ids; each is published again, with nothing counted against it, where `revive` says
    /// so. Returns how many there were.
    pub(super) async fn take_out(
        self,
        shared: &Shared,
        ids: &BTreeSet<String>,
        revive: bool,
    ) -> Result<usize, QueueError> {
        let chosen: Vec<_> = self.letters.into_iter().filter(|(_, letter, _)| ids.contains(&letter.id)).collect();
        if revive {
            let by_id: BTreeMap<&str, Message> =
                chosen.iter().map(|(_, l, data)| (l.id.as_str(), anew(l, data))).collect();
            shared.publisher.publish(by_id.into_values().collect()).await?;
        }
        for (tag, ..) in &chosen {
            let acked = self.channel.basic_ack(*tag, BasicAckOptions::default()).await;
            acked.map_err(|error| shared.address.failed(&error))?;
        }
        let _ = self.channel.close(200, "done".into()).await;
        Ok(chosen.iter().map(|(_, letter, _)| &letter.id).collect::<BTreeSet<_>>().len())
    }

    /// Puts all back.
    pub(super) async fn close(self) {
        // Where it cannot be closed the broker has taken the letters back already.
        let _ = self.channel.close(200, "done".into()).await;
    }
}

fn letter(kind: &str, payload: &[u8], properties: &BasicProperties) -> DeadLetter {
    let (reason, died_at) = message::death_of(properties);
    let (id, key, history) = match Envelope::parse(payload) {
        Ok(job) => (job.id, Some(job.key), job.history),
        Err(_) => (message::name_of(properties).unwrap_or_else(|| name_by(payload)), None, Vec::new()),
    };
    let payload = String::from_utf8_lossy(payload).into_owned();
    DeadLetter { id, kind: kind.to_owned(), key, reason, died_at, history, payload }
}

/// The name of a message that the broker put here, and that is no job.
fn name_by(payload: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    payload.hash(&mut hasher);
    format!("message-{:016x}", hasher.finish())
}

/// For the queue it died in, whatever its envelope says.
fn anew(letter: &DeadLetter, payload: &[u8]) -> Message {
    match Envelope::parse(payload) {
        Ok(job) => {
            let job = Envelope { attempt: 0, history: Vec::new(), ..job };
            Message::new(&letter.kind, Queue::Ready(job.priority), job.to_bytes())
        }
        Err(_) => Message::new(&letter.kind, Queue::Ready(Priority::Normal), payload.to_vec()),
    }
}
