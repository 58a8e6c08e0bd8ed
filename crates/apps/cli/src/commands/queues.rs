//! `spotifai queues`.

use std::collections::BTreeMap;
use std::time::Duration;

use host::Backends;
use model::Timestamp;
use model::fleet::Heartbeat;
use queue::KindStats;
use serde::Serialize;

use crate::args::LiveArgs;
use crate::fleet::{self, Rates};
use crate::output::{Look, age, alarming, count, length, style, table};
use crate::watch::{self, View};

/// Between the two looks of a single call: a busy worker beats every second.
const SAMPLE: Duration = Duration::from_millis(1_500);

/// One kind's queue. The names are those of `--json`.
#[derive(Serialize)]
struct Line {
    kind: String,
    ready: u64,
    running: Option<u64>,
    delayed: u64,
    dead: u64,
    workers: usize,
    rate_per_second: Option<f64>,
    eta_seconds: Option<u64>,
    paused_since: Option<Timestamp>,
}

/// Shows the queues once, or every second.
pub async fn run(live: LiveArgs, backends: &Backends) -> anyhow::Result<()> {
    let mut rates = Rates::default();
    if !live.watch {
        let alive = look(backends, &mut rates).await?;
        // Without a worker there is no rate to wait for.
        if !alive.is_empty() && !backends.queue.stats().await?.iter().all(KindStats::is_idle) {
            tokio::time::sleep(SAMPLE).await;
        }
    }
    watch::show(live, async || {
        let alive = look(backends, &mut rates).await?;
        let lines = gather(backends, &alive, &rates).await?;
        Ok(View { text: text(&lines), json: serde_json::to_value(&lines)?, line: None })
    })
    .await
}

async fn look(backends: &Backends, rates: &mut Rates) -> anyhow::Result<Vec<Heartbeat>> {
    let alive = fleet::alive(backends.store.workers().await?);
    rates.look(&alive);
    Ok(alive)
}

async fn gather(backends: &Backends, alive: &[Heartbeat], rates: &Rates) -> anyhow::Result<Vec<Line>> {
    let mut stats = backends.queue.stats().await?;
    fleet::fill_running(&mut stats, alive);
    let mut by_kind: BTreeMap<String, KindStats> = stats.into_iter().map(|stats| (stats.kind.clone(), stats)).collect();
    let pauses: BTreeMap<String, Timestamp> =
        backends.store.pauses().await?.into_iter().map(|pause| (pause.kind, pause.since)).collect();
    for kind in pauses.keys() {
        let nothing = || KindStats { kind: kind.clone(), running: Some(0), ..KindStats::default() };
        by_kind.entry(kind.clone()).or_insert_with(nothing);
    }
    let line = |stats: KindStats| {
        let paused_since = pauses.get(&stats.kind).copied();
        let left = stats.ready + stats.running.unwrap_or(0) + stats.delayed;
        // Nobody takes jobs of a paused kind, however fast it was before.
        let rate = if paused_since.is_some() { None } else { rates.of(&stats.kind, left > 0) };
        Line {
            ready: stats.ready,
            running: stats.running,
            delayed: stats.delayed,
            dead: stats.dead,
            workers: alive.iter().filter(|beat| beat.kinds.contains(&stats.kind)).count(),
            rate_per_second: rate,
            eta_seconds: fleet::eta(left, rate),
            paused_since,
            kind: stats.kind,
        }
    };
    Ok(by_kind.into_values().map(line).collect())
}

fn text(lines: &[Line]) -> String {
    if lines.is_empty() {
        return "no jobs yet".into();
    }
    let row = |line: &Line| {
        let name = match line.paused_since {
            Some(since) => format!("{} {}", line.kind, style(format!("paused for {}", age(since)), Look::Yellow)),
            None => line.kind.clone(),
        };
        let rate = line.rate_per_second.map_or_else(|| "–".to_owned(), |rate| format!("{rate:.1}/s"));
        let eta = line.eta_seconds.map_or_else(|| "–".to_owned(), |seconds| length(Duration::from_secs(seconds)));
        let [ready, running, delayed] = [Some(line.ready), line.running, Some(line.delayed)].map(count);
        vec![name, ready, running, delayed, alarming(line.dead), line.workers.to_string(), rate, eta]
    };
    let header = ["kind", "ready", "running", "delayed", "dead", "workers", "rate", "time left"];
    table(&header, &lines.iter().map(row).collect::<Vec<_>>())
}
