//! Names and declarations of the broker's queues.
//!
//! ```text
//! spotifai.KIND          normal jobs; what is delivered 100 times without an end goes to the dead
//! spotifai.KIND.high     urgent jobs
//! spotifai.KIND.dead     dead letters
//! spotifai.KIND.delay.N  waits N seconds (a power of two), then goes to spotifai.KIND; made when first needed
//! ```
//!
//! All are quorum queues, with arguments that mean the same to RabbitMQ 3.10 and 4.x: a declaration must not differ from
//! the one that an older server took.

use std::time::Duration;

use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::{Channel, Error};

const PREFIX: &str = "spotifai.";

/// What a user may configure, write and read who does nothing but this program's work, as `rabbitmqctl set_permissions`
/// takes it: our queues, and the default exchange, by which every message reaches its queue.
pub const PERMISSIONS: [(&str, &str); 3] =
    [("configure", r"^spotifai\."), ("write", r"^(spotifai\.|amq\.default$)"), ("read", r"^spotifai\.")];

/// Deliveries of one message before the broker takes it for the cause of its workers' deaths. A net below the count in the
/// store, which is lower: the broker's counts lost connections too.
const MOST_DELIVERIES: i64 = 100;

/// For the dead letters, which are looked at by delivery and return: no limit. RabbitMQ 4 takes 20 where none is given.
const ANY_DELIVERIES: i64 = 1_000_000_000;

/// The longest single wait, in seconds (36 hours); longer ones come by here several times.
const LONGEST_DELAY: u64 = 1 << 17;

/// A queue that this program made, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Normal,
    High,
    Dead,
    Delay,
}

pub(super) fn normal(kind: &str) -> String {
    format!("{PREFIX}{kind}")
}

pub(super) fn high(kind: &str) -> String {
    format!("{PREFIX}{kind}.high")
}

pub(super) fn dead(kind: &str) -> String {
    format!("{PREFIX}{kind}.dead")
}

/// The queue that waits `seconds`.
pub(super) fn delay(kind: &str, seconds: u64) -> String {
    format!("{PREFIX}{kind}.delay.{seconds}")
}

/// The next stretch of a wait of `seconds` (above 0): the largest power of two in it.
pub(super) fn stretch(seconds: u64) -> u64 {
    (1 << seconds.ilog2()).min(LONGEST_DELAY)
}

/// Whole seconds that last at least as long as `wait`.
pub(super) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// Kind and role of a queue; `None` for somebody else's.
pub(super) fn parse(name: &str) -> Option<(&str, Role)> {
    let rest = name.strip_prefix(PREFIX)?;
    if let Some(kind) = rest.strip_suffix(".high") {
        return Some((kind, Role::High));
    }
    if let Some(kind) = rest.strip_suffix(".dead") {
        return Some((kind, Role::Dead));
    }
    if let Some((kind, seconds)) = rest.rsplit_once(".delay.")
        && seconds.parse::<u64>().is_ok()
    {
        return Some((kind, Role::Delay));
    }
    Some((rest, Role::Normal))
}

/// Declares the three queues that every kind has; nothing where they are there.
pub(super) async fn declare_kind(channel: &Channel, kind: &str) -> Result<(), Error> {
    // The dead first: the others name it.
    declare(channel, dead(kind), [("x-delivery-limit", ANY_DELIVERIES.into())]).await?;
    for queue in [normal(kind), high(kind)] {
        declare(channel, queue, returning_to(dead(kind), [("x-delivery-limit", MOST_DELIVERIES.into())])).await?;
    }
    Ok(())
}

/// Declares the queue that waits `seconds`.
pub(super) async fn declare_delay(channel: &Channel, kind: &str, seconds: u64) -> Result<(), Error> {
    let time_to_live = AMQPValue::LongLongInt((seconds * 1000) as i64);
    let arguments =
        returning_to(normal(kind), [("x-message-ttl", time_to_live), ("x-delivery-limit", ANY_DELIVERIES.into())]);
    declare(channel, delay(kind, seconds), arguments).await
}

/// What leaves the queue unacknowledged goes on to another one, safe there before it is gone here.
fn returning_to<const N: usize>(
    queue: String,
    arguments: [(&'static str, AMQPValue); N],
) -> Vec<(&'static str, AMQPValue)> {
    let mut all = vec![
        ("x-dead-letter-exchange", text("")),
        ("x-dead-letter-routing-key", text(&queue)),
        ("x-dead-letter-strategy", text("at-least-once")),
        ("x-overflow", text("reject-publish")),
    ];
    all.extend(arguments);
    all
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
    fn names_are_told_apart() {
        for kind in ["track.tags", "a"] {
            let names = [normal(kind), high(kind), dead(kind), delay(kind, 64)];
            let roles = [Role::Normal, Role::High, Role::Dead, Role::Delay];
            for (name, role) in names.iter().zip(roles) {
                assert_eq!(parse(name), Some((kind, role)));
            }
        }
        assert_eq!(parse("celery"), None);
    }

    #[test]
    fn stretches_make_up_the_wait() {
        for wait in [1, 2, 5, 300, 86_236, 1_000_000] {
            let (mut left, mut stretches) = (wait, 0);
            while left > 0 {
                left -= stretch(left);
                stretches += 1;
            }
            assert!(stretches <= 18, "{wait} s take {stretches} stretches");
        }
    }

    #[test]
    fn a_wait_is_never_shortened() {
        let seconds = |ms| whole_seconds(Duration::from_millis(ms));
        assert_eq!([seconds(0), seconds(1), seconds(1000), seconds(1001)], [0, 1, 1, 2]);
    }
}
