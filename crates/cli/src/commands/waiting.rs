//! Jobs that wait already when a run begins: its workers take them along with its own, and a person should know.

use model::run::Run;
use queue::KindStats;
use worker::Home;

use super::run::is_open;
use crate::output::{thousands, warn};

/// Says on standard error which jobs of the collecting kinds wait in the queue before `run` has published any, and which
/// open runs they may belong to. A run that goes on and is alone has left them itself.
pub async fn name_others(home: &Home, run: &Run) -> anyhow::Result<()> {
    let mut waiting = home.queue.stats().await?;
    waiting.retain(|of| !of.kind.starts_with("search.") && of.ready + of.delayed > 0);
    let others: Vec<Run> = home.store.runs().await?.into_iter().filter(|other| other.id != run.id).collect();
    let is_alone = !others.iter().any(is_open);
    if waiting.is_empty() || is_alone && !home.store.pages(Some(&run.id)).await?.is_empty() {
        return Ok(());
    }
    let kinds: Vec<String> = waiting.iter().map(|of| format!("{} {}", thousands(count(of)), of.kind)).collect();
    warn(&format!(
        "{} jobs wait in the queue already and are done along with those of this run: {}{}",
        thousands(waiting.iter().map(count).sum()),
        kinds.join(", "),
        whose(&others)
    ));
    Ok(())
}

fn count(of: &KindStats) -> usize {
    (of.ready + of.delayed) as usize
}

/// The way out: the newest run that is open, or where runs are found.
fn whose(others: &[Run]) -> String {
    match others.iter().filter(|run| is_open(run)).max_by_key(|run| run.started_at) {
        Some(run) => format!("; run {} was left unfinished: `spotifai cancel {}` ends it", run.id, run.id),
        None if others.is_empty() => String::new(),
        None => "; `spotifai runs` shows the runs, `spotifai cancel RUN` ends one".to_owned(),
    }
}
