//! Jobs: the envelope that every job travels in, and the body of each kind.

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
pub use format::{BadEnvelope, EnvelopeFormat};
pub use job_body::JobBody;
pub use kind::Kind;

/// The envelope's version. Jobs of the version before are upgraded when they are parsed; those of a newer version wait for a
/// program that knows it.
pub const VERSION: u32 = 1;

/// The largest message that is accepted as a job. Data is in the store; a job only refers to it.
pub const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// A job as it is in the queue (JSON).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// [`VERSION`].
    pub v: u32,
    /// Unique to each published job; stays the same over retries.
    pub id: String,
    /// Determines the queue and the handler.
    pub kind: String,
    /// What the job is about; two jobs of one kind and key have the same effect.
    pub key: String,
    /// Failed attempts so far.
    pub attempt: u32,
    /// When it was first published.
    pub enqueued_at: Timestamp,
    /// Trace context (W3C `traceparent`) of the job that published this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The run that this job and its follow-up jobs belong to. Once the run is cancelled, they do nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Which of its kind's two queues it is in.
    #[serde(default)]
    pub priority: Priority,
    /// Why the earlier attempts failed, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<FailedAttempt>,
    /// The kind's own data.
    pub body: Value,
}

/// High is for jobs that a person waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Delivered before the normal jobs of its kind.
    High,
    /// Delivered in order of publication.
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
    /// A new job with a new id, as part of the run that its body names.
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

    /// The same job, with high priority.
    pub fn urgent(mut self) -> Self {
        self.priority = Priority::High;
        self
    }

    /// The same job, as part of a run.
    pub fn in_run(mut self, run: &str) -> Self {
        self.run = Some(run.to_owned());
        self
    }

    /// The job as a message.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an envelope is plain data")
    }

    /// The same job after one more failed attempt.
    pub fn with_failure(mut self, at: Timestamp, reason: &str) -> Self {
        self.attempt += 1;
        self.history.push(FailedAttempt { at, reason: truncate_reason(reason).to_owned() });
        self
    }
}

/// How much of a reason is stored with a job: some reasons quote input of any size.
const MAX_REASON_BYTES: usize = 4096;

/// The beginning of a reason, short enough to be stored with a job.
pub fn truncate_reason(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(MAX_REASON_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_survives_the_wire() {
        let job = Envelope::new(&SearchRefitJob { search: "s1".into() }).urgent().with_failure(Timestamp(5), "boom");
        assert_eq!(Envelope::parse(&job.to_bytes()).unwrap(), job);
    }

    #[test]
    fn messages_that_are_no_jobs_are_told_apart() {
        assert!(matches!(Envelope::parse(b"garbage"), Err(BadEnvelope::Malformed(_))));
        assert!(matches!(Envelope::parse(b"{}"), Err(BadEnvelope::Malformed(_))));
        assert!(matches!(Envelope::parse(br#"{"v":1,"id":3}"#), Err(BadEnvelope::Malformed(_))));
        assert_eq!(Envelope::parse(br#"{"v":9}"#), Err(BadEnvelope::Newer { found: 9, known: VERSION }));
        let large = vec![b' '; MAX_MESSAGE_BYTES + 1];
        assert_eq!(Envelope::parse(&large), Err(BadEnvelope::TooLarge(MAX_MESSAGE_BYTES + 1)));
    }
}
