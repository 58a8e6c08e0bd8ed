//! A look at all the jobs of a kind that lie there, by taking one after the other and handing it back.

use std::collections::HashSet;

/// Jobs that were declined alone since one ran, or since the latest wait.
#[derive(Debug, Default)]
pub(super) struct Round {
    ids: HashSet<String>,
    handed_back: u64,
    /// How many lay there when the first one came again.
    pub(super) ready: Option<u64>,
}

impl Round {
    /// Notes a job that is handed back; whether it was already in this round.
    pub(super) fn note(&mut self, id: &str) -> bool {
        self.handed_back += 1;
        !self.ids.insert(id.to_owned())
    }

    /// Whether a job was handed back in this round.
    pub(super) fn has(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// How many jobs were.
    pub(super) fn jobs(&self) -> u64 {
        self.ids.len() as u64
    }

    /// How often: some of them came round again.
    pub(super) fn handed_back(&self) -> u64 {
        self.handed_back
    }

    /// Whether these are all that lie there. Those in between may have been in the hands of others who handed them back
    /// too, and may be so for ever.
    pub(super) fn is_over(&self) -> bool {
        self.ready.is_some_and(|ready| self.jobs() >= ready || self.handed_back > 2 * ready + 1)
    }
}
