//! What the type of a job's body says about its kind.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The body of one kind of job, and all that is to be known of the kind: nothing else in the tree lists it again.
pub trait JobBody: Serialize + DeserializeOwned + Default + Send + Sync + 'static {
    /// The kind's name, in the envelope and in the queue's.
    const KIND: &'static str;

    /// The worker program that runs it.
    const WORKER: &'static str;

    /// Attempts before a job is dead, unless the setting `worker.max_attempts` says otherwise.
    const ATTEMPTS: u32 = 8;

    /// How long one attempt may take before it is taken for a failed one. It is there for what never ends, and so many times
    /// as long as what is usual.
    const TIMEOUT: Duration;

    /// The rate budgets its requests are paid from. While one of them is closed, no job of this kind is taken.
    const BUDGETS: &'static [&'static str] = &[];

    /// A body as a line of `enqueue file`, with `…` and `ID` for what is to be put in; for a person.
    const EXAMPLE: &'static str;

    /// What the job is about: equal for equal effect.
    fn key(&self) -> String;

    /// The job with this key; `None` where no job has it.
    fn of_key(key: &str) -> Option<Self>;

    /// The ids of Spotify's that it names. Where none of them can be one, nothing can be done for the job.
    fn ids(&self) -> &[String] {
        &[]
    }

    /// The run that it belongs to, where its body says so.
    fn run(&self) -> Option<&str> {
        None
    }

    /// What is wrong with a body that a person wrote, beyond its shape.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}
