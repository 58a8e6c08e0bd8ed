//! A scan of all jobs of a kind in the queue, by taking one after the other and handing it back.

use std::collections::HashSet;

use queue::KindStats;

/// The jobs that were declined one by one since a job last ran, or since the latest wait.
#[derive(Debug, Default)]
pub(super) struct Scan {
    ids: HashSet<String>,
    handed_back: u64,
    /// What the queue held when the first job came round again.
    pub(super) depth: Option<QueueDepth>,
}

/// How many jobs of a kind the queue holds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct QueueDepth {
    /// Those that any worker may take.
    ready: u64,
    /// All of them: also the delayed ones, and those that workers hold and may hand back.
    pub(super) total: u64,
}

impl From<KindStats> for QueueDepth {
    fn from(stats: KindStats) -> Self {
        Self { ready: stats.ready, total: stats.ready + stats.delayed + stats.running.unwrap_or(0) }
    }
}

impl Scan {
    /// Adds a job that is handed back; whether this scan already had it.
    pub(super) fn add(&mut self, id: &str) -> bool {
        self.handed_back += 1;
        !self.ids.insert(id.to_owned())
    }

    /// Whether this scan has handed back this job.
    pub(super) fn contains(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// How many jobs it has handed back.
    pub(super) fn jobs(&self) -> u64 {
        self.ids.len() as u64
    }

    /// How many jobs there were, including those that other workers held.
    pub(super) fn total(&self) -> u64 {
        self.jobs().max(self.depth.map_or(0, |depth| depth.total))
    }

    /// How often it has handed back a job; a few of them came round again.
    pub(super) fn handed_back(&self) -> u64 {
        self.handed_back
    }

    /// Whether it has seen all jobs in the queue. Jobs that it missed may be held by others who hand them back too, and so
    /// they may be missed forever.
    pub(super) fn is_complete(&self) -> bool {
        self.depth.is_some_and(|QueueDepth { ready, .. }| self.jobs() >= ready || self.handed_back > 2 * ready + 1)
    }
}
