//! Warnings about jobs that are already in the queue when a run starts: whether they will be done along with it, and how to
//! get rid of them.

use std::collections::HashMap;

use host::Backends;
use model::run::Run;
use queue::KindStats;

use crate::command_line::{self, backend_flags};
use crate::output::{thousands, warn};
use crate::playlist_run::is_open;

/// Warns about collection jobs that wait in the queue before `run` has published any. The warning says what will happen to them,
/// and how to resume or end the open run they may belong to.
pub async fn warn_about_others(backends: &Backends, run: &Run) -> anyhow::Result<()> {
    for cancelled in backends.store.cancelled_runs().await? {
        backends.queue.delete_run_jobs(&cancelled).await?;
    }
    let own = backends.queue.for_run(&run.id);
    let mut waiting: HashMap<String, usize> = backends.queue.stats().await?.into_iter().map(waiting_jobs).collect();
    if let Some(own) = &own {
        for (kind, count) in own.stats().await?.into_iter().map(waiting_jobs) {
            waiting.entry(kind).and_modify(|total| *total -= count.min(*total));
        }
    }
    waiting.retain(|kind, count| !kind.starts_with("search.") && *count > 0);
    let others: Vec<Run> = backends.store.runs().await?.into_iter().filter(|other| other.id != run.id).collect();
    // A resumed run that is the only one left them itself.
    let are_own =
        own.is_none() && !others.iter().any(is_open) && !backends.store.pages(Some(&run.id)).await?.is_empty();
    if waiting.is_empty() || are_own {
        return Ok(());
    }
    let mut kinds: Vec<String> = waiting.iter().map(|(kind, count)| format!("{} {kind}", thousands(*count))).collect();
    kinds.sort();
    let fate = match own {
        Some(_) => format!(
            "they stay there until `{}` runs them",
            command(backends, &["worker", "playlist", "lastfm", "pitch", "--until-empty"])
        ),
        None => {
            "they may run before those of this run, which ends when its own are done or, if some of those die, when the \
             queue is empty"
                .to_owned()
        }
    };
    warn(&format!("the queue already holds other jobs ({}): {fate}{}", kinds.join(", "), way_out(backends, &others)));
    Ok(())
}

fn waiting_jobs(stats: KindStats) -> (String, usize) {
    (stats.kind, (stats.ready + stats.delayed) as usize)
}

/// What to do about them: resume or cancel the newest open run, or look at the runs.
fn way_out(backends: &Backends, others: &[Run]) -> String {
    match others.iter().filter(|run| is_open(run)).max_by_key(|run| run.started_at) {
        Some(run) => format!(
            "; run {} is unfinished: the command that started it resumes it, and `{}` ends it",
            run.id,
            command(backends, &["cancel", &run.id])
        ),
        None if others.is_empty() => String::new(),
        None => format!("; `{}` lists the runs, and `cancel RUN` ends one", command(backends, &["runs"])),
    }
}

fn command(backends: &Backends, words: &[&str]) -> String {
    command_line::with_args(backend_flags(backends).into_iter().chain(words.iter().map(|word| (*word).to_owned())))
}
