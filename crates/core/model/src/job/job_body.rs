//! What the type of a job's body declares about its kind.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The body of one kind of job, and everything that is known of the kind. Nothing else declares it again.
pub trait JobBody: Serialize + DeserializeOwned + Default + Send + Sync + 'static {
    /// The kind's name, in envelopes and in names of queues.
    const KIND: &'static str;

    /// The worker program that runs it.
    const WORKER: &'static str;

    /// Attempts before a job counts as failed permanently, unless the setting `worker.max_attempts` overrides it.
    const MAX_ATTEMPTS: u32 = 8;

    /// How long one attempt may take before it counts as failed. It is for attempts that never end, so many times as long as
    /// usual.
    const TIMEOUT: Duration;

    /// The rate budgets that its requests draw on. While one of them is blocked, workers take no job of this kind.
    const BUDGETS: &'static [&'static str] = &[];

    /// A body as a line of `enqueue file`, with `…` and `ID` as placeholders; shown to people.
    const EXAMPLE: &'static str;

    /// What the job is about: jobs of equal effect have equal keys.
    fn key(&self) -> String;

    /// The body with this key; `None` if the key is not valid.
    fn from_key(key: &str) -> Option<Self>;

    /// The ids, as its source has them, that it refers to. If none of them is valid, the job fails permanently.
    fn source_ids(&self) -> &[String] {
        &[]
    }

    /// The run that it belongs to, if its body names one.
    fn run(&self) -> Option<&str> {
        None
    }

    /// Validates the values of a body that a person wrote.
    ///
    /// # Errors
    /// What is wrong with them.
    fn validate(&self) -> Result<(), String> {
        Ok(())
    }
}
