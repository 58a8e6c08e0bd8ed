//! Whether a worker process can work, and if not, why.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Shutdown;
use crate::fault::Fault;
use crate::readiness_check::ReadinessCheck;

/// The readiness of a process and its worker. Clones share it.
#[derive(Clone, Default)]
pub struct Readiness {
    phase: Arc<Mutex<WorkerPhase>>,
}

#[derive(Default)]
enum WorkerPhase {
    /// Queue and store are being opened.
    #[default]
    Opening,
    /// They could not be opened so far, for this reason.
    OpenFailed(String),
    /// A worker runs.
    Running { checks: Vec<Arc<ReadinessCheck>>, fault: Arc<Fault>, shutdown: Shutdown },
}

impl Readiness {
    /// From now on it is that of this worker.
    pub(crate) fn attach(&self, checks: Vec<Arc<ReadinessCheck>>, fault: Arc<Fault>, shutdown: Shutdown) {
        *self.lock() = WorkerPhase::Running { checks, fault, shutdown };
    }

    /// Records why queue or store could not be opened so far.
    pub fn set_open_failure(&self, reason: &str) {
        *self.lock() = WorkerPhase::OpenFailed(reason.to_owned());
    }

    /// A line for each thing that keeps the process from its work; empty if it is ready. A kind that is not consumed on
    /// purpose is no problem.
    pub fn problems(&self) -> String {
        match &*self.lock() {
            WorkerPhase::Opening => "queue and store are not open yet\n".to_owned(),
            WorkerPhase::OpenFailed(reason) => format!("queue and store are not open yet: {reason}\n"),
            WorkerPhase::Running { shutdown, .. } if shutdown.is_stopping() => "stopping\n".to_owned(),
            WorkerPhase::Running { checks, fault, .. } => {
                let line =
                    |check: &Arc<ReadinessCheck>| check.problem().map(|problem| format!("{}: {problem}\n", check.name));
                let fault = fault.reason().map(|reason| format!("this process: {reason}\n"));
                fault.into_iter().chain(checks.iter().filter_map(line)).collect()
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, WorkerPhase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
