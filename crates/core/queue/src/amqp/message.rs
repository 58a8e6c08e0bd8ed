//! What a message carries beside its payload.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use model::Timestamp;
use model::job::{Envelope, Priority, short};

use super::names;

/// Seconds still to be waited for after the delay that the message is in.
const WAIT: &str = "spotifai-wait";
/// The worker that had the job before was lost, and nobody has been told yet.
const LOST: &str = "spotifai-lost";
/// Why a letter is dead, and since when (ms since the epoch).
const REASON: &str = "spotifai-reason";
const DIED_AT: &str = "spotifai-died-at";
/// Name of a dead message that is no job and has no id.
const NAME: &str = "spotifai-name";

/// A message on its way to the broker.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) kind: String,
    pub(super) queue: Queue,
    pub(super) payload: Vec<u8>,
    headers: FieldTable,
}

/// Which of its kind's queues a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Queue {
    Ready(Priority),
    Delay { seconds: u64 },
    Dead,
}

impl Message {
    /// A job for the queue of its kind and priority.
    pub(super) fn job(job: &Envelope) -> Self {
        Self::new(&job.kind, Queue::Ready(job.priority), job.to_bytes())
    }

    /// A payload, whatever it says, for a queue of `kind`.
    pub(super) fn new(kind: &str, queue: Queue, payload: Vec<u8>) -> Self {
        Self { kind: kind.to_owned(), queue, payload, headers: FieldTable::default() }
    }

    /// A payload that is to be ready after some seconds (above 0).
    pub(super) fn delayed(kind: &str, seconds: u64, payload: Vec<u8>) -> Self {
        let stretch = names::stretch(seconds);
        let message = Self::new(kind, Queue::Delay { seconds: stretch }, payload);
        message.with(WAIT, AMQPValue::LongLongInt((seconds - stretch) as i64))
    }

    /// A dead letter.
    pub(super) fn dead(kind: &str, payload: Vec<u8>, reason: &str, died_at: Timestamp) -> Self {
        let message = Self::new(kind, Queue::Dead, payload).with(DIED_AT, AMQPValue::LongLongInt(died_at.0));
        let name = format!("message-{}", uuid::Uuid::new_v4().simple());
        message.with(REASON, AMQPValue::LongString(short(reason).into())).with(NAME, AMQPValue::LongString(name.into()))
    }

    /// The same, still to be told that its worker was lost.
    pub(super) fn lost(self, lost: bool) -> Self {
        if lost { self.with(LOST, AMQPValue::Boolean(true)) } else { self }
    }

    /// The same, with what is left of its wait.
    pub(super) fn waiting(self, seconds: u64) -> Self {
        if seconds > 0 { self.with(WAIT, AMQPValue::LongLongInt(seconds as i64)) } else { self }
    }

    /// Name of the queue.
    pub(super) fn routing_key(&self) -> String {
        match self.queue {
            Queue::Ready(Priority::Normal) => names::normal(&self.kind),
            Queue::Ready(Priority::High) => names::high(&self.kind),
            Queue::Delay { seconds } => names::delay(&self.kind, seconds),
            Queue::Dead => names::dead(&self.kind),
        }
    }

    /// Its properties: kept by the broker over a restart.
    pub(super) fn properties(&self) -> BasicProperties {
        let properties = BasicProperties::default().with_delivery_mode(2);
        if self.headers.inner().is_empty() { properties } else { properties.with_headers(self.headers.clone()) }
    }

    fn with(mut self, name: &str, value: AMQPValue) -> Self {
        self.headers.insert(name.into(), value);
        self
    }
}

/// Seconds that a message still has to wait for.
pub(super) fn wait_of(properties: &BasicProperties) -> u64 {
    integer(properties, WAIT).map_or(0, |seconds| seconds.max(0) as u64)
}

/// Whether a worker that had it was lost and nobody has been told.
pub(super) fn is_lost(properties: &BasicProperties) -> bool {
    matches!(header(properties, LOST), Some(AMQPValue::Boolean(true)))
}

/// Why and since when a message is dead. The broker's own dead letters have its record instead (`x-death`).
pub(super) fn death_of(properties: &BasicProperties) -> (String, Timestamp) {
    match header(properties, REASON) {
        Some(AMQPValue::LongString(reason)) => {
            (reason.to_string(), Timestamp(integer(properties, DIED_AT).unwrap_or_default()))
        }
        _ => (broker_reason(properties), broker_time(properties)),
    }
}

/// The name of a dead message that is no job.
pub(super) fn name_of(properties: &BasicProperties) -> Option<String> {
    match header(properties, NAME)? {
        AMQPValue::LongString(name) => Some(name.to_string()),
        _ => None,
    }
}

fn broker_reason(properties: &BasicProperties) -> String {
    match death_record(properties).and_then(|record| record.inner().get("reason")) {
        Some(AMQPValue::LongString(reason)) if reason.as_bytes() == b"delivery_limit" => {
            "delivered again and again without an end: it may kill its workers".to_owned()
        }
        Some(AMQPValue::LongString(reason)) => format!("given up by the broker: {reason}"),
        _ => "put among the dead letters by somebody else".to_owned(),
    }
}

fn broker_time(properties: &BasicProperties) -> Timestamp {
    match death_record(properties).and_then(|record| record.inner().get("time")) {
        Some(AMQPValue::Timestamp(seconds)) => Timestamp((*seconds as i64).saturating_mul(1000)),
        _ => Timestamp::default(),
    }
}

fn death_record(properties: &BasicProperties) -> Option<&FieldTable> {
    let AMQPValue::FieldArray(records) = header(properties, "x-death")? else { return None };
    match records.as_slice().first() {
        Some(AMQPValue::FieldTable(record)) => Some(record),
        _ => None,
    }
}

fn integer(properties: &BasicProperties, name: &str) -> Option<i64> {
    match header(properties, name)? {
        AMQPValue::LongLongInt(value) => Some(*value),
        _ => None,
    }
}

fn header<'a>(properties: &'a BasicProperties, name: &str) -> Option<&'a AMQPValue> {
    properties.headers().as_ref()?.inner().get(name)
}
