//! What keeps this process from its work while others go on, such as a full disk.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::counters::Counters;

/// The time between two tries of what hit the fault.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Whatever hit a fault retries well within this time. A fault that was not reported for so long is over, unless a job that
/// may hit it is still running.
const FAULT_EXPIRY: Duration = Duration::from_secs(5);

/// The fault of this process, if it has one. A worker that runs until stopped is unready meanwhile; one that runs until the
/// queue is empty ends.
pub(crate) struct Fault {
    report: watch::Sender<Option<FaultReport>>,
    counters: Arc<Counters>,
}

struct FaultReport {
    reason: String,
    at: Instant,
}

impl Fault {
    /// None so far, in a process with these counters.
    pub(crate) fn new(counters: Arc<Counters>) -> Self {
        Self { report: watch::Sender::new(None), counters }
    }

    /// Reports a fault.
    pub(crate) fn report(&self, reason: impl fmt::Display) {
        let reason = reason.to_string();
        self.report.send_modify(|report| {
            if report.as_ref().is_none_or(|report| report.reason != reason) {
                tracing::error!("{reason}; this process resumes once that is fixed");
            }
            *report = Some(FaultReport { reason, at: Instant::now() });
        });
    }

    /// Records that what hit the fault works again.
    pub(crate) fn clear(&self) {
        let had_fault = self.report.send_if_modified(|report| report.take().is_some());
        if had_fault {
            tracing::info!("the fault of this process is fixed");
        }
    }

    /// Why this process cannot work; `None` if it can.
    pub(crate) fn reason(&self) -> Option<String> {
        let (reason, is_old) =
            self.report.borrow().as_ref().map(|report| (report.reason.clone(), report.at.elapsed() > FAULT_EXPIRY))?;
        if is_old && !self.counters.is_busy() {
            self.clear();
            return None;
        }
        Some(reason)
    }

    /// Waits until there is one, and returns its reason.
    pub(crate) async fn until_reported(&self) -> String {
        let mut reports = self.report.subscribe();
        // It cannot fail: `self` holds the sender.
        let report = reports.wait_for(Option::is_some).await;
        report.ok().and_then(|report| report.as_ref().map(|report| report.reason.clone())).unwrap_or_default()
    }

    /// Waits until another try is worthwhile.
    pub(crate) async fn wait_to_retry(&self) {
        tokio::time::sleep(RETRY_INTERVAL).await;
    }
}
