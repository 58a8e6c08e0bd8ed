//! The signal to stop.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Tells workers to stop. Clones are the same signal.
///
/// Once: take no more jobs, finish those that run. Twice: hand those back at once.
#[derive(Debug, Clone)]
pub struct Shutdown {
    stage: Arc<watch::Sender<Stage>>,
    /// The exit code that says which of the system's signals came first.
    code: Arc<OnceLock<u8>>,
}

/// What the shell reports for a process that was interrupted.
const INTERRUPTED: u8 = 130;

/// What it reports for one that was terminated.
const TERMINATED: u8 = 143;

/// SIGXFSZ, which ends a process that writes beyond its limit of file sizes, unless somebody listens: then the write fails,
/// and its error says what was to be written.
const FILE_TOO_LARGE: SignalKind = SignalKind::from_raw(25);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Working,
    Stopping,
    HandingBack,
}

impl Shutdown {
    /// A signal that only [`stop`](Self::stop) gives.
    pub fn new() -> Self {
        Self { stage: Arc::new(watch::Sender::new(Stage::Working)), code: Arc::default() }
    }

    /// The signal that SIGTERM and SIGINT give; every call returns the same one. A third of them ends the process as it
    /// stands, which loses nothing either: its jobs come back when their leases run out.
    ///
    /// To be called first in every main, within the runtime: until then a signal ends the process as it stands.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub fn on_signals() -> std::io::Result<Self> {
        static OF_PROCESS: OnceLock<Shutdown> = OnceLock::new();
        if let Some(shutdown) = OF_PROCESS.get() {
            return Ok(shutdown.clone());
        }
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let too_large = signal(FILE_TOO_LARGE)?;
        let shutdown = OF_PROCESS.get_or_init(Self::new).clone();
        let told = shutdown.clone();
        tokio::spawn(async move {
            let _listening = too_large;
            loop {
                let code = tokio::select! { _ = terminate.recv() => TERMINATED, _ = interrupt.recv() => INTERRUPTED };
                let _ = told.code.set(code);
                match *told.stage.borrow() {
                    Stage::Working => {
                        tracing::info!("stopping when the running jobs are finished; once more hands them back")
                    }
                    Stage::Stopping => tracing::info!("handing the running jobs back"),
                    Stage::HandingBack => std::process::exit(code.into()),
                }
                told.stop();
            }
        });
        Ok(shutdown)
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

    /// The exit code of a process whose work was not complete when SIGINT (130) or SIGTERM (143) came; `None`: neither came.
    pub fn exit_code(&self) -> Option<u8> {
        self.code.get().copied()
    }

    /// Whether the signal was given.
    pub fn is_stopping(&self) -> bool {
        *self.stage.borrow() >= Stage::Stopping
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
