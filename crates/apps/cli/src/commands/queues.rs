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
use crate::output::{Style, age, count, format_duration, red_unless_zero, style, table};
use crate::watch::{self, View};

/// Time between the two samples of a single call. Busy workers send a heartbeat every second.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(1_500);

/// The queue of a job kind. The field names are those of `--json`.
#[derive(Serialize)]
struct KindStatus {
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
        let alive = sample(backends, &mut rates).await?;
        // Without workers there is no rate to measure.
        if !alive.is_empty() && !backends.queue.stats().await?.iter().all(KindStats::is_idle) {
            tokio::time::sleep(SAMPLE_INTERVAL).await;
        }
    }
    watch::show(live, async || {
        let alive = sample(backends, &mut rates).await?;
        let statuses = gather(backends, &alive, &rates).await?;
        Ok(View { text: text(&statuses), json: serde_json::to_value(&statuses)?, line: None })
    })
    .await
}

async fn sample(backends: &Backends, rates: &mut Rates) -> anyhow::Result<Vec<Heartbeat>> {
    let alive = fleet::alive(backends.store.workers().await?);
    rates.sample(&alive);
    Ok(alive)
}

async fn gather(backends: &Backends, alive: &[Heartbeat], rates: &Rates) -> anyhow::Result<Vec<KindStatus>> {
    let mut stats = backends.queue.stats().await?;
    fleet::fill_running(&mut stats, alive);
    let mut by_kind: BTreeMap<String, KindStats> = stats.into_iter().map(|stats| (stats.kind.clone(), stats)).collect();
    let pauses: BTreeMap<String, Timestamp> =
        backends.store.pauses().await?.into_iter().map(|pause| (pause.kind, pause.since)).collect();
    for kind in pauses.keys() {
        let idle = || KindStats { kind: kind.clone(), running: Some(0), ..KindStats::default() };
        by_kind.entry(kind.clone()).or_insert_with(idle);
    }
    let status = |stats: KindStats| {
        let paused_since = pauses.get(&stats.kind).copied();
        let left = stats.ready + stats.running.unwrap_or(0) + stats.delayed;
        // Jobs of a paused kind are not taken, whatever the rate was before.
        let rate = if paused_since.is_some() { None } else { rates.per_second(&stats.kind, left > 0) };
        KindStatus {
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
    Ok(by_kind.into_values().map(status).collect())
}

fn text(statuses: &[KindStatus]) -> String {
    if statuses.is_empty() {
        return "no jobs yet".into();
    }
    let row = |status: &KindStatus| {
        let name = match status.paused_since {
            Some(since) => format!("{} {}", status.kind, style(format!("paused for {}", age(since)), Style::Yellow)),
            None => status.kind.clone(),
        };
        let rate = status.rate_per_second.map_or_else(|| "–".to_owned(), |rate| format!("{rate:.1}/s"));
        let eta =
            status.eta_seconds.map_or_else(|| "–".to_owned(), |seconds| format_duration(Duration::from_secs(seconds)));
        let [ready, running, delayed] = [Some(status.ready), status.running, Some(status.delayed)].map(count);
        vec![name, ready, running, delayed, red_unless_zero(status.dead), status.workers.to_string(), rate, eta]
    };
    let header = ["kind", "ready", "running", "delayed", "dead", "workers", "rate", "time left"];
    table(&header, &statuses.iter().map(row).collect::<Vec<_>>())
}
