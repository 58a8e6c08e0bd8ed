//! `spotifai workers`.

use std::collections::BTreeMap;

use host::Backends;
use model::Timestamp;
use model::fleet::{Heartbeat, JobCounts, Trouble};
use serde::Serialize;

use crate::args;
use crate::fleet::{self, State};
use crate::output::{Look, age, alarming, count, style, table};
use crate::watch::{self, View};

/// One worker process. The names are those of `--json`.
#[derive(Serialize)]
struct Line {
    id: String,
    host: String,
    pid: u32,
    state: State,
    kinds: Vec<String>,
    running: Vec<Running>,
    counts: BTreeMap<String, JobCounts>,
    troubles: Vec<Trouble>,
    started_at: Timestamp,
    beat_at: Timestamp,
}

/// A job under way.
#[derive(Serialize)]
struct Running {
    kind: String,
    key: String,
    since: Timestamp,
}

/// Shows the workers once, or every second.
pub async fn run(args: &args::WorkersArgs, backends: &Backends) -> anyhow::Result<()> {
    watch::show(args.live, async || {
        let beats = backends.store.workers().await?;
        let mut lines: Vec<Line> = beats.into_iter().map(line).collect();
        lines.retain(|line| args.all || line.state != State::Gone);
        lines.sort_by(|a, b| (&a.host, a.started_at).cmp(&(&b.host, b.started_at)));
        Ok(View { text: text(&lines), json: serde_json::to_value(&lines)?, line: None })
    })
    .await
}

fn line(beat: Heartbeat) -> Line {
    let mut running: Vec<Running> = beat
        .running
        .iter()
        .map(|(kind, key, since)| Running { kind: kind.clone(), key: key.clone(), since: *since })
        .collect();
    running.sort_by_key(|job| job.since);
    Line {
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

fn text(lines: &[Line]) -> String {
    if lines.is_empty() {
        return "no worker is alive; `spotifai worker all` starts one".into();
    }
    let row = |line: &Line| {
        let sum = |of: fn(&JobCounts) -> u64| line.counts.values().map(of).sum::<u64>();
        vec![
            format!("{}:{}", line.host, line.pid),
            age(line.started_at),
            state(line.state),
            under_way(&line.running),
            count(Some(sum(|counts| counts.done))),
            count(Some(sum(|counts| counts.retried))),
            alarming(sum(|counts| counts.dead)),
            age(line.beat_at),
            line.kinds.join(" "),
        ]
    };
    let header = ["worker", "up for", "state", "under way", "done", "retried", "dead", "last beat", "kinds"];
    let table = table(&header, &lines.iter().map(row).collect::<Vec<_>>());
    let of_line = |line: &Line| {
        let worker = format!("{}:{}", line.host, line.pid);
        line.troubles.iter().map(|trouble| format!("{worker} {}", fleet::trouble(trouble))).collect::<Vec<_>>()
    };
    let troubles: Vec<String> = lines.iter().flat_map(of_line).collect();
    if troubles.is_empty() { table } else { format!("{table}\n\n{}", troubles.join("\n")) }
}

fn state(state: State) -> String {
    match state {
        State::Working => style("working", Look::Green),
        State::Idle => "idle".into(),
        State::Late => style("late", Look::Yellow),
        State::Gone => style("gone", Look::Dim),
    }
}

/// The job that runs longest, and how many others run.
fn under_way(running: &[Running]) -> String {
    let Some(longest) = running.first() else { return "nothing".into() };
    let key: String = longest.key.chars().take(24).collect();
    let cut = if key.len() < longest.key.len() { "…" } else { "" };
    let others = if running.len() > 1 { format!(", {} more", running.len() - 1) } else { String::new() };
    format!("{} {key}{cut} for {}{others}", longest.kind, age(longest.since))
}
