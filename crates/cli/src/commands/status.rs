//! `spotifai status`.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use model::Timestamp;
use model::fleet::{Budget, WorkerBeat};
use model::run::Collection;
use queue::KindStats;
use serde::Serialize;
use worker::{Home, Shutdown};

use crate::args;
use crate::output::{say, say_json, table, thousands};
use crate::summary;

/// A worker that did not beat for so long is not shown any more.
const LOST: Duration = Duration::from_secs(30);

#[derive(Serialize)]
struct Status {
    queue: Vec<KindStats>,
    collection: Collection,
    workers: Vec<WorkerBeat>,
    budgets: Vec<Budget>,
}

/// Shows the state once, or every second.
pub async fn run(args: &args::Status, home: &Home) -> anyhow::Result<()> {
    if !args.watch {
        return show(&gather(home).await?, args.json);
    }
    let shutdown = Shutdown::on_signals()?;
    loop {
        let status = gather(home).await?;
        if std::io::stdout().is_terminal() {
            write!(std::io::stdout(), "\x1b[H\x1b[2J")?;
        }
        show(&status, args.json)?;
        tokio::select! {
            () = shutdown.stopped() => return Ok(()),
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
}

async fn gather(home: &Home) -> anyhow::Result<Status> {
    let now = Timestamp::now();
    let workers = home.store.workers().await?.into_iter();
    Ok(Status {
        queue: home.queue.stats().await?,
        collection: summary::collection(home, None).await?,
        workers: workers.filter(|worker| now.after(worker.beat_at) < LOST).collect(),
        budgets: home.store.budgets().await?,
    })
}

fn show(status: &Status, json: bool) -> anyhow::Result<()> {
    if json {
        return say_json(status);
    }
    let n = thousands;
    let c = &status.collection;
    let skipped: usize = c.rows_skipped.values().sum();
    say(&format!("tracks   {} of {} rows ({} skipped)", n(c.tracks_collected), n(c.rows), n(skipped)))?;
    say(&format!(
        "tags     {} tagged, {} without tags, {} unknown to last.fm",
        n(c.tracks_tagged),
        n(c.tracks_without_tags),
        n(c.tracks_unknown_to_lastfm)
    ))?;
    say(&format!(
        "audio    {} features, {} analyses, {} pitches\n",
        n(c.tracks_with_features),
        n(c.tracks_with_analysis),
        n(c.tracks_with_pitches)
    ))?;
    let queue: Vec<_> = status.queue.iter().map(|kind| queue_row(kind, c)).collect();
    say(&table(&["jobs", "ready", "running", "delayed", "done", "retried", "dead"], &queue))?;
    let now = Timestamp::now();
    for budget in status.budgets.iter().filter(|budget| budget.blocked_until > now) {
        let wait = budget.blocked_until.after(now).as_secs();
        say(&format!("\n{} is closed for {wait} s: {}", budget.name, budget.reason.as_deref().unwrap_or("throttled")))?;
    }
    let worker = |w: &WorkerBeat| vec![format!("{}:{}", w.host, w.pid), w.kinds.join(" "), w.running.len().to_string()];
    if !status.workers.is_empty() {
        say("")?;
        say(&table(&["worker", "kinds", "running"], &status.workers.iter().map(worker).collect::<Vec<_>>()))?;
    }
    Ok(())
}

fn queue_row(kind: &KindStats, collection: &Collection) -> Vec<String> {
    let counts = collection.jobs.get(&kind.kind).copied().unwrap_or_default();
    let number = |n: u64| thousands(n as usize);
    let running = kind.running.map_or_else(|| "–".to_owned(), number);
    let [done, retried] = [counts.done, counts.retried].map(number);
    vec![kind.kind.clone(), number(kind.ready), running, number(kind.delayed), done, retried, number(kind.dead)]
}
