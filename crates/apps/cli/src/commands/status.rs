//! `spotifai status`.

use host::Backends;
use model::Timestamp;
use model::fleet::{Budget, Heartbeat, Pause};
use model::run::CollectionSummary;
use queue::KindStats;
use serde::Serialize;

use crate::args::LiveArgs;
use crate::fleet;
use crate::output::{age, alarming, count, length, table, thousands};
use crate::summary;
use crate::watch::{self, View};

/// What there is and what goes on. The names are those of `--json`.
#[derive(Serialize)]
struct Status {
    queue: Vec<KindStats>,
    collection: CollectionSummary,
    workers: Vec<Heartbeat>,
    budgets: Vec<Budget>,
    pauses: Vec<Pause>,
}

/// Shows the state once, or every second.
pub async fn run(live: LiveArgs, backends: &Backends) -> anyhow::Result<()> {
    watch::show(live, async || {
        let status = gather(backends).await?;
        Ok(View { text: text(&status), json: serde_json::to_value(&status)?, line: None })
    })
    .await
}

async fn gather(backends: &Backends) -> anyhow::Result<Status> {
    let workers = fleet::alive(backends.store.workers().await?);
    let mut queue = backends.queue.stats().await?;
    fleet::fill_running(&mut queue, &workers);
    Ok(Status {
        queue,
        collection: summary::collection(backends, None).await?,
        workers,
        budgets: backends.store.budgets().await?,
        pauses: backends.store.pauses().await?,
    })
}

fn text(status: &Status) -> String {
    let mut lines = collected(&status.collection);
    let queue: Vec<_> = status.queue.iter().map(|kind| queue_row(kind, &status.collection)).collect();
    lines.push(String::new());
    lines.push(table(&["jobs", "ready", "running", "delayed", "done", "retried", "dead"], &queue));
    lines.extend(held_up(status));
    let worker = |w: &Heartbeat| vec![format!("{}:{}", w.host, w.pid), w.kinds.join(" "), w.running.len().to_string()];
    if !status.workers.is_empty() {
        lines.push(String::new());
        lines.push(table(&["worker", "kinds", "running"], &status.workers.iter().map(worker).collect::<Vec<_>>()));
    }
    lines.join("\n")
}

fn collected(c: &CollectionSummary) -> Vec<String> {
    let n = thousands;
    let skipped: usize = c.rows_skipped.values().sum();
    let refused = c.refused.iter().map(|(what, detail)| format!("refused  {what}: {detail}"));
    let incomplete = match c.tracks_with_incomplete_features {
        0 => String::new(),
        tracks => format!(" ({} incomplete)", n(tracks)),
    };
    let lines = [
        format!("tracks   {} of {} rows ({} skipped)", n(c.tracks_collected), n(c.rows), n(skipped)),
        format!(
            "tags     {} tagged, {} without tags, {} unknown to last.fm",
            n(c.tracks_tagged),
            n(c.tracks_without_tags),
            n(c.tracks_unknown_to_lastfm)
        ),
        format!(
            "audio    {} features{incomplete}, {} analyses, {} pitches",
            n(c.tracks_with_features),
            n(c.tracks_with_analysis),
            n(c.tracks_with_pitches)
        ),
    ];
    lines.into_iter().chain(refused).chain(report::differing(&c.rows_differ)).collect()
}

/// Why jobs that are ready are not taken.
fn held_up(status: &Status) -> Vec<String> {
    let now = Timestamp::now();
    let closed = status.budgets.iter().filter(|budget| budget.blocked_until > now).map(|budget| {
        let why = budget.reason.as_deref().unwrap_or("throttled");
        let name = &budget.name;
        let left = length(budget.blocked_until.duration_since(now));
        format!("{name} is closed for {left}: {why}; `spotifai budget open {name}` ends that")
    });
    let paused = status.pauses.iter().map(|pause| {
        format!("{} is paused for {}; `spotifai resume {}` ends that", pause.kind, age(pause.since), pause.kind)
    });
    let lines: Vec<String> = closed.chain(paused).collect();
    let gap = (!lines.is_empty()).then(String::new);
    gap.into_iter().chain(lines).collect()
}

fn queue_row(kind: &KindStats, collection: &CollectionSummary) -> Vec<String> {
    let counts = collection.jobs.get(&kind.kind).copied().unwrap_or_default();
    let [ready, running, delayed] = [Some(kind.ready), kind.running, Some(kind.delayed)].map(count);
    let [done, retried] = [counts.done, counts.retried].map(|number| count(Some(number)));
    vec![kind.kind.clone(), ready, running, delayed, done, retried, alarming(kind.dead)]
}
