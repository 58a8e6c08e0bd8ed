//! A look at all the jobs of a kind that lie there, by taking one after the other and handing it back.

use std::collections::HashSet;

use queue::KindStats;

/// Jobs that were declined alone since one ran, or since the latest wait.
#[derive(Debug, Default)]
pub(super) struct Round {
    ids: HashSet<String>,
    handed_back: u64,
    /// What lay there when the first one came again.
    pub(super) there: Option<There>,
}

/// How many jobs of a kind lie in the queue.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct There {
    /// Those that anybody may take.
    ready: u64,
    /// All of them: those that are delayed too, and those in somebody's hands, which may come back.
    pub(super) all: u64,
}

impl From<KindStats> for There {
    fn from(stats: KindStats) -> Self {
        Self { ready: stats.ready, all: stats.ready + stats.delayed + stats.running.unwrap_or(0) }
    }
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

    /// How many there were, those included that others had in their hands.
    pub(super) fn there(&self) -> u64 {
        self.jobs().max(self.there.map_or(0, |there| there.all))
    }

    /// How often: some of them came round again.
    pub(super) fn handed_back(&self) -> u64 {
        self.handed_back
    }

    /// Whether these are all that lie there. Those in between may have been in the hands of others who handed them back
    /// too, and may be so for ever.
    pub(super) fn is_over(&self) -> bool {
        self.there.is_some_and(|There { ready, .. }| self.jobs() >= ready || self.handed_back > 2 * ready + 1)
    }
}
