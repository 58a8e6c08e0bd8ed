//! Work that goes on after its caller has left: acknowledging, handing back.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Tasks that the end of a process has to wait for.
#[derive(Default)]
pub(super) struct Background(Mutex<Vec<JoinHandle<()>>>);

impl Background {
    /// Lets a task run. Where the runtime is gone, so is the connection, and the broker takes back what was sent here.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Ok(runtime) = Handle::try_current() {
            let task = runtime.spawn(task);
            let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            tasks.retain(|task| !task.is_finished());
            tasks.push(task);
        }
    }

    /// Runs a task to its end though its caller lets go of it; `None` where it has none.
    pub(super) async fn complete<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (tell, told) = oneshot::channel();
        self.spawn(async move {
            let _ = tell.send(task.await);
        });
        told.await.ok()
    }

    /// Waits for all tasks, and for those that they start meanwhile.
    pub(super) async fn ended(&self) {
        loop {
            let Some(task) = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop() else { return };
            // A task that panicked has said so.
            let _ = task.await;
        }
    }
}
