//! `spotifai workers`.

use std::collections::BTreeMap;

use host::Backends;
use model::Timestamp;
use model::fleet::{Heartbeat, JobCounts, Trouble};
use serde::Serialize;

use crate::args;
use crate::fleet::{self, WorkerState};
use crate::output::{Style, age, count, red_unless_zero, style, table};
use crate::watch::{self, View};

/// A worker process. The field names are those of `--json`.
#[derive(Serialize)]
struct WorkerStatus {
    id: String,
    host: String,
    pid: u32,
    state: WorkerState,
    kinds: Vec<String>,
    running: Vec<RunningJob>,
    counts: BTreeMap<String, JobCounts>,
    troubles: Vec<Trouble>,
    started_at: Timestamp,
    beat_at: Timestamp,
}

/// A running job.
#[derive(Serialize)]
struct RunningJob {
    kind: String,
    key: String,
    since: Timestamp,
}

/// Shows the workers once, or every second.
pub async fn run(args: &args::WorkersArgs, backends: &Backends) -> anyhow::Result<()> {
    watch::show(args.live, async || {
        let beats = backends.store.workers().await?;
        let mut workers: Vec<WorkerStatus> = beats.into_iter().map(status).collect();
        workers.retain(|worker| args.all || worker.state != WorkerState::Gone);
        workers.sort_by(|a, b| (&a.host, a.started_at).cmp(&(&b.host, b.started_at)));
        Ok(View { text: text(&workers), json: serde_json::to_value(&workers)?, line: None })
    })
    .await
}

fn status(beat: Heartbeat) -> WorkerStatus {
    let mut running: Vec<RunningJob> = beat
        .running
        .iter()
        .map(|(kind, key, since)| RunningJob { kind: kind.clone(), key: key.clone(), since: *since })
        .collect();
    running.sort_by_key(|job| job.since);
    WorkerStatus {
        state: fleet::state(&beat),
        id: beat.id,
        host: beat.host,
        pid: beat.pid,
        kinds: beat.kinds,
        running,
        counts: beat.counts,
        troubles: beat.troubles,
        started_at: beat.started_at,
        beat_at: beat.beat_at,
    }
}

fn text(workers: &[WorkerStatus]) -> String {
    if workers.is_empty() {
        return "no workers running; `spotifai worker all` starts one".into();
    }
    let row = |worker: &WorkerStatus| {
        let sum = |count: fn(&JobCounts) -> u64| worker.counts.values().map(count).sum::<u64>();
        vec![
            format!("{}:{}", worker.host, worker.pid),
            age(worker.started_at),
            state(worker.state),
            running_jobs(&worker.running),
            count(Some(sum(|counts| counts.done))),
            count(Some(sum(|counts| counts.retried))),
            red_unless_zero(sum(|counts| counts.dead)),
            age(worker.beat_at),
            worker.kinds.join(" "),
        ]
    };
    let header = ["worker", "uptime", "state", "running", "done", "retried", "dead", "last heartbeat", "kinds"];
    let table = table(&header, &workers.iter().map(row).collect::<Vec<_>>());
    let troubles_of = |worker: &WorkerStatus| {
        let name = format!("{}:{}", worker.host, worker.pid);
        worker.troubles.iter().map(|trouble| format!("{name} is {}", fleet::trouble(trouble))).collect::<Vec<_>>()
    };
    let troubles: Vec<String> = workers.iter().flat_map(troubles_of).collect();
    if troubles.is_empty() { table } else { format!("{table}\n\n{}", troubles.join("\n")) }
}

fn state(state: WorkerState) -> String {
    match state {
        WorkerState::Working => style("working", Style::Green),
        WorkerState::Idle => "idle".into(),
        WorkerState::Late => style("late", Style::Yellow),
        WorkerState::Gone => style("gone", Style::Dim),
    }
}

/// The longest-running job, and how many others there are.
fn running_jobs(running: &[RunningJob]) -> String {
    let Some(longest) = running.first() else { return "–".into() };
    let key: String = longest.key.chars().take(24).collect();
    let ellipsis = if key.len() < longest.key.len() { "…" } else { "" };
    let others = if running.len() > 1 { format!(", {} more", running.len() - 1) } else { String::new() };
    format!("{} {key}{ellipsis} for {}{others}", longest.kind, age(longest.since))
}
