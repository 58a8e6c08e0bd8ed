//! Jobs: the envelope every job travels in, and a type for each kind's body.

mod bodies;
mod format;
mod job_body;
mod kind;
mod line;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Timestamp;

pub use bodies::{
    ArtistsGenresJob, LASTFM_BUDGET, PlaylistPageJob, SPOTIFY_BUDGET, SearchBlockJob, SearchRefitJob, TrackAnalysisJob,
    TrackMetadataJob, TrackPitchesJob, TrackTagsJob, TracksAudioJob,
};
pub use format::{BadEnvelope, Format};
pub use job_body::JobBody;
pub use kind::Kind;

/// The envelope's version. Jobs of the version before are upgraded when they are read, those of a newer one wait for a
/// program that knows it.
pub const VERSION: u32 = 1;

/// The largest message that is taken for a job, in bytes. Data is in the store; a job only names it.
pub const MOST_BYTES: usize = 1 << 20;

/// A job as it lies in the queue (JSON).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// [`VERSION`].
    pub v: u32,
    /// Unique for each publication; stays the same over retries.
    pub id: String,
    /// Decides the queue and the handler.
    pub kind: String,
    /// What the job is about; two jobs of one kind and key have the same effect.
    pub key: String,
    /// Failed attempts so far.
    pub attempt: u32,
    /// First publication.
    pub enqueued_at: Timestamp,
    /// Trace context (W3C `traceparent`) of the job that published this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The run that this job belongs to; its follow-up jobs belong to it too, and none of them does anything once it is
    /// cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Which of the two queues of its kind it waits in.
    #[serde(default)]
    pub priority: Priority,
    /// Why the earlier attempts failed, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<FailedAttempt>,
    /// The kind's own data.
    pub body: Value,
}

/// Two priorities: what a person waits for, and everything else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Taken before any normal job of its kinds.
    High,
    /// In order of publication.
    #[default]
    Normal,
}

/// One failed attempt of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedAttempt {
    /// When it failed.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

impl Envelope {
    /// A new job with a fresh id, for its first publication, as a part of the run that its body names.
    pub fn new<B: JobBody>(body: &B) -> Self {
        Self {
            v: VERSION,
            id: uuid::Uuid::new_v4().to_string(),
            kind: B::KIND.to_owned(),
            key: body.key(),
            attempt: 0,
            enqueued_at: Timestamp::now(),
            trace: None,
            run: body.run().map(str::to_owned),
            priority: Priority::default(),
            history: Vec::new(),
            body: serde_json::to_value(body).expect("a job body is plain data"),
        }
    }

    /// The same job, taken before those of normal priority.
    pub fn urgent(mut self) -> Self {
        self.priority = Priority::High;
        self
    }

    /// The same job, as a part of a run.
    pub fn of_run(mut self, run: &str) -> Self {
        self.run = Some(run.to_owned());
        self
    }

    /// The message of this job.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an envelope is plain data")
    }

    /// The same job after one more failed attempt.
    pub fn failed(mut self, at: Timestamp, reason: &str) -> Self {
        self.attempt += 1;
        self.history.push(FailedAttempt { at, reason: short(reason).to_owned() });
        self
    }
}

/// As much of a reason as travels with a job, in bytes: some quote what they refuse, whatever its size.
const MOST_REASON_BYTES: usize = 4096;

/// The beginning of a reason, short enough to travel with a job.
pub fn short(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(MOST_REASON_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_survives_the_wire() {
        let job = Envelope::new(&SearchRefitJob { search: "s1".into() }).urgent().failed(Timestamp(5), "boom");
        assert_eq!(Envelope::parse(&job.to_bytes()).unwrap(), job);
    }

    #[test]
    fn messages_that_are_no_jobs_are_told_apart() {
        assert!(matches!(Envelope::parse(b"garbage"), Err(BadEnvelope::Malformed(_))));
        assert!(matches!(Envelope::parse(b"{}"), Err(BadEnvelope::Malformed(_))));
        assert!(matches!(Envelope::parse(br#"{"v":1,"id":3}"#), Err(BadEnvelope::Malformed(_))));
        assert_eq!(Envelope::parse(br#"{"v":9}"#), Err(BadEnvelope::Newer { found: 9, known: VERSION }));
        let large = vec![b' '; MOST_BYTES + 1];
        assert_eq!(Envelope::parse(&large), Err(BadEnvelope::TooLarge(MOST_BYTES + 1)));
    }
}
