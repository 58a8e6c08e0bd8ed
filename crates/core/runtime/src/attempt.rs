//! One attempt of a job: a task that ends by itself, in time, or is abandoned.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::job::Envelope;
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};

use crate::cancellation::{Canceller, LostThreads};
use crate::permit_waits::PermitWaits;
use crate::{Failure, Shutdown};

/// What a handler returns.
type JobResult = Result<Vec<Envelope>, Failure>;

/// A running attempt. If it is dropped before its end, it is abandoned.
pub(crate) struct Attempt {
    task: JoinHandle<JobResult>,
    /// `None` once the attempt has ended.
    canceller: Option<Canceller>,
    lost: Arc<LostThreads>,
}

impl Attempt {
    pub(crate) fn new(task: JoinHandle<JobResult>, canceller: Canceller, lost: Arc<LostThreads>) -> Self {
        Self { task, canceller: Some(canceller), lost }
    }

    /// Waits for its end, but no longer than the time limit; a shutdown requests its cancellation.
    pub(crate) async fn finish(
        mut self,
        limit: oneshot::Receiver<Duration>,
        permit_waits: &PermitWaits,
        shutdown: &Shutdown,
    ) -> JobResult {
        let mut timed_out = std::pin::pin!(timed_out(limit, permit_waits));
        let ended = tokio::select! {
            biased;
            ended = &mut self.task => ended,
            failure = &mut timed_out => return Err(failure),
            () = shutdown.stopped() => {
                self.canceller.iter().for_each(Canceller::request);
                tokio::select! {
                    biased;
                    ended = &mut self.task => ended,
                    failure = &mut timed_out => return Err(failure),
                }
            }
        };
        self.canceller = None;
        ended.unwrap_or_else(|error| Err(Failure::retry(panic_message(error))))
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(canceller) = self.canceller.take() {
            canceller.abandon(self.task.abort_handle(), self.lost.clone());
        }
    }
}

/// Waits until the attempt has used up its time, not counting its waits for permits; forever if it never names a limit.
async fn timed_out(limit: oneshot::Receiver<Duration>, permit_waits: &PermitWaits) -> Failure {
    let Ok(limit) = limit.await else { return std::future::pending().await };
    let started_at = Instant::now();
    loop {
        let elapsed = started_at.elapsed().saturating_sub(permit_waits.total());
        match limit.checked_sub(elapsed).filter(|remaining| !remaining.is_zero()) {
            Some(remaining) => tokio::time::sleep(remaining).await,
            None => break,
        }
    }
    Failure::retry(format!("timed out after {} s", limit.as_secs_f64()))
}

/// The message of a handler's panic.
fn panic_message(error: JoinError) -> String {
    let Ok(payload) = error.try_into_panic() else { return "the job was aborted".to_owned() };
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    format!("panicked: {}", text.as_deref().unwrap_or("without a message"))
}
