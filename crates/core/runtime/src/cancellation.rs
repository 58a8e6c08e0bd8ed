//! Asking a job to stop, and waiting for what does not.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;

/// How long a job that was given up may go on before it counts as one that does not end.
const PATIENCE: Duration = Duration::from_secs(1);

/// So many threads that do not come back are borne; with one more the process ends, and whoever started it starts a new one.
/// A thread cannot be killed.
const MOST_LOST: usize = 3;

/// Whether a job is to stop. Clones are the same one; each keeps the job alive in the eyes of the runtime.
#[derive(Clone)]
pub struct Cancellation {
    asked: Arc<AtomicBool>,
    /// Dropped by the last one that works on the job.
    _working: mpsc::Sender<Infallible>,
}

/// The other end: of those who gave the job.
pub(crate) struct Canceller {
    asked: Arc<AtomicBool>,
    working: mpsc::Receiver<Infallible>,
}

impl Cancellation {
    /// Not asked for so far.
    pub(crate) fn new() -> (Canceller, Self) {
        let (sender, working) = mpsc::channel(1);
        let asked = Arc::<AtomicBool>::default();
        (Canceller { asked: asked.clone(), working }, Self { asked, _working: sender })
    }

    /// One that nobody asks for.
    pub(crate) fn never() -> Self {
        Self::new().1
    }

    /// Whether it was asked for.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// The flag that it sets, for a computation that knows nothing of jobs.
    pub fn flag(&self) -> Arc<AtomicBool> {
        self.asked.clone()
    }
}

impl Canceller {
    /// Asks for it.
    pub(crate) fn ask(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    /// Asks for it, ends the job's task, and counts the thread that this does not free.
    pub(crate) fn give_up(mut self, task: AbortHandle, lost: Arc<Lost>) {
        self.ask();
        task.abort();
        // None while the process ends: nobody counts any more.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if tokio::time::timeout(PATIENCE, self.working.recv()).await.is_err() {
                let is_of_runtime = !task.is_finished();
                lost.add(is_of_runtime);
                self.working.recv().await;
                lost.remove(is_of_runtime);
            }
        });
    }
}

/// The threads of this process whose jobs were given up and that do not come back.
#[derive(Default)]
pub(crate) struct Lost {
    count: AtomicUsize,
    /// Those of the runtime's own.
    of_runtime: AtomicUsize,
    changed: Notify,
}

impl Lost {
    fn add(&self, is_of_runtime: bool) {
        let count = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        self.of_runtime.fetch_add(is_of_runtime.into(), Ordering::SeqCst);
        tracing::error!(threads = count, "a job that was given up does not end and keeps its thread");
        self.changed.notify_one();
    }

    fn remove(&self, was_of_runtime: bool) {
        self.of_runtime.fetch_sub(was_of_runtime.into(), Ordering::SeqCst);
        self.count.fetch_sub(1, Ordering::SeqCst);
    }

    /// Waits until too many are lost; says how many. One of the runtime's own, of which there are few, is too many.
    pub(crate) async fn too_many(&self) -> usize {
        loop {
            let (count, of_runtime) = (self.count.load(Ordering::SeqCst), self.of_runtime.load(Ordering::SeqCst));
            if of_runtime > 0 || count > MOST_LOST {
                return count;
            }
            self.changed.notified().await;
        }
    }
}
