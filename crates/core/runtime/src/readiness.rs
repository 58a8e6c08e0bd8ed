//! Whether a worker process can work, and if not, why.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Shutdown;
use crate::fault::Fault;
use crate::standing::Standing;

/// What a process says of its worker. Clones are the same one.
#[derive(Clone, Default)]
pub struct Readiness {
    stage: Arc<Mutex<Stage>>,
}

#[derive(Default)]
enum Stage {
    /// Queue and store are being opened.
    #[default]
    Opening,
    /// They could not be opened so far, for this reason.
    KeptOut(String),
    /// A worker runs.
    Running { takers: Vec<Arc<Standing>>, fault: Arc<Fault>, shutdown: Shutdown },
}

impl Readiness {
    /// Speaks for this worker from now on.
    pub(crate) fn speak_for(&self, takers: Vec<Arc<Standing>>, fault: Arc<Fault>, shutdown: Shutdown) {
        *self.lock() = Stage::Running { takers, fault, shutdown };
    }

    /// Says why queue or store could not be opened so far.
    pub fn kept_out(&self, why: &str) {
        *self.lock() = Stage::KeptOut(why.to_owned());
    }

    /// A line for each thing that keeps the process from its work; empty when every kind is taken from, or not on purpose.
    pub fn trouble(&self) -> String {
        match &*self.lock() {
            Stage::Opening => "queue and store are not open yet\n".to_owned(),
            Stage::KeptOut(why) => format!("queue and store are not open yet: {why}\n"),
            Stage::Running { shutdown, .. } if shutdown.is_stopping() => "stopping\n".to_owned(),
            Stage::Running { takers, fault, .. } => {
                let line = |taker: &Arc<Standing>| taker.trouble().map(|why| format!("{}: {why}\n", taker.kind));
                let fault = fault.why().map(|why| format!("this process: {why}\n"));
                fault.into_iter().chain(takers.iter().filter_map(line)).collect()
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
