//! The jobs that this process cannot run and others may: of another version's search, or without a sign-in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::Timestamp;
use model::fleet::Trouble;
use tokio::sync::watch;

use crate::backoff::Backoff;
use crate::tally::Tally;

/// How long after its wait a kind that declined counts as still in trouble, unless a job runs: the next job to decline may
/// be under way.
const TRYING: Duration = Duration::from_secs(5);

/// Whether this process declines jobs of one kind. A job that is declined is handed back at once; for a while that grows
/// with every decline in a row the process takes no other, so that those who can run them find them.
pub(crate) struct Declines {
    kind: &'static str,
    tally: Arc<Tally>,
    row: watch::Sender<Option<Row>>,
}

/// Declines that no job which ran came between.
#[derive(Debug, Clone)]
struct Row {
    length: u32,
    until: Instant,
    reason: String,
}

impl Declines {
    /// None so far.
    pub(crate) fn new(kind: &'static str, tally: Arc<Tally>) -> Self {
        Self { kind, tally, row: watch::Sender::new(None) }
    }

    /// A job was declined. Those that were under way with it are of the same try.
    pub(crate) fn declined(&self, job: &str, reason: &str) {
        let now = Instant::now();
        self.row.send_if_modified(|row| {
            if row.as_ref().is_some_and(|row| now < row.until) {
                return false;
            }
            let length = row.as_ref().map_or(0, |row| row.length);
            let wait = Backoff::DECLINES.wait(length);
            let (kind, wait_ms) = (self.kind, wait.as_millis() as u64);
            tracing::warn!(
                kind,
                job,
                wait_ms,
                "left to other workers, none of these jobs is taken for a while: {reason}"
            );
            self.tally.trouble(Trouble {
                kind: Some(self.kind.to_owned()),
                job: Some(job.to_owned()),
                partial: false,
                reason: reason.to_owned(),
                since: Timestamp::now(),
                until: Timestamp::now() + wait + TRYING,
            });
            *row = Some(Row { length: length + 1, until: now + wait, reason: reason.to_owned() });
            true
        });
    }

    /// A job ran to an end of its own.
    pub(crate) fn ran(&self) {
        // Looked at first, because nearly every job follows one that ran.
        if self.row.borrow().is_some() && self.row.send_if_modified(|row| row.take().is_some()) {
            self.tally.trouble_over(Some(self.kind));
        }
    }

    /// Why it takes no jobs now, or took none a moment ago; `None`: it does.
    pub(crate) fn reason(&self) -> Option<String> {
        let row = self.row.borrow();
        row.as_ref().filter(|row| Instant::now() < row.until + TRYING).map(|row| row.reason.clone())
    }

    /// Whether none is to be taken now.
    pub(crate) fn is_waiting(&self) -> bool {
        self.row.borrow().as_ref().is_some_and(|row| Instant::now() < row.until)
    }

    /// Waits until a job is declined.
    pub(crate) async fn begun(&self) {
        // It cannot fail: `self` holds the sender.
        let _ = self.row.subscribe().wait_for(|row| row.as_ref().is_some_and(|row| Instant::now() < row.until)).await;
    }

    /// Waits until jobs may be tried again.
    pub(crate) async fn over(&self) {
        let until = self.row.borrow().as_ref().map(|row| row.until);
        if let Some(until) = until {
            tokio::time::sleep_until(until.into()).await;
        }
    }
}
