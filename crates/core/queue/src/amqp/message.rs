//! What a message carries beside its payload.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use model::Timestamp;
use model::job::{Envelope, Priority, truncate_reason};

use super::topology;

/// Seconds that remain to be waited after the delay segment that the message is in.
const WAIT_HEADER: &str = "spotifai-wait";
/// The worker that had the job was lost, and no delivery has reported that yet.
const LOST_HEADER: &str = "spotifai-lost";
/// Why a letter died, and when (ms since the Unix epoch).
const REASON_HEADER: &str = "spotifai-reason";
const DIED_AT_HEADER: &str = "spotifai-died-at";
/// Id of a dead message that is not a job and so has none of its own.
const ID_HEADER: &str = "spotifai-name";

/// AMQP's delivery mode of messages that survive a restart of the broker.
const PERSISTENT: u8 = 2;

/// A message to be published.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) kind: String,
    pub(super) destination: Destination,
    pub(super) payload: Vec<u8>,
    headers: FieldTable,
}

/// Which of its kind's queues a message goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Destination {
    Ready(Priority),
    Delay { seconds: u64 },
    Dead,
}

impl Message {
    /// A job for the queue of its kind and priority.
    pub(super) fn job(job: &Envelope) -> Self {
        Self::new(&job.kind, Destination::Ready(job.priority), job.to_bytes())
    }

    /// Any payload, for a queue of `kind`.
    pub(super) fn new(kind: &str, destination: Destination, payload: Vec<u8>) -> Self {
        Self { kind: kind.to_owned(), destination, payload, headers: FieldTable::default() }
    }

    /// A payload that becomes ready after `seconds`, which must not be 0.
    pub(super) fn delayed(kind: &str, seconds: u64, payload: Vec<u8>) -> Self {
        let segment = topology::delay_segment(seconds);
        let message = Self::new(kind, Destination::Delay { seconds: segment }, payload);
        message.with_header(WAIT_HEADER, AMQPValue::LongLongInt((seconds - segment) as i64))
    }

    /// A dead letter.
    pub(super) fn dead(kind: &str, payload: Vec<u8>, reason: &str, died_at: Timestamp) -> Self {
        let message =
            Self::new(kind, Destination::Dead, payload).with_header(DIED_AT_HEADER, AMQPValue::LongLongInt(died_at.0));
        let id = format!("message-{}", uuid::Uuid::new_v4().simple());
        message
            .with_header(REASON_HEADER, AMQPValue::LongString(truncate_reason(reason).into()))
            .with_header(ID_HEADER, AMQPValue::LongString(id.into()))
    }

    /// The same; if `lost`, its next delivery reports that a worker was lost.
    pub(super) fn with_lost(self, lost: bool) -> Self {
        if lost { self.with_header(LOST_HEADER, AMQPValue::Boolean(true)) } else { self }
    }

    /// The same, with the rest of its wait.
    pub(super) fn with_wait(self, seconds: u64) -> Self {
        if seconds > 0 { self.with_header(WAIT_HEADER, AMQPValue::LongLongInt(seconds as i64)) } else { self }
    }

    /// Name of the queue: the routing key of the default exchange.
    pub(super) fn routing_key(&self) -> String {
        match self.destination {
            Destination::Ready(Priority::Normal) => topology::normal_queue(&self.kind),
            Destination::Ready(Priority::High) => topology::high_queue(&self.kind),
            Destination::Delay { seconds } => topology::delay_queue(&self.kind, seconds),
            Destination::Dead => topology::dead_queue(&self.kind),
        }
    }

    /// Persistent, so that the broker keeps it over a restart.
    pub(super) fn properties(&self) -> BasicProperties {
        let properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
        if self.headers.inner().is_empty() { properties } else { properties.with_headers(self.headers.clone()) }
    }

    fn with_header(mut self, name: &str, value: AMQPValue) -> Self {
        self.headers.insert(name.into(), value);
        self
    }
}

/// Seconds that a message still has to wait.
pub(super) fn remaining_wait_seconds(properties: &BasicProperties) -> u64 {
    integer(properties, WAIT_HEADER).map_or(0, |seconds| seconds.max(0) as u64)
}

/// Whether a worker that had the message was lost and no delivery has reported that yet.
pub(super) fn is_lost(properties: &BasicProperties) -> bool {
    matches!(header(properties, LOST_HEADER), Some(AMQPValue::Boolean(true)))
}

/// Why and when a message died. Messages that the broker itself dead-lettered carry its record instead (`x-death`).
pub(super) fn death(properties: &BasicProperties) -> (String, Timestamp) {
    match header(properties, REASON_HEADER) {
        Some(AMQPValue::LongString(reason)) => {
            (reason.to_string(), Timestamp(integer(properties, DIED_AT_HEADER).unwrap_or_default()))
        }
        _ => (broker_reason(properties), broker_time(properties)),
    }
}

/// The id that a dead message which is not a job was given.
pub(super) fn generated_id(properties: &BasicProperties) -> Option<String> {
    match header(properties, ID_HEADER)? {
        AMQPValue::LongString(id) => Some(id.to_string()),
        _ => None,
    }
}

fn broker_reason(properties: &BasicProperties) -> String {
    match death_record(properties).and_then(|record| record.inner().get("reason")) {
        Some(AMQPValue::LongString(reason)) if reason.as_bytes() == b"delivery_limit" => {
            "delivered again and again without being finished: it may crash its workers".to_owned()
        }
        Some(AMQPValue::LongString(reason)) => format!("dead-lettered by the broker: {reason}"),
        _ => "put among the dead letters by another program".to_owned(),
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
