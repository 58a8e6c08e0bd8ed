//! The sign of life in the store.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::Timestamp;
use model::fleet::Heartbeat;
use store::{Store, StoreError};

use crate::fault::Fault;
use crate::tally::Tally;

/// How often a busy worker says so.
const BUSY: Duration = Duration::from_secs(1);

/// How often an idle one does.
const IDLE: Duration = Duration::from_secs(5);

/// A worker that did not beat for so long is gone.
const GONE: Duration = Duration::from_secs(15);

/// Whether a worker lives, as its latest beat tells.
pub(crate) fn is_alive(beat: &Heartbeat) -> bool {
    Timestamp::now().duration_since(beat.beat_at) < GONE
}

/// The live workers that take jobs of this kind; `None` where the store cannot tell.
pub(crate) async fn workers_of(store: &dyn Store, kind: &str) -> Option<Vec<Heartbeat>> {
    let takes = |beat: &Heartbeat| is_alive(beat) && beat.kinds.iter().any(|of| of == kind);
    Some(store.workers().await.ok()?.into_iter().filter(takes).collect())
}

/// How many jobs of these kinds have ended in these workers since they began.
pub(crate) fn ended(beats: &[Heartbeat], kinds: &[&str]) -> u64 {
    let counts = beats.iter().flat_map(|beat| &beat.counts).filter(|(kind, _)| kinds.contains(&kind.as_str()));
    counts.map(|(_, counts)| counts.done + counts.retried + counts.dead).sum()
}

/// Says who works on what, for `status` and for summaries.
pub(crate) struct Heart {
    store: Arc<dyn Store>,
    tally: Arc<Tally>,
    fault: Arc<Fault>,
    me: Heartbeat,
}

impl Heart {
    /// The heart of a worker of these kinds, in this process.
    pub(crate) fn new(store: Arc<dyn Store>, tally: Arc<Tally>, fault: Arc<Fault>, kinds: Vec<String>) -> Self {
        let now = Timestamp::now();
        let me = Heartbeat {
            id: uuid::Uuid::new_v4().to_string(),
            host: host(),
            pid: std::process::id(),
            kinds,
            running: Vec::new(),
            counts: Default::default(),
            troubles: Vec::new(),
            started_at: now,
            beat_at: now,
        };
        Self { store, tally, fault, me }
    }

    /// Beats for ever: at once, then every second in which something changed, and every five seconds anyway.
    pub(crate) async fn run(&self) -> Infallible {
        let mut last = None;
        loop {
            let version = self.tally.version();
            let is_due = last.is_none_or(|(seen, at): (u64, Instant)| seen != version || at.elapsed() >= IDLE);
            if is_due && self.beat().await {
                last = Some((version, Instant::now()));
            }
            tokio::time::sleep(BUSY).await;
        }
    }

    /// Unique for this worker.
    pub(crate) fn id(&self) -> &str {
        &self.me.id
    }

    /// The last beat: from now on this worker consumes nothing.
    pub(crate) async fn last_beat(&self) -> bool {
        self.say(Vec::new()).await
    }

    /// One beat; whether the store took it.
    async fn beat(&self) -> bool {
        self.say(self.me.kinds.clone()).await
    }

    async fn say(&self, kinds: Vec<String>) -> bool {
        let state = self.tally.snapshot();
        let running = state.running.into_values().map(|(kind, key, since)| (kind.to_owned(), key, since)).collect();
        let (counts, troubles, beat_at) = (state.counts, state.troubles, Timestamp::now());
        let beat = Heartbeat { kinds, running, counts, troubles, beat_at, ..self.me.clone() };
        let result = self.store.heartbeat(&beat).await;
        match &result {
            // Of a worker without jobs it is the only write.
            Err(error @ StoreError::Unwritable { .. }) => self.fault.meet(error),
            // Jobs that find the store out of reach say so; a missed beat only makes this worker look late.
            Err(error) => tracing::debug!("no heartbeat: {error}"),
            Ok(()) => {}
        }
        result.is_ok()
    }
}

fn host() -> String {
    let file = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let names = [file.trim().to_owned(), std::env::var("HOSTNAME").unwrap_or_default()];
    names.into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| "localhost".to_owned())
}
