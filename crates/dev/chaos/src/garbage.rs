//! Messages that are not jobs.

use model::Timestamp;
use model::job::{Envelope, MAX_MESSAGE_BYTES, TrackTagsJob};

/// The kinds whose queues get garbage: all kinds of the run.
const KINDS: [&str; 7] = [
    "playlist.page",
    "track.metadata",
    "tracks.audio",
    "track.analysis",
    "artists.genres",
    "track.tags",
    "track.pitches",
];

/// A message for the queue of `kind`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Garbage {
    pub kind: &'static str,
    pub payload: String,
}

impl Garbage {
    /// The queue of its kind at the broker.
    pub fn queue(&self) -> String {
        format!("spotifai.{}", self.kind)
    }
}

/// `count` messages, all different.
pub fn garbage(count: usize) -> Vec<Garbage> {
    let garbage = |number: usize| Garbage { kind: kind(number), payload: payload(number) };
    (0..count).map(garbage).collect()
}

/// Shifted by one after every round, so that each queue gets each form of payload.
fn kind(number: usize) -> &'static str {
    KINDS[(number + number / KINDS.len()) % KINDS.len()]
}

/// Various forms of payload that are not valid jobs.
fn payload(number: usize) -> String {
    let mut job = Envelope::new(&TrackTagsJob { track_id: format!("garbage-{number}") });
    // The same bytes in every run.
    (job.id, job.enqueued_at) = (format!("garbage-{number}"), Timestamp(0));
    let text = |job: &Envelope| String::from_utf8(job.to_bytes()).expect("JSON is UTF-8");
    match number % 7 {
        // Once is enough for the largest one.
        0 if number == 0 => "x".repeat(MAX_MESSAGE_BYTES + 1),
        0 => format!("\u{0}\u{1}\u{fffd} {number}"),
        1 => format!("no job, number {number}"),
        2 => format!("[{number}]"),
        3 => text(&job)[..60].to_owned() + &number.to_string(),
        // No number: a newer version would wait for a newer worker.
        4 => format!(r#"{{"v":"one","number":{number}}}"#),
        5 => {
            job.kind = "no.such.kind".to_owned();
            text(&job)
        }
        _ => {
            // The right kind for its queue, with a body that is not one of that kind.
            job.kind = kind(number).to_owned();
            job.body = serde_json::json!({"number": number});
            text(&job)
        }
    }
}
