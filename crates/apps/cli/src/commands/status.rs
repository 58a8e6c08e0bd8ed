//! `spotifai status`.

use host::Backends;
use model::Timestamp;
use model::fleet::{Budget, Heartbeat, Pause};
use model::run::CollectionSummary;
use queue::KindStats;
use serde::Serialize;

use crate::args::LiveArgs;
use crate::fleet;
use crate::output::{age, count, counted, format_duration, red_unless_zero, table, thousands};
use crate::summary;
use crate::watch::{self, View};

/// What was collected and what is going on. The field names are those of `--json`.
#[derive(Serialize)]
struct Status {
    queue: Vec<KindStats>,
    collection: CollectionSummary,
    workers: Vec<Heartbeat>,
    budgets: Vec<Budget>,
    pauses: Vec<Pause>,
}

/// Shows the status once, or every second.
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
    lines.extend(blockers(status));
    let worker = |worker: &Heartbeat| {
        let name = format!("{}:{}", worker.host, worker.pid);
        vec![name, worker.kinds.join(" "), worker.running.len().to_string()]
    };
    if !status.workers.is_empty() {
        lines.push(String::new());
        lines.push(table(&["worker", "kinds", "running"], &status.workers.iter().map(worker).collect::<Vec<_>>()));
    }
    lines.join("\n")
}

fn collected(c: &CollectionSummary) -> Vec<String> {
    let skipped: usize = c.rows_skipped.values().sum();
    let blocked = c.refused.iter().map(|(data, detail)| format!("blocked  {data}: {detail}"));
    let incomplete = match c.tracks_with_incomplete_features {
        0 => String::new(),
        tracks => format!(" ({} incomplete)", thousands(tracks)),
    };
    let lines = [
        format!(
            "tracks   {} from {} ({} skipped)",
            thousands(c.tracks_collected),
            counted(c.rows, "row"),
            thousands(skipped)
        ),
        format!(
            "tags     {} tagged, {} without tags, {} unknown to last.fm",
            thousands(c.tracks_tagged),
            thousands(c.tracks_without_tags),
            thousands(c.tracks_unknown_to_lastfm)
        ),
        format!(
            "audio    {} features{incomplete}, {} analyses, {} pitches",
            thousands(c.tracks_with_features),
            thousands(c.tracks_with_analysis),
            thousands(c.tracks_with_pitches)
        ),
    ];
    lines.into_iter().chain(blocked).chain(report::differing(&c.rows_differ)).collect()
}

/// Why ready jobs are not taken.
fn blockers(status: &Status) -> Vec<String> {
    let now = Timestamp::now();
    let closed = status.budgets.iter().filter(|budget| budget.blocked_until > now).map(|budget| {
        let reason = budget.reason.as_deref().unwrap_or("rate limit");
        let name = &budget.name;
        let left = format_duration(budget.blocked_until.duration_since(now));
        format!("{name} is closed for {left}: {reason}; `spotifai budget open {name}` opens it now")
    });
    let paused = status.pauses.iter().map(|pause| {
        format!("{} has been paused for {}; `spotifai resume {}` resumes it", pause.kind, age(pause.since), pause.kind)
    });
    let lines: Vec<String> = closed.chain(paused).collect();
    let gap = (!lines.is_empty()).then(String::new);
    gap.into_iter().chain(lines).collect()
}

fn queue_row(kind: &KindStats, collection: &CollectionSummary) -> Vec<String> {
    let counts = collection.jobs.get(&kind.kind).copied().unwrap_or_default();
    let [ready, running, delayed] = [Some(kind.ready), kind.running, Some(kind.delayed)].map(count);
    let [done, retried] = [counts.done, counts.retried].map(|number| count(Some(number)));
    vec![kind.kind.clone(), ready, running, delayed, done, retried, red_unless_zero(kind.dead)]
}
