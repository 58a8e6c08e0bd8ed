//! Reading messages: of this version of the envelope, and of the one before it.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::plain;

use super::{Envelope, MOST_BYTES, VERSION};

/// The most versions that a message may be ahead: what claims more is no job of a program to come, which would wait for ever.
const MOST_AHEAD: u64 = 100;

/// Why a message is not a job of this program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEnvelope {
    /// Not JSON, or not the envelope's shape.
    #[error("not a job envelope: {0}")]
    Malformed(String),
    /// Larger than any job.
    #[error("a message of {0} bytes is no job: at most {MOST_BYTES} are read")]
    TooLarge(usize),
    /// Of a version to come: a newer program can run it.
    #[error("envelope version {found} is newer than this program, which reads up to version {known}: update it")]
    Newer {
        /// The message's version.
        found: u64,
        /// The newest version that is read.
        known: u32,
    },
    /// More than one version back.
    #[error("envelope version {found} is too old: this program reads version {known} and the one before it")]
    TooOld {
        /// The message's version.
        found: u64,
        /// The newest version that is read.
        known: u32,
    },
}

/// How messages are read by programs that write one version of the envelope.
///
/// Who raises [`VERSION`] writes the step from the version before into [`Format::CURRENT`], in place of the step that is
/// there: what is two versions back is then too old.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// The version that is written.
    pub version: u32,
    /// Turns the fields of the version before into those of this one; the version itself is set by the reader.
    pub upgrade: fn(&mut Map<String, Value>),
}

impl Format {
    /// This program's.
    pub const CURRENT: Self = Self { version: VERSION, upgrade: from_version_0 };

    /// Reads a message.
    ///
    /// # Errors
    /// Where it is no job of this version or the one before.
    pub fn parse(&self, payload: &[u8]) -> Result<Envelope, BadEnvelope> {
        if payload.len() > MOST_BYTES {
            return Err(BadEnvelope::TooLarge(payload.len()));
        }
        // Nearly every message is of this version and needs no second look.
        if let Ok(job) = serde_json::from_slice::<Envelope>(payload)
            && job.v == self.version
        {
            return Ok(job);
        }
        let message: Value = serde_json::from_slice(payload).map_err(|error| malformed(plain::json(&error)))?;
        let (known, now) = (self.version, u64::from(self.version));
        let Some(version) = message.get("v") else { return Err(malformed("it has no version `v`")) };
        match version.as_u64() {
            None => Err(malformed("its version `v` is not a whole number")),
            Some(found) if found > now + MOST_AHEAD => {
                Err(malformed(format_args!("version {found} is more than {MOST_AHEAD} ahead of this program's")))
            }
            // Its shape is its own.
            Some(found) if found > now => Err(BadEnvelope::Newer { found, known }),
            Some(found) if found == now => envelope(message),
            Some(found) if found + 1 == now => self.upgraded(message),
            Some(found) => Err(BadEnvelope::TooOld { found, known }),
        }
    }

    fn upgraded(&self, mut message: Value) -> Result<Envelope, BadEnvelope> {
        if let Value::Object(fields) = &mut message {
            (self.upgrade)(fields);
            fields.insert("v".into(), self.version.into());
        }
        envelope(message)
    }
}

impl Envelope {
    /// Reads a message of this version, or of the one before.
    pub fn parse(payload: &[u8]) -> Result<Self, BadEnvelope> {
        Format::CURRENT.parse(payload)
    }
}

/// The job of a message of this version.
fn envelope(message: Value) -> Result<Envelope, BadEnvelope> {
    Envelope::deserialize(&message).map_err(|_| malformed(misfit(&message)))
}

/// The first field that is missing, or of another kind than it has to be.
fn misfit(message: &Value) -> String {
    let misfits = |name: &str, kind: &str, fits: fn(&Value) -> bool| match message.get(name) {
        None => Some(format!("the field `{name}` is missing")),
        Some(value) if !fits(value) => Some(format!("the field `{name}` is not {kind}")),
        Some(_) => None,
    };
    let is_count = |value: &Value| value.as_u64().is_some_and(|count| u32::try_from(count).is_ok());
    let texts = ["id", "kind", "key"].into_iter().find_map(|name| misfits(name, "a text", Value::is_string));
    texts
        .or_else(|| misfits("attempt", "a whole number, 0 or more", is_count))
        .or_else(|| misfits("enqueued_at", "a whole number of milliseconds", Value::is_i64))
        .or_else(|| misfits("body", "there", |_| true))
        .unwrap_or_else(|| {
            "one of the fields `trace`, `run`, `priority` and `history` is not what it has to be".to_owned()
        })
}

fn malformed(why: impl ToString) -> BadEnvelope {
    BadEnvelope::Malformed(why.to_string())
}

/// Version 0 is a job that nobody has tried yet: `id`, `kind`, `key` and `body`, without the fields that count attempts and
/// time. No release has sent it; scripts may, which then need no clock.
fn from_version_0(fields: &mut Map<String, Value>) {
    fields.entry("attempt").or_insert(json!(0));
    fields.entry("enqueued_at").or_insert(json!(0));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{JobBody, SearchRefitJob};

    /// A program of version 7, in which `about` became `key`.
    const SEVEN: Format = Format {
        version: 7,
        upgrade: |fields| {
            if let Some(about) = fields.remove("about") {
                fields.insert("key".into(), about);
            }
        },
    };

    fn message(v: u64, key: &str) -> Vec<u8> {
        let body = json!({ "search": "s1" });
        let message = json!({ "v": v, "id": "x", "kind": SearchRefitJob::KIND, key: "s1", "attempt": 2, "enqueued_at": 9, "body": body });
        message.to_string().into_bytes()
    }

    #[test]
    fn one_version_back_is_upgraded_and_written_as_this_one() {
        let now = SEVEN.parse(&message(7, "key")).unwrap();
        let before = SEVEN.parse(&message(6, "about")).unwrap();
        assert_eq!((before.v, before.key.as_str(), before.attempt), (7, "s1", 2));
        assert_eq!(before, now);
        assert_eq!(SEVEN.parse(&before.to_bytes()), Ok(now));
    }

    #[test]
    fn newer_and_two_versions_back_are_told_apart() {
        for found in [8, 9, 107] {
            assert_eq!(SEVEN.parse(&message(found, "whatever")), Err(BadEnvelope::Newer { found, known: 7 }));
        }
        for found in [108, u64::MAX] {
            assert!(matches!(SEVEN.parse(&message(found, "key")), Err(BadEnvelope::Malformed(_))), "{found}");
        }
        for found in [0, 5] {
            assert_eq!(SEVEN.parse(&message(found, "key")), Err(BadEnvelope::TooOld { found, known: 7 }));
        }
    }

    #[test]
    fn a_body_of_another_shape_is_no_job_in_either_version() {
        for v in [6, 7] {
            let text = format!(r#"{{"v":{v},"id":3}}"#);
            assert!(matches!(SEVEN.parse(text.as_bytes()), Err(BadEnvelope::Malformed(_))), "{v}");
        }
    }

    #[test]
    fn what_is_no_envelope_is_told_in_plain_words() {
        let good = Envelope::new(&SearchRefitJob { search: "s1".into() }).to_bytes();
        let with = |field: &str, value: Option<Value>| {
            let mut message: Map<String, Value> = serde_json::from_slice(&good).unwrap();
            message.remove(field);
            message.extend(value.map(|value| (field.to_owned(), value)));
            Value::from(message).to_string()
        };
        for (message, said) in [
            (with("v", None), "it has no version `v`"),
            (with("v", Some(json!("1"))), "its version `v` is not a whole number"),
            (with("v", Some(json!("2"))), "its version `v` is not a whole number"),
            (with("v", Some(json!(1.0))), "its version `v` is not a whole number"),
            (with("v", Some(json!(-1))), "its version `v` is not a whole number"),
            (with("v", Some(json!(null))), "its version `v` is not a whole number"),
            (with("id", None), "the field `id` is missing"),
            (with("key", Some(json!(7))), "the field `key` is not a text"),
            (with("attempt", Some(json!("2"))), "the field `attempt` is not a whole number, 0 or more"),
            (
                with("enqueued_at", Some(json!("today"))),
                "the field `enqueued_at` is not a whole number of milliseconds",
            ),
            (with("body", None), "the field `body` is missing"),
            (
                with("priority", Some(json!("low"))),
                "one of the fields `trace`, `run`, `priority` and `history` is not what it has to be",
            ),
            ("[1]".to_owned(), "it has no version `v`"),
            ("garbage".to_owned(), "it is no JSON: it cannot be read from line 1, column 1 on"),
            (String::new(), "it is empty"),
        ] {
            let read = Format::CURRENT.parse(message.as_bytes());
            assert_eq!(read, Err(BadEnvelope::Malformed(said.to_owned())), "{message}");
        }
    }

    #[test]
    fn a_job_of_version_0_has_not_been_tried() {
        let text = r#"{"v":0,"id":"x","kind":"search.refit","key":"s1","body":{"search":"s1"}}"#;
        let job = Format::CURRENT.parse(text.as_bytes()).unwrap();
        assert_eq!((job.v, job.attempt, job.key.as_str()), (VERSION, 0, "s1"));
    }
}
