//! Parses messages of this version of the envelope, and of the one before.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::explain;

use super::{Envelope, MAX_MESSAGE_BYTES, VERSION};

/// How many versions a message may be ahead. One that claims more is garbage: it would wait for a newer program for ever.
const MAX_VERSIONS_AHEAD: u64 = 100;

/// Why a message is not a job that this program can run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEnvelope {
    /// Not JSON, or not the envelope's shape.
    #[error("not a job envelope: {0}")]
    Malformed(String),
    /// Larger than any job.
    #[error("a message of {0} bytes is too large for a job: at most {MAX_MESSAGE_BYTES} bytes are read")]
    TooLarge(usize),
    /// Of a newer version: a newer program can run it.
    #[error("envelope version {found} is newer than this program, which reads up to version {known}: update it")]
    Newer {
        /// The message's version.
        found: u64,
        /// The newest version that is read.
        known: u32,
    },
    /// More than one version older.
    #[error("envelope version {found} is too old: this program reads version {known} and the one before it")]
    TooOld {
        /// The message's version.
        found: u64,
        /// The newest version that is read.
        known: u32,
    },
}

/// A version of the envelope, and how to upgrade messages of the version before.
///
/// To raise [`VERSION`], replace the upgrade in [`EnvelopeFormat::CURRENT`] by one from the version before: messages of two
/// versions before are then too old.
#[derive(Debug, Clone, Copy)]
pub struct EnvelopeFormat {
    /// The version that is written.
    pub version: u32,
    /// Turns the fields of the version before into those of this one. The version number itself is set by `parse`.
    pub upgrade: fn(&mut Map<String, Value>),
}

impl EnvelopeFormat {
    /// The format of this program.
    pub const CURRENT: Self = Self { version: VERSION, upgrade: from_version_0 };

    /// Parses a message.
    ///
    /// # Errors
    /// If it is not a job of this version or the one before.
    pub fn parse(&self, payload: &[u8]) -> Result<Envelope, BadEnvelope> {
        if payload.len() > MAX_MESSAGE_BYTES {
            return Err(BadEnvelope::TooLarge(payload.len()));
        }
        // The fast path: nearly every message is of this version.
        if let Ok(job) = serde_json::from_slice::<Envelope>(payload)
            && job.v == self.version
        {
            return Ok(job);
        }
        let message: Value = serde_json::from_slice(payload).map_err(|error| malformed(explain::json(&error)))?;
        let (known, now) = (self.version, u64::from(self.version));
        let Some(version) = message.get("v") else { return Err(malformed("it has no version `v`")) };
        match version.as_u64() {
            None => Err(malformed("its version `v` is not a whole number")),
            Some(found) if found > now + MAX_VERSIONS_AHEAD => Err(malformed(format_args!(
                "version {found} is more than {MAX_VERSIONS_AHEAD} ahead of this program's"
            ))),
            // Its fields may differ.
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
    /// Parses a message of this version, or of the one before.
    ///
    /// # Errors
    /// If it is neither.
    pub fn parse(payload: &[u8]) -> Result<Self, BadEnvelope> {
        EnvelopeFormat::CURRENT.parse(payload)
    }
}

/// The job of a message of this version.
fn envelope(message: Value) -> Result<Envelope, BadEnvelope> {
    Envelope::deserialize(&message).map_err(|_| malformed(mismatch(&message)))
}

/// The first field that is missing or has the wrong type.
fn mismatch(message: &Value) -> String {
    let mismatch_of = |name: &str, kind: &str, fits: fn(&Value) -> bool| match message.get(name) {
        None => Some(format!("the field `{name}` is missing")),
        Some(value) if !fits(value) => Some(format!("the field `{name}` is not {kind}")),
        Some(_) => None,
    };
    let is_count = |value: &Value| value.as_u64().is_some_and(|count| u32::try_from(count).is_ok());
    let texts = ["id", "kind", "key"].into_iter().find_map(|name| mismatch_of(name, "a string", Value::is_string));
    texts
        .or_else(|| mismatch_of("attempt", "a whole number, 0 or more", is_count))
        .or_else(|| mismatch_of("enqueued_at", "a whole number of milliseconds", Value::is_i64))
        .or_else(|| mismatch_of("body", "there", |_| true))
        .unwrap_or_else(|| "one of the fields `trace`, `run`, `priority` and `history` has the wrong type".to_owned())
}

fn malformed(why: impl ToString) -> BadEnvelope {
    BadEnvelope::Malformed(why.to_string())
}

/// Version 0 has only `id`, `kind`, `key` and `body`: a job without attempts or times. No release has published it; scripts
/// may, and then need no clock.
fn from_version_0(fields: &mut Map<String, Value>) {
    fields.entry("attempt").or_insert(json!(0));
    fields.entry("enqueued_at").or_insert(json!(0));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{JobBody, SearchRefitJob};

    /// A program of version 7, in which `about` became `key`.
    const VERSION_7: EnvelopeFormat = EnvelopeFormat {
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
        let now = VERSION_7.parse(&message(7, "key")).unwrap();
        let before = VERSION_7.parse(&message(6, "about")).unwrap();
        assert_eq!((before.v, before.key.as_str(), before.attempt), (7, "s1", 2));
        assert_eq!(before, now);
        assert_eq!(VERSION_7.parse(&before.to_bytes()), Ok(now));
    }

    #[test]
    fn newer_and_two_versions_back_are_told_apart() {
        for found in [8, 9, 107] {
            assert_eq!(VERSION_7.parse(&message(found, "whatever")), Err(BadEnvelope::Newer { found, known: 7 }));
        }
        for found in [108, u64::MAX] {
            assert!(matches!(VERSION_7.parse(&message(found, "key")), Err(BadEnvelope::Malformed(_))), "{found}");
        }
        for found in [0, 5] {
            assert_eq!(VERSION_7.parse(&message(found, "key")), Err(BadEnvelope::TooOld { found, known: 7 }));
        }
    }

    #[test]
    fn a_body_of_another_shape_is_no_job_in_either_version() {
        for v in [6, 7] {
            let text = format!(r#"{{"v":{v},"id":3}}"#);
            assert!(matches!(VERSION_7.parse(text.as_bytes()), Err(BadEnvelope::Malformed(_))), "{v}");
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
            (with("key", Some(json!(7))), "the field `key` is not a string"),
            (with("attempt", Some(json!("2"))), "the field `attempt` is not a whole number, 0 or more"),
            (
                with("enqueued_at", Some(json!("today"))),
                "the field `enqueued_at` is not a whole number of milliseconds",
            ),
            (with("body", None), "the field `body` is missing"),
            (
                with("priority", Some(json!("low"))),
                "one of the fields `trace`, `run`, `priority` and `history` has the wrong type",
            ),
            ("[1]".to_owned(), "it has no version `v`"),
            ("garbage".to_owned(), "it is not JSON: syntax error at line 1, column 1"),
            (String::new(), "it is empty"),
        ] {
            let read = EnvelopeFormat::CURRENT.parse(message.as_bytes());
            assert_eq!(read, Err(BadEnvelope::Malformed(said.to_owned())), "{message}");
        }
    }

    #[test]
    fn a_job_of_version_0_has_not_been_tried() {
        let text = r#"{"v":0,"id":"x","kind":"search.refit","key":"s1","body":{"search":"s1"}}"#;
        let job = EnvelopeFormat::CURRENT.parse(text.as_bytes()).unwrap();
        assert_eq!((job.v, job.attempt, job.key.as_str()), (VERSION, 0, "s1"));
    }
}
