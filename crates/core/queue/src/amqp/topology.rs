//! The broker's queues: their names, and how they are declared.
//!
//! ```text
//! spotifai.KIND          jobs of normal priority; after 100 unfinished deliveries a job goes to the dead letters
//! spotifai.KIND.high     jobs of high priority
//! spotifai.KIND.dead     dead letters
//! spotifai.KIND.delay.N  a delay of N seconds (a power of two), then back to spotifai.KIND; declared when first needed
//! ```
//!
//! All are quorum queues, with arguments that mean the same to RabbitMQ 3.10 and 4.x: declaring an existing queue with
//! other arguments is an error, also after an upgrade of the server.

use std::time::Duration;

use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::{Channel, Error};

const PREFIX: &str = "spotifai.";

/// The permissions that this program needs, as regular expressions for `rabbitmqctl set_permissions`: our queues, and the
/// default exchange, which routes every message to its queue.
pub const PERMISSIONS: [(&str, &str); 3] =
    [("configure", r"^spotifai\."), ("write", r"^(spotifai\.|amq\.default$)"), ("read", r"^spotifai\.")];

/// Deliveries of one message before the broker dead-letters it. A last resort: the store counts crashed workers and gives
/// up on a job much earlier, whereas the broker counts lost connections, too.
const MAX_DELIVERIES: i64 = 100;

/// No limit, for dead letters: listing them delivers and returns each one. RabbitMQ 4 defaults to 20.
const UNLIMITED_DELIVERIES: i64 = 1_000_000_000;

/// The longest delay segment, in seconds (36 hours); longer waits take several of them.
const MAX_SEGMENT_SECONDS: u64 = 1 << 17;

/// The purpose of one of our queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QueueRole {
    Normal,
    High,
    Dead,
    Delay,
}

pub(super) fn normal_queue(kind: &str) -> String {
    format!("{PREFIX}{kind}")
}

pub(super) fn high_queue(kind: &str) -> String {
    format!("{PREFIX}{kind}.high")
}

pub(super) fn dead_queue(kind: &str) -> String {
    format!("{PREFIX}{kind}.dead")
}

/// The queue that delays messages by `seconds`.
pub(super) fn delay_queue(kind: &str, seconds: u64) -> String {
    format!("{PREFIX}{kind}.delay.{seconds}")
}

/// The first segment of a wait of `seconds` (above 0): the largest power of two in it.
pub(super) fn delay_segment(seconds: u64) -> u64 {
    (1 << seconds.ilog2()).min(MAX_SEGMENT_SECONDS)
}

/// `wait` in whole seconds, rounded up.
pub(super) fn ceil_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// Kind and role of a queue; `None` if it is not one of ours.
pub(super) fn parse(name: &str) -> Option<(&str, QueueRole)> {
    let rest = name.strip_prefix(PREFIX)?;
    if let Some(kind) = rest.strip_suffix(".high") {
        return Some((kind, QueueRole::High));
    }
    if let Some(kind) = rest.strip_suffix(".dead") {
        return Some((kind, QueueRole::Dead));
    }
    if let Some((kind, seconds)) = rest.rsplit_once(".delay.")
        && seconds.parse::<u64>().is_ok()
    {
        return Some((kind, QueueRole::Delay));
    }
    Some((rest, QueueRole::Normal))
}

/// Declares the three queues that every kind has. Idempotent.
pub(super) async fn declare_kind(channel: &Channel, kind: &str) -> Result<(), Error> {
    // The dead letters first: the other two refer to it.
    declare(channel, dead_queue(kind), [("x-delivery-limit", UNLIMITED_DELIVERIES.into())]).await?;
    for queue in [normal_queue(kind), high_queue(kind)] {
        declare(channel, queue, dead_lettering_to(dead_queue(kind), [("x-delivery-limit", MAX_DELIVERIES.into())]))
            .await?;
    }
    Ok(())
}

/// Declares the queue that delays messages by `seconds`. Idempotent.
pub(super) async fn declare_delay(channel: &Channel, kind: &str, seconds: u64) -> Result<(), Error> {
    let time_to_live = AMQPValue::LongLongInt((seconds * 1000) as i64);
    let arguments = dead_lettering_to(
        normal_queue(kind),
        [("x-message-ttl", time_to_live), ("x-delivery-limit", UNLIMITED_DELIVERIES.into())],
    );
    declare(channel, delay_queue(kind, seconds), arguments).await
}

/// Adds to `arguments` that expired and rejected messages move to `queue`: safely stored there before they are removed here.
fn dead_lettering_to<const N: usize>(
    queue: String,
    arguments: [(&'static str, AMQPValue); N],
) -> Vec<(&'static str, AMQPValue)> {
    let mut combined = vec![
        ("x-dead-letter-exchange", text("")),
        ("x-dead-letter-routing-key", text(&queue)),
        ("x-dead-letter-strategy", text("at-least-once")),
        ("x-overflow", text("reject-publish")),
    ];
    combined.extend(arguments);
    combined
}

async fn declare(
    channel: &Channel,
    queue: String,
    arguments: impl IntoIterator<Item = (&'static str, AMQPValue)>,
) -> Result<(), Error> {
    let mut table = FieldTable::default();
    table.insert("x-queue-type".into(), text("quorum"));
    for (name, value) in arguments {
        table.insert(name.into(), value);
    }
    channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), table).await.map(drop)
}

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed_back() {
        for kind in ["track.tags", "a"] {
            let names = [normal_queue(kind), high_queue(kind), dead_queue(kind), delay_queue(kind, 64)];
            let roles = [QueueRole::Normal, QueueRole::High, QueueRole::Dead, QueueRole::Delay];
            for (name, role) in names.iter().zip(roles) {
                assert_eq!(parse(name), Some((kind, role)));
            }
        }
        assert_eq!(parse("celery"), None);
    }

    #[test]
    fn segments_add_up_to_the_wait() {
        for wait in [1, 2, 5, 300, 86_236, 1_000_000] {
            let (mut left, mut segments) = (wait, 0);
            while left > 0 {
                left -= delay_segment(left);
                segments += 1;
            }
            assert!(segments <= 18, "{wait} s take {segments} segments");
        }
    }

    #[test]
    fn a_wait_is_never_shortened() {
        let seconds = |ms| ceil_seconds(Duration::from_millis(ms));
        assert_eq!([seconds(0), seconds(1), seconds(1000), seconds(1001)], [0, 1, 1, 2]);
    }
}
