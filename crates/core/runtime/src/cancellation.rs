//! Cancelling a job, and keeping track of the threads of those that do not stop.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;

/// An abandoned job that runs on for longer than this has its thread counted as lost.
const ABANDON_TIMEOUT: Duration = Duration::from_secs(1);

/// With more lost threads than this the worker ends, so that its supervisor starts a new process: a thread cannot be killed.
const MAX_LOST_THREADS: usize = 3;

/// Whether a job is to stop. Clones share one flag, and the runtime takes the job for running as long as one of them exists.
#[derive(Clone)]
pub struct Cancellation {
    requested: Arc<AtomicBool>,
    /// The last clone that is dropped closes the channel.
    _running: mpsc::Sender<Infallible>,
}

/// The other end of a [`Cancellation`], which requests it.
pub(crate) struct Canceller {
    requested: Arc<AtomicBool>,
    running: mpsc::Receiver<Infallible>,
}

impl Cancellation {
    /// A cancellation that is not requested yet, and both of its ends.
    pub(crate) fn new() -> (Canceller, Self) {
        let (sender, running) = mpsc::channel(1);
        let requested = Arc::<AtomicBool>::default();
        (Canceller { requested: requested.clone(), running }, Self { requested, _running: sender })
    }

    /// A cancellation that is never requested.
    pub(crate) fn never() -> Self {
        Self::new().1
    }

    /// Whether it was requested.
    pub fn is_requested(&self) -> bool {
        self.requested.load(Ordering::Relaxed)
    }

    /// The flag itself, for a computation that knows nothing of jobs.
    pub fn flag(&self) -> Arc<AtomicBool> {
        self.requested.clone()
    }
}

impl Canceller {
    /// Requests the cancellation.
    pub(crate) fn request(&self) {
        self.requested.store(true, Ordering::Relaxed);
    }

    /// Requests the cancellation, aborts the job's task, and counts the thread as lost if that does not free it.
    pub(crate) fn abandon(mut self, task: AbortHandle, lost: Arc<LostThreads>) {
        self.request();
        task.abort();
        // There is no runtime while the process ends, and nobody counts any more.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if tokio::time::timeout(ABANDON_TIMEOUT, self.running.recv()).await.is_err() {
                let is_runtime_thread = !task.is_finished();
                lost.add(is_runtime_thread);
                self.running.recv().await;
                lost.remove(is_runtime_thread);
            }
        });
    }
}

/// The threads of this process that abandoned jobs do not give back.
#[derive(Default)]
pub(crate) struct LostThreads {
    count: AtomicUsize,
    /// How many of them are threads of the async runtime.
    runtime_count: AtomicUsize,
    changed: Notify,
}

impl LostThreads {
    fn add(&self, is_runtime_thread: bool) {
        let count = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        self.runtime_count.fetch_add(is_runtime_thread.into(), Ordering::SeqCst);
        tracing::error!(threads = count, "an abandoned job does not stop and keeps its thread");
        self.changed.notify_one();
    }

    fn remove(&self, was_runtime_thread: bool) {
        self.runtime_count.fetch_sub(was_runtime_thread.into(), Ordering::SeqCst);
        self.count.fetch_sub(1, Ordering::SeqCst);
    }

    /// Waits until too many are lost and returns how many. One thread of the async runtime is too many: there are few.
    pub(crate) async fn until_too_many(&self) -> usize {
        loop {
            let (count, runtime_count) = (self.count.load(Ordering::SeqCst), self.runtime_count.load(Ordering::SeqCst));
            if runtime_count > 0 || count > MAX_LOST_THREADS {
                return count;
            }
            self.changed.notified().await;
        }
    }
}
