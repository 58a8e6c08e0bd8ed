//! The signal to stop.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// Tells workers to stop. Clones are the same signal.
///
/// Once: take no more jobs and finish those that run. Twice: hand those back at once.
#[derive(Debug, Clone)]
pub struct Shutdown {
    phase: Arc<watch::Sender<ShutdownPhase>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ShutdownPhase {
    Working,
    Stopping,
    HandingBack,
}

impl Shutdown {
    /// A signal that only [`stop`](Self::stop) gives.
    pub fn new() -> Self {
        Self { phase: Arc::new(watch::Sender::new(ShutdownPhase::Working)) }
    }

    /// Gives the signal, for the first or the second time.
    pub fn stop(&self) {
        self.phase.send_modify(|phase| {
            let is_first = *phase == ShutdownPhase::Working;
            *phase = if is_first { ShutdownPhase::Stopping } else { ShutdownPhase::HandingBack };
        });
    }

    /// Gives the signal for the first time, unless it was given already.
    pub(crate) fn stop_once(&self) {
        self.phase.send_modify(|phase| *phase = ShutdownPhase::Stopping.max(*phase));
    }

    /// Gives the signal for the second time, unless it was given twice already.
    pub(crate) fn hand_back(&self) {
        self.phase.send_replace(ShutdownPhase::HandingBack);
    }

    /// Whether the signal was given.
    pub fn is_stopping(&self) -> bool {
        *self.phase.borrow() >= ShutdownPhase::Stopping
    }

    /// Whether it was given twice.
    pub fn is_handing_back(&self) -> bool {
        *self.phase.borrow() == ShutdownPhase::HandingBack
    }

    /// Waits for the signal.
    pub async fn stopped(&self) {
        self.until(ShutdownPhase::Stopping).await;
    }

    /// Waits until running jobs have to be handed back: `grace` after the first signal, or at the second.
    pub(crate) async fn out_of_time(&self, grace: Duration) {
        self.stopped().await;
        tokio::select! {
            () = tokio::time::sleep(grace) => {}
            () = self.until(ShutdownPhase::HandingBack) => {}
        }
    }

    /// Forwards every signal to `other`, forever.
    pub async fn forward_to(&self, other: &Shutdown) -> Infallible {
        for phase in [ShutdownPhase::Stopping, ShutdownPhase::HandingBack] {
            self.until(phase).await;
            other.phase.send_modify(|current| *current = phase.max(*current));
        }
        std::future::pending().await
    }

    async fn until(&self, phase: ShutdownPhase) {
        // It cannot fail: `self` holds the sender.
        let _ = self.phase.subscribe().wait_for(|current| *current >= phase).await;
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}
