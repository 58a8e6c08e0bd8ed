//! `spotifai worker`.

use model::settings::Settings;
use worker::{Home, Shutdown, Until, Worker};

use crate::args::{self, WorkerKind};

/// Runs the chosen workers until a signal, or until their queues are empty.
pub async fn run(args: &args::Worker, mut settings: Settings) -> anyhow::Result<()> {
    if let Some(slots) = args.slots {
        settings.worker.slots = slots.into();
    }
    let until = if args.until_empty { Until::Empty } else { Until::Stopped };
    let home = Home::open(settings).await?;
    let shutdown = Shutdown::on_signals()?;
    of_kinds(&home, &args.kinds)?.run(until, shutdown).await?;
    Ok(())
}

/// A worker for all these kinds.
pub fn of_kinds(home: &Home, kinds: &[WorkerKind]) -> anyhow::Result<Worker> {
    let wanted = |kind| kinds.contains(&kind) || kinds.contains(&WorkerKind::All);
    let mut worker = Worker::new(home.clone());
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
