//! `spotifai worker`.

use host::{Backends, Program};
use model::job::{JobBody, PlaylistPageJob, TrackTagsJob};
use model::settings::Settings;
use runtime::{Until, Worker};

use crate::args;
use crate::playlist_run::RunGoal;
use crate::programs;

/// Runs the selected workers until a signal, or until their queues are empty.
pub async fn run(args: &args::WorkerArgs, mut settings: Settings) -> anyhow::Result<()> {
    if let Some(slots) = args.slots {
        settings.worker.slots = slots.into();
    }
    let is_wanted = |name: &str| args.workers.iter().any(|wanted| wanted == name || wanted == programs::ALL);
    let until = if args.until_empty { Until::Empty } else { Until::Stopped };
    let shutdown = host::signals::on_signals()?;
    host::run_worker(settings, |worker, backends| with_programs(worker, backends, is_wanted), until, shutdown).await
}

/// A worker for the programs with these short names.
pub fn for_programs(backends: &Backends, names: &[&str]) -> anyhow::Result<Worker> {
    with_programs(backends.worker(), backends, |name| names.contains(&name))
}

/// A worker that collects for a goal.
pub fn for_goal(backends: &Backends, goal: RunGoal) -> anyhow::Result<Worker> {
    match goal {
        RunGoal::Model => for_programs(backends, &["playlist", "lastfm", "pitch"]),
        RunGoal::Labels => {
            let needed = [PlaylistPageJob::KIND, TrackTagsJob::KIND];
            let add =
                |worker, program: &Program| program.add_kinds_to(worker, backends, |kind| needed.contains(&kind.name));
            programs::programs().iter().try_fold(backends.worker(), add)
        }
    }
}

fn with_programs(worker: Worker, backends: &Backends, is_wanted: impl Fn(&str) -> bool) -> anyhow::Result<Worker> {
    let mut wanted = programs::programs().iter().filter(|program| is_wanted(programs::short_name(program)));
    wanted.try_fold(worker, |worker, program| program.add_to(worker, backends))
}
