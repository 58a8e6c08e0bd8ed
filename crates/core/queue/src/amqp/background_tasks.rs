//! Work that outlives its caller: acknowledging, handing back.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Tasks that must finish before the process may end.
#[derive(Default)]
pub(super) struct BackgroundTasks(Mutex<Vec<JoinHandle<()>>>);

impl BackgroundTasks {
    /// Starts a task. Without a runtime there is no connection either, and the broker takes its deliveries back.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Ok(runtime) = Handle::try_current() {
            let task = runtime.spawn(task);
            let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            tasks.retain(|task| !task.is_finished());
            tasks.push(task);
        }
    }

    /// Runs a task to its end even if the caller drops this future; `None` if the task never finishes.
    pub(super) async fn run_to_completion<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (sender, receiver) = oneshot::channel();
        self.spawn(async move {
            let _ = sender.send(task.await);
        });
        receiver.await.ok()
    }

    /// Waits for all tasks, including those that they start meanwhile.
    pub(super) async fn wait_for_all(&self) {
        loop {
            let Some(task) = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop() else { return };
            // A panic has been reported by the task itself.
            let _ = task.await;
        }
    }
}
