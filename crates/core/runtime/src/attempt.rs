//! One attempt of a job: a task that ends by itself, in time, or is given up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::job::Envelope;
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};

use crate::cancellation::{Canceller, Lost};
use crate::waiting::Waiting;
use crate::{Failure, Shutdown};

/// What a handler returns.
type JobResult = Result<Vec<Envelope>, Failure>;

/// A running attempt. Dropped before its end, it is given up.
pub(crate) struct Attempt {
    task: JoinHandle<JobResult>,
    /// Until the attempt has ended.
    canceller: Option<Canceller>,
    lost: Arc<Lost>,
}

impl Attempt {
    pub(crate) fn new(task: JoinHandle<JobResult>, canceller: Canceller, lost: Arc<Lost>) -> Self {
        Self { task, canceller: Some(canceller), lost }
    }

    /// Waits for its end, as long as it may take; a shutdown asks it to stop.
    pub(crate) async fn end(
        mut self,
        limit: oneshot::Receiver<Duration>,
        waiting: &Waiting,
        shutdown: &Shutdown,
    ) -> JobResult {
        let mut timed_out = std::pin::pin!(timed_out(limit, waiting));
        let ended = tokio::select! {
            biased;
            ended = &mut self.task => ended,
            failure = &mut timed_out => return Err(failure),
            () = shutdown.stopped() => {
                self.canceller.iter().for_each(Canceller::ask);
                tokio::select! {
                    biased;
                    ended = &mut self.task => ended,
                    failure = &mut timed_out => return Err(failure),
                }
            }
        };
        self.canceller = None;
        ended.unwrap_or_else(|error| Err(Failure::retry(panicked(error))))
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(canceller) = self.canceller.take() {
            canceller.give_up(self.task.abort_handle(), self.lost.clone());
        }
    }
}

/// Waits until the attempt took longer than it may, without its waits for permits; for ever where it never says how long that
/// is.
async fn timed_out(limit: oneshot::Receiver<Duration>, waiting: &Waiting) -> Failure {
    let Ok(limit) = limit.await else { return std::future::pending().await };
    let began = Instant::now();
    loop {
        let took = began.elapsed().saturating_sub(waiting.so_far());
        match limit.checked_sub(took).filter(|left| !left.is_zero()) {
            Some(left) => tokio::time::sleep(left).await,
            None => break,
        }
    }
    Failure::retry(format!("it took longer than {} s", limit.as_secs_f64()))
}

/// What a handler's panic says.
fn panicked(error: JoinError) -> String {
    let Ok(payload) = error.try_into_panic() else { return "the job was aborted".to_owned() };
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    format!("panicked: {}", text.as_deref().unwrap_or("without a message"))
}
