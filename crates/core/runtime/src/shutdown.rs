//! The signal to stop.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// Tells workers to stop. Clones are the same signal.
///
/// Once: take no more jobs, finish those that run. Twice: hand those back at once.
#[derive(Debug, Clone)]
pub struct Shutdown {
    stage: Arc<watch::Sender<Stage>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Working,
    Stopping,
    HandingBack,
}

impl Shutdown {
    /// A signal that only [`stop`](Self::stop) gives.
    pub fn new() -> Self {
        Self { stage: Arc::new(watch::Sender::new(Stage::Working)) }
    }

    /// Gives the signal, for the first or the second time.
    pub fn stop(&self) {
        self.stage.send_modify(|stage| {
            *stage = if *stage == Stage::Working { Stage::Stopping } else { Stage::HandingBack };
        });
    }

    /// Gives the signal for the first time, unless it was given already.
    pub(crate) fn begin(&self) {
        self.stage.send_modify(|stage| *stage = Stage::Stopping.max(*stage));
    }

    /// Gives the signal for the second time, unless it was given already.
    pub(crate) fn hand_back(&self) {
        self.stage.send_replace(Stage::HandingBack);
    }

    /// Whether the signal was given.
    pub fn is_stopping(&self) -> bool {
        *self.stage.borrow() >= Stage::Stopping
    }

    /// Whether it was given twice.
    pub fn is_handing_back(&self) -> bool {
        *self.stage.borrow() == Stage::HandingBack
    }

    /// Waits for the signal.
    pub async fn stopped(&self) {
        self.reaches(Stage::Stopping).await;
    }

    /// Waits until running jobs have to be handed back: `grace` after the first signal, or at the second.
    pub(crate) async fn out_of_time(&self, grace: Duration) {
        self.stopped().await;
        tokio::select! {
            () = tokio::time::sleep(grace) => {}
            () = self.reaches(Stage::HandingBack) => {}
        }
    }

    /// Gives `other` every signal that this one is given, for ever.
    pub async fn forward_to(&self, other: &Shutdown) -> std::convert::Infallible {
        for stage in [Stage::Stopping, Stage::HandingBack] {
            self.reaches(stage).await;
            other.stage.send_modify(|theirs| *theirs = stage.max(*theirs));
        }
        std::future::pending().await
    }

    async fn reaches(&self, stage: Stage) {
        // It cannot fail: `self` holds the sender.
        let _ = self.stage.subscribe().wait_for(|now| *now >= stage).await;
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}
