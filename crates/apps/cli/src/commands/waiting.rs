//! Jobs of others that wait where a run begins: a person should know whether they are done along with it, and how to be rid
//! of them.

use std::collections::HashMap;

use host::Backends;
use model::run::Run;
use queue::KindStats;

use crate::output::{thousands, warn};
use crate::playlist_run::is_open;
use crate::shell::{self, places};

/// Says on standard error which jobs of the collecting kinds wait in the queue before `run` has published any, what becomes
/// of them, and how to go on with the open run that they may belong to, or to end it.
pub async fn name_others(backends: &Backends, run: &Run) -> anyhow::Result<()> {
    for cancelled in backends.store.cancelled_runs().await? {
        backends.queue.delete_run_jobs(&cancelled).await?;
    }
    let own = backends.queue.for_run(&run.id);
    let mut waiting: HashMap<String, usize> = backends.queue.stats().await?.into_iter().map(counted).collect();
    if let Some(own) = &own {
        for (kind, count) in own.stats().await?.into_iter().map(counted) {
            waiting.entry(kind).and_modify(|all| *all -= count.min(*all));
        }
    }
    waiting.retain(|kind, count| !kind.starts_with("search.") && *count > 0);
    let others: Vec<Run> = backends.store.runs().await?.into_iter().filter(|other| other.id != run.id).collect();
    // A run that goes on and is alone has left them itself.
    let are_own =
        own.is_none() && !others.iter().any(is_open) && !backends.store.pages(Some(&run.id)).await?.is_empty();
    if waiting.is_empty() || are_own {
        return Ok(());
    }
    let mut kinds: Vec<String> = waiting.iter().map(|(kind, count)| format!("{} {kind}", thousands(*count))).collect();
    kinds.sort();
    let what_becomes_of_them = match own {
        Some(_) => format!(
            "are left there: `{}` does them",
            spotifai(backends, &["worker", "playlist", "lastfm", "pitch", "--until-empty"])
        ),
        None => {
            "may come before those of this run, which ends when it has all of its own, or, if some of them die, when \
                 the queue is empty"
                .to_owned()
        }
    };
    warn(&format!(
        "jobs of others wait in the queue ({}) and {what_becomes_of_them}{}",
        kinds.join(", "),
        whose(backends, &others)
    ));
    Ok(())
}

fn counted(of: KindStats) -> (String, usize) {
    (of.kind, (of.ready + of.delayed) as usize)
}

/// The way out: the newest run that is open, or where runs are found.
fn whose(backends: &Backends, others: &[Run]) -> String {
    match others.iter().filter(|run| is_open(run)).max_by_key(|run| run.started_at) {
        Some(run) => format!(
            "; run {} is unfinished: the command that began it goes on with it, `{}` ends it",
            run.id,
            spotifai(backends, &["cancel", &run.id])
        ),
        None if others.is_empty() => String::new(),
        None => format!("; `{}` shows the runs, `cancel RUN` ends one", spotifai(backends, &["runs"])),
    }
}

fn spotifai(backends: &Backends, words: &[&str]) -> String {
    shell::command(places(backends).into_iter().chain(words.iter().map(|word| (*word).to_owned())))
}
