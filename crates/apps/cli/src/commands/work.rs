//! `spotifai worker`.

use model::settings::Settings;
use worker::{Home, Shutdown, Until, Worker};

use crate::args::{self, WorkerKind};
use crate::playlist_run::Goal;

/// Runs the chosen workers until a signal, or until their queues are empty.
pub async fn run(args: &args::Worker, mut settings: Settings) -> anyhow::Result<()> {
    if let Some(slots) = args.slots {
        settings.worker.slots = slots.into();
    }
    let until = if args.until_empty { Until::Empty } else { Until::Stopped };
    let shutdown = Shutdown::on_signals()?;
    worker::run_worker(settings, |worker, home| with_kinds(worker, home, &args.kinds), until, shutdown).await
}

/// A worker for all these kinds.
pub fn of_kinds(home: &Home, kinds: &[WorkerKind]) -> anyhow::Result<Worker> {
    with_kinds(Worker::new(home.clone()), home, kinds)
}

/// The worker of a run that collects for this goal.
pub fn collecting(home: &Home, goal: Goal) -> anyhow::Result<Worker> {
    match goal {
        Goal::Model => of_kinds(home, &[WorkerKind::Playlist, WorkerKind::Lastfm, WorkerKind::Pitch]),
        Goal::Labels => lastfm_worker::add_to(playlist_worker::add_pages_to(Worker::new(home.clone()), home)?, home),
    }
}

fn with_kinds(mut worker: Worker, home: &Home, kinds: &[WorkerKind]) -> anyhow::Result<Worker> {
    let wanted = |kind| kinds.contains(&kind) || kinds.contains(&WorkerKind::All);
    if wanted(WorkerKind::Playlist) {
        worker = playlist_worker::add_to(worker, home)?;
    }
    if wanted(WorkerKind::Lastfm) {
        worker = lastfm_worker::add_to(worker, home)?;
    }
    if wanted(WorkerKind::Pitch) {
        worker = pitch_worker::add_to(worker, home)?;
    }
    if wanted(WorkerKind::Grid) {
        worker = grid_worker::add_to(worker, home)?;
    }
    Ok(worker)
}
