//! Heartbeats: what each worker says of itself in the store.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::Timestamp;
use model::fleet::Heartbeat;
use store::{Fleet, StoreError};

use crate::counters::Counters;
use crate::fault::Fault;

/// How often a worker sends one while something changes.
const BUSY_INTERVAL: Duration = Duration::from_secs(1);

/// How often an idle worker sends one.
const IDLE_INTERVAL: Duration = Duration::from_secs(5);

/// A worker whose latest heartbeat is older than this is gone.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(15);

/// Whether the worker of this heartbeat is alive.
pub(crate) fn is_alive(heartbeat: &Heartbeat) -> bool {
    Timestamp::now().duration_since(heartbeat.beat_at) < HEARTBEAT_TIMEOUT
}

/// The live workers that take jobs of this kind; `None` if the store cannot tell.
pub(crate) async fn live_workers(fleet: &dyn Fleet, kind: &str) -> Option<Vec<Heartbeat>> {
    let takes_kind = |heartbeat: &Heartbeat| is_alive(heartbeat) && heartbeat.kinds.iter().any(|taken| taken == kind);
    Some(fleet.workers().await.ok()?.into_iter().filter(takes_kind).collect())
}

/// How many jobs of these kinds have ended in these workers since they started.
pub(crate) fn ended_jobs(heartbeats: &[Heartbeat], kinds: &[&str]) -> u64 {
    let counts = heartbeats.iter().flat_map(|heartbeat| &heartbeat.counts);
    let counts = counts.filter(|(kind, _)| kinds.contains(&kind.as_str()));
    counts.map(|(_, counts)| counts.done + counts.retried + counts.dead).sum()
}

/// Sends the heartbeats of one worker, which `status` and the summaries read.
pub(crate) struct HeartbeatSender {
    fleet: Arc<dyn Fleet>,
    counters: Arc<Counters>,
    fault: Arc<Fault>,
    /// What stays the same in all of them.
    template: Heartbeat,
}

impl HeartbeatSender {
    /// The sender for a worker of these kinds, in this process.
    pub(crate) fn new(fleet: Arc<dyn Fleet>, counters: Arc<Counters>, fault: Arc<Fault>, kinds: Vec<String>) -> Self {
        let now = Timestamp::now();
        let template = Heartbeat {
            id: uuid::Uuid::new_v4().to_string(),
            host: host_name(),
            pid: std::process::id(),
            kinds,
            running: Vec::new(),
            counts: Default::default(),
            troubles: Vec::new(),
            started_at: now,
            beat_at: now,
        };
        Self { fleet, counters, fault, template }
    }

    /// Sends heartbeats forever: at once, then every second in which something changed, and at least every five seconds.
    pub(crate) async fn run(&self) -> Infallible {
        let mut last = None;
        loop {
            let version = self.counters.version();
            let is_due = last.is_none_or(|(sent, at): (u64, Instant)| sent != version || at.elapsed() >= IDLE_INTERVAL);
            if is_due && self.send(self.template.kinds.clone()).await {
                last = Some((version, Instant::now()));
            }
            tokio::time::sleep(BUSY_INTERVAL).await;
        }
    }

    /// The id of this worker.
    pub(crate) fn worker_id(&self) -> &str {
        &self.template.id
    }

    /// Sends the last one, which names no kinds: this worker consumes nothing any more.
    pub(crate) async fn send_last(&self) -> bool {
        self.send(Vec::new()).await
    }

    /// Sends one; whether the store took it.
    async fn send(&self, kinds: Vec<String>) -> bool {
        let snapshot = self.counters.snapshot();
        let running = snapshot.running.into_values().map(|(kind, key, since)| (kind.to_owned(), key, since)).collect();
        let (counts, troubles, beat_at) = (snapshot.counts, snapshot.troubles, Timestamp::now());
        let heartbeat = Heartbeat { kinds, running, counts, troubles, beat_at, ..self.template.clone() };
        let result = self.fleet.heartbeat(&heartbeat).await;
        match &result {
            // For a worker without jobs this is the only write, so nothing else would notice the fault.
            Err(error @ StoreError::Unwritable { .. }) => self.fault.report(error),
            // Jobs that find the store unreachable say so; a missed heartbeat only makes this worker look late.
            Err(error) => tracing::debug!("no heartbeat: {error}"),
            Ok(()) => {}
        }
        result.is_ok()
    }
}

fn host_name() -> String {
    let file = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let names = [file.trim().to_owned(), std::env::var("HOSTNAME").unwrap_or_default()];
    names.into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| "localhost".to_owned())
}
