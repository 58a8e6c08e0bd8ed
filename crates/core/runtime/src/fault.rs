//! What keeps this process from its work while others go on: its own disk, for one.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::tally::Tally;

/// Between two tries.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Whatever meets a fault tries again well within this time. One that nobody met for so long is over, unless a job that may
/// meet it is still running.
const BELIEVED: Duration = Duration::from_secs(5);

/// The fault of this process, if it has one. A standing worker is unready for as long; one that somebody waits for ends.
pub(crate) struct Fault {
    met: watch::Sender<Option<Met>>,
    tally: Arc<Tally>,
}

struct Met {
    why: String,
    at: Instant,
}

impl Fault {
    /// None so far, in a process that counts its jobs there.
    pub(crate) fn new(tally: Arc<Tally>) -> Self {
        Self { met: watch::Sender::new(None), tally }
    }

    /// It was met.
    pub(crate) fn meet(&self, why: impl fmt::Display) {
        let why = why.to_string();
        self.met.send_modify(|met| {
            if met.as_ref().is_none_or(|met| met.why != why) {
                tracing::error!("{why}; this process goes on when that is mended");
            }
            *met = Some(Met { why, at: Instant::now() });
        });
    }

    /// What it kept from working works again.
    pub(crate) fn over(&self) {
        let is_news = self.met.send_if_modified(|met| met.take().is_some());
        if is_news {
            tracing::info!("what kept this process from its work is mended");
        }
    }

    /// Why this process cannot work; `None`: it can.
    pub(crate) fn why(&self) -> Option<String> {
        let (why, is_old) = self.met.borrow().as_ref().map(|met| (met.why.clone(), met.at.elapsed() > BELIEVED))?;
        if is_old && !self.tally.is_busy() {
            self.over();
            return None;
        }
        Some(why)
    }

    /// Waits until there is one.
    pub(crate) async fn is_met(&self) -> String {
        let mut met = self.met.subscribe();
        // It cannot fail: `self` holds the sender.
        let met = met.wait_for(Option::is_some).await;
        met.ok().and_then(|met| met.as_ref().map(|met| met.why.clone())).unwrap_or_default()
    }

    /// Waits until it is worth another try.
    pub(crate) async fn pause(&self) {
        tokio::time::sleep(TRY_AGAIN).await;
    }
}
