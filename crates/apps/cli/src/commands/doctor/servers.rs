//! Queue, store and workers.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use model::Timestamp;
use model::fleet::Heartbeat;
use model::settings::{Settings, without_credentials};
use queue::KindStats;
use reqwest::{StatusCode, Url};
use serde::Deserialize;

use super::check::Check;
use crate::backends;
use crate::fleet;
use crate::output::{counted, format_duration, thousands};

/// A heartbeat this far in the future means that the worker's clock is ahead.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(2);

/// Timeout of requests to the management API.
const MANAGEMENT_API_TIMEOUT: Duration = Duration::from_secs(5);

/// Checks that the queue is reachable, can be read, and accepts jobs.
pub async fn queue(settings: Arc<Settings>) -> Vec<Check> {
    const NAME: &str = "queue";
    let asked = async {
        let queue = backends::queue(&settings).await?;
        anyhow::Ok((queue.stats().await?, queue.probe().await?))
    };
    vec![match asked.await {
        Ok((_, Some(why))) => {
            let advice =
                "check its memory and disk (`rabbitmq-diagnostics alarms`); publishers wait until the alarm ends";
            Check::failed(NAME, format!("{} is reachable but accepts no jobs: {why}", server(&settings.queue)), advice)
        }
        Ok((stats, None)) => contents(NAME, &server(&settings.queue), &stats),
        Err(error) => Check::failed_with(NAME, format!("{error:#}")),
    }]
}

/// The jobs in the queue. Dead jobs are a warning, since somebody should look at them.
fn contents(name: &'static str, server: &str, stats: &[KindStats]) -> Check {
    let waiting: u64 = stats.iter().map(|kind| kind.ready + kind.delayed).sum();
    let waiting = counted(waiting as usize, "job");
    let dead_of_kind = |kind: &KindStats| format!("{} {}", thousands(kind.dead as usize), kind.kind);
    let dead: Vec<String> = stats.iter().filter(|kind| kind.dead > 0).map(dead_of_kind).collect();
    if dead.is_empty() {
        return Check::ok(name, format!("{server} is reachable: {waiting} waiting, no dead jobs"));
    }
    let detail = format!("{server} is reachable: {waiting} waiting; dead jobs: {}", dead.join(", "));
    Check::warning(
        name,
        detail,
        "`spotifai dead list` shows why; `spotifai dead requeue` retries them, `spotifai dead purge` deletes them",
    )
}

/// Checks RabbitMQ's management API, if the queue is RabbitMQ.
pub async fn management(settings: Arc<Settings>) -> Vec<Check> {
    const NAME: &str = "queue-management";
    if !settings.queue.starts_with("amqp") {
        return Vec::new();
    }
    vec![match overview(&settings).await {
        Ok(version) => Check::ok(NAME, format!("RabbitMQ {version}: running jobs are counted by the server")),
        Err(error) if settings.queue_management_url.is_some() => Check::failed(
            NAME,
            format!("{error:#}"),
            "enable the plugin rabbitmq_management, give the user the tag `management`, or unset SPOTIFAI_QUEUE_MANAGEMENT_URL",
        ),
        Err(error) => Check::warning(
            NAME,
            format!("{error:#}; running jobs are counted from heartbeats instead"),
            "set SPOTIFAI_QUEUE_MANAGEMENT_URL to the address of the management API",
        ),
    }]
}

#[derive(Deserialize)]
struct Overview {
    rabbitmq_version: String,
}

/// Asks the server for its version.
async fn overview(settings: &Settings) -> anyhow::Result<String> {
    let broker = Url::parse(&settings.queue).ok().context("the queue URL is invalid")?;
    // Encrypted if the queue's connection is: the same password is sent.
    let (scheme, port) = if broker.scheme() == "amqps" { ("https", 15_671) } else { ("http", 15_672) };
    let default = format!("{scheme}://{}:{port}", broker.host_str().unwrap_or("localhost"));
    let base = settings.queue_management_url.as_deref().unwrap_or(&default);
    let mut url = Url::parse(&format!("{}/api/overview", base.trim_end_matches('/')))
        .with_context(|| format!("`{}` is not a valid URL", without_credentials(base)))?;
    let shown_url = without_credentials(url.as_str());
    // Copied still percent-encoded; reqwest decodes them into a header.
    let user = if broker.username().is_empty() { "guest" } else { broker.username() };
    let _ = url.set_username(user);
    let _ = url.set_password(Some(broker.password().unwrap_or("guest")));
    let http = reqwest::Client::builder().timeout(MANAGEMENT_API_TIMEOUT).no_proxy().build()?;
    let answer = http.get(url).send().await.map_err(reqwest::Error::without_url);
    let answer = answer.with_context(|| format!("{shown_url} is unreachable"))?;
    match answer.status() {
        StatusCode::OK => {}
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => anyhow::bail!("{shown_url} rejected the queue's user"),
        status => anyhow::bail!("{shown_url} returned HTTP {status}"),
    }
    let overview: Overview = answer.json().await.map_err(|_| anyhow::anyhow!("{shown_url} is not a management API"))?;
    Ok(overview.rabbitmq_version)
}

/// Checks that the store is reachable and writable.
pub async fn store(settings: Arc<Settings>) -> Vec<Check> {
    let store = match backends::store(&settings).await {
        Ok(store) => store,
        Err(error) => return vec![Check::failed_with("store", format!("{error:#}"))],
    };
    let server = server(&settings.store);
    // A write that every worker does.
    vec![match store.lease_budget(super::PROBE_BUDGET, 1_000.0, 1).await {
        Ok(_) => Check::ok("store", format!("{server} is reachable and writable")),
        Err(error) => {
            let advice = "check that its user may read and write, and that the disk is not full";
            Check::failed("store", format!("{server} is reachable but not writable: {error}"), advice)
        }
    }]
}

/// Checks that waiting jobs have workers, and that the workers are well.
pub async fn workers(settings: Arc<Settings>) -> Vec<Check> {
    // Unreachable servers are reported by their own checks.
    let (Ok(queue), Ok(store)) = tokio::join!(backends::queue(&settings), backends::store(&settings)) else {
        return Vec::new();
    };
    let (stats, beats, pauses) = tokio::join!(queue.stats(), store.workers(), store.pauses());
    let (Ok(stats), Ok(beats), Ok(pauses)) = (stats, beats, pauses) else { return Vec::new() };
    let alive = fleet::alive(beats);
    let is_paused = |kind: &String| pauses.iter().any(|pause| pause.kind == *kind);
    let waiting = stats.iter().filter(|kind| kind.ready + kind.delayed > 0);
    let stuck = waiting.filter_map(|kind| {
        let jobs = counted((kind.ready + kind.delayed) as usize, "job");
        let name = &kind.kind;
        if is_paused(name) {
            let detail = format!("{name} is paused with {jobs} waiting");
            return Some(Check::warning("workers", detail, format!("`spotifai resume {name}` resumes it")));
        }
        let is_taken = alive.iter().any(|beat| fleet::takes(beat, name));
        let (problem, advice) = match alive.iter().any(|beat| beat.kinds.contains(name)) {
            true => ("no running worker can take", "fix what prevents them, or start one that can"),
            false => ("no worker takes", "start one: `spotifai worker all`, or only the worker for that kind"),
        };
        (!is_taken).then(|| Check::warning("workers", format!("{problem} {name}: {jobs} waiting"), advice))
    });
    let stuck = stuck.chain(alive.iter().flat_map(troubles));
    let problems: Vec<Check> = stuck.chain(alive.iter().filter_map(clock)).collect();
    match (problems.is_empty(), alive.len()) {
        (false, _) => problems,
        (true, 0) => vec![Check::ok("workers", "none running, and no jobs waiting for one")],
        (true, alive) => {
            vec![Check::ok("workers", format!("{alive} running, and all waiting jobs have a worker"))]
        }
    }
}

/// Warnings about what keeps a worker from its jobs.
fn troubles(worker: &Heartbeat) -> Vec<Check> {
    let check = |trouble| {
        let detail = format!("{}:{} is {}", worker.host, worker.pid, fleet::trouble(trouble));
        Check::warning("workers", detail, "it retries by itself; other workers are not affected")
    };
    worker.troubles.iter().map(check).collect()
}

/// Warns about a worker's clock: ages and pauses are computed across hosts.
fn clock(worker: &Heartbeat) -> Option<Check> {
    let ahead = worker.beat_at.duration_since(Timestamp::now());
    let detail =
        || format!("the clock of {}:{} is {} ahead of this host's", worker.host, worker.pid, format_duration(ahead));
    (ahead > MAX_CLOCK_SKEW).then(|| Check::warning("clock", detail(), "synchronise both with NTP"))
}

/// Names the server at a URL, without credentials.
fn server(url: &str) -> String {
    let kind = match url.split(':').next() {
        Some("amqp" | "amqps") => "RabbitMQ",
        Some("mongodb" | "mongodb+srv") => "MongoDB",
        _ => "SQLite",
    };
    format!("{kind} at {}", without_credentials(url))
}
