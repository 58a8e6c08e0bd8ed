//! `spotifai worker`.

use host::{Home, Program};
use model::job::{Body, PlaylistPageJob, TrackTags};
use model::settings::Settings;
use runtime::{Until, Worker};

use crate::args;
use crate::playlist_run::Goal;
use crate::programs;

/// Runs the chosen workers until a signal, or until their queues are empty.
pub async fn run(args: &args::Worker, mut settings: Settings) -> anyhow::Result<()> {
    if let Some(slots) = args.slots {
        settings.worker.slots = slots.into();
    }
    let is_wanted = |name: &str| args.workers.iter().any(|wanted| wanted == name || wanted == programs::ALL);
    let until = if args.until_empty { Until::Empty } else { Until::Stopped };
    let shutdown = host::signals::on_signals()?;
    host::run_worker(settings, |worker, home| with_programs(worker, home, is_wanted), until, shutdown).await
}

/// A worker that does the work of these programs, by their short names.
pub fn of_programs(home: &Home, names: &[&str]) -> anyhow::Result<Worker> {
    with_programs(home.worker(), home, |name| names.contains(&name))
}

/// The worker of a run that collects for this goal.
pub fn collecting(home: &Home, goal: Goal) -> anyhow::Result<Worker> {
    match goal {
        Goal::Model => of_programs(home, &["playlist", "lastfm", "pitch"]),
        Goal::Labels => {
            let needed = [PlaylistPageJob::KIND, TrackTags::KIND];
            let add = |worker, program: &Program| program.add_some_to(worker, home, |kind| needed.contains(&kind.name));
            programs::programs().iter().try_fold(home.worker(), add)
        }
    }
}

fn with_programs(worker: Worker, home: &Home, is_wanted: impl Fn(&str) -> bool) -> anyhow::Result<Worker> {
    let mut wanted = programs::programs().iter().filter(|program| is_wanted(programs::short(program)));
    wanted.try_fold(worker, |worker, program| program.add_to(worker, home))
}
