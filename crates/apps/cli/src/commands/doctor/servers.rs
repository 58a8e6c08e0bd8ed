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
use crate::output::{length, thousands};

/// A heartbeat that is so much later than now was written by a clock that is ahead.
const AHEAD: Duration = Duration::from_secs(2);

/// How long the management API may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The queue: reachable, its counts can be read, and it accepts jobs.
pub async fn queue(settings: Arc<Settings>) -> Vec<Check> {
    const NAME: &str = "queue";
    let asked = async {
        let queue = backends::queue(&settings).await?;
        anyhow::Ok((queue.stats().await?, queue.probe().await?))
    };
    vec![match asked.await {
        Ok((_, Some(why))) => {
            let advice =
                "see its memory and disk (`rabbitmq-diagnostics alarms`); who publishes waits until the alarm ends";
            Check::failed(NAME, format!("{} answers, and takes no jobs: {why}", place(&settings.queue)), advice)
        }
        Ok((stats, None)) => counts(NAME, &place(&settings.queue), &stats),
        Err(error) => Check::failed_with(NAME, format!("{error:#}")),
    }]
}

/// What lies in the queue. Jobs that were given up are for a person to look at.
fn counts(name: &'static str, at: &str, stats: &[KindStats]) -> Check {
    let waiting: u64 = stats.iter().map(|kind| kind.ready + kind.delayed).sum();
    let waiting = thousands(waiting as usize);
    let of_kind = |kind: &KindStats| format!("{} of {}", thousands(kind.dead as usize), kind.kind);
    let dead: Vec<String> = stats.iter().filter(|kind| kind.dead > 0).map(of_kind).collect();
    if dead.is_empty() {
        return Check::ok(name, format!("{at} answers: {waiting} jobs wait, none is dead"));
    }
    let detail = format!("{at} answers: {waiting} jobs wait, and dead are {}", dead.join(", "));
    Check::warning(
        name,
        detail,
        "`spotifai dead list` says why; `dead requeue` gives them another life, `dead purge` none",
    )
}

/// RabbitMQ's management API, where the queue is a RabbitMQ.
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
            "enable the plugin rabbitmq_management, give the queue's user the tag `management`, or unset SPOTIFAI_QUEUE_MANAGEMENT_URL",
        ),
        Err(error) => Check::warning(
            NAME,
            format!("{error:#}: running jobs are counted from the workers' heartbeats"),
            "set SPOTIFAI_QUEUE_MANAGEMENT_URL to where the management API listens",
        ),
    }]
}

#[derive(Deserialize)]
struct Overview {
    rabbitmq_version: String,
}

/// The server's version.
async fn overview(settings: &Settings) -> anyhow::Result<String> {
    let broker = Url::parse(&settings.queue).ok().context("the queue's address cannot be read")?;
    // As the queue itself does: no password in the clear beside an encrypted connection.
    let (scheme, port) = if broker.scheme() == "amqps" { ("https", 15_671) } else { ("http", 15_672) };
    let usual = format!("{scheme}://{}:{port}", broker.host_str().unwrap_or("localhost"));
    let base = settings.queue_management_url.as_deref().unwrap_or(&usual);
    let mut url = Url::parse(&format!("{}/api/overview", base.trim_end_matches('/')))
        .with_context(|| format!("`{}` is no address", without_credentials(base)))?;
    let at = without_credentials(url.as_str());
    // The credentials go from one URL to the other as they are, and from there into a header.
    let user = if broker.username().is_empty() { "guest" } else { broker.username() };
    let _ = url.set_username(user);
    let _ = url.set_password(Some(broker.password().unwrap_or("guest")));
    let http = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build()?;
    let answer = http.get(url).send().await.map_err(reqwest::Error::without_url);
    let answer = answer.with_context(|| format!("{at} is out of reach"))?;
    match answer.status() {
        StatusCode::OK => {}
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => anyhow::bail!("{at} refuses the queue's user"),
        status => anyhow::bail!("{at} answers with HTTP {status}"),
    }
    let overview: Overview = answer.json().await.map_err(|_| anyhow::anyhow!("{at} is no management API"))?;
    Ok(overview.rabbitmq_version)
}

/// The store: reachable, and it can be written to.
pub async fn store(settings: Arc<Settings>) -> Vec<Check> {
    let store = match backends::store(&settings).await {
        Ok(store) => store,
        Err(error) => return vec![Check::failed_with("store", format!("{error:#}"))],
    };
    let at = place(&settings.store);
    // A write that every worker makes.
    vec![match store.lease_budget(super::BUDGET, 1_000.0, 1).await {
        Ok(_) => Check::ok("store", format!("{at} answers and can be written to")),
        Err(error) => {
            let advice = "let its user read and write, and see whether the disk is full";
            Check::failed("store", format!("{at} answers, and cannot be written to: {error}"), advice)
        }
    }]
}

/// Whether somebody takes the jobs that wait.
pub async fn workers(settings: Arc<Settings>) -> Vec<Check> {
    // What is out of reach says so itself.
    let (Ok(queue), Ok(store)) = tokio::join!(backends::queue(&settings), backends::store(&settings)) else {
        return Vec::new();
    };
    let (stats, beats, pauses) = tokio::join!(queue.stats(), store.workers(), store.pauses());
    let (Ok(stats), Ok(beats), Ok(pauses)) = (stats, beats, pauses) else { return Vec::new() };
    let alive = fleet::alive(beats);
    let is_paused = |kind: &String| pauses.iter().any(|pause| pause.kind == *kind);
    let waiting = stats.iter().filter(|kind| kind.ready + kind.delayed > 0);
    let stuck = waiting.filter_map(|kind| {
        let jobs = thousands((kind.ready + kind.delayed) as usize);
        let name = &kind.kind;
        if is_paused(name) {
            let detail = format!("{name} is paused, {jobs} jobs wait");
            return Some(Check::warning("workers", detail, format!("`spotifai resume {name}` ends that")));
        }
        let is_taken = alive.iter().any(|beat| fleet::takes(beat, name));
        let (detail, advice) = match alive.iter().any(|beat| beat.kinds.contains(name)) {
            true => ("no worker can run", "mend what keeps them from it, or start one that can"),
            false => ("nobody takes", "`spotifai worker all`, or the worker of that kind"),
        };
        (!is_taken).then(|| Check::warning("workers", format!("{detail} {name}, {jobs} jobs wait"), advice))
    });
    let stuck = stuck.chain(alive.iter().flat_map(troubles));
    let stuck: Vec<Check> = stuck.chain(alive.iter().filter_map(clock)).collect();
    match (stuck.is_empty(), alive.len()) {
        (false, _) => stuck,
        (true, 0) => vec![Check::ok("workers", "none is alive, and no job waits for one")],
        (true, alive) => {
            vec![Check::ok("workers", format!("{alive} alive, all waiting jobs have somebody who takes them"))]
        }
    }
}

/// What keeps a worker from its jobs.
fn troubles(worker: &Heartbeat) -> Vec<Check> {
    let check = |trouble| {
        let detail = format!("{}:{} {}", worker.host, worker.pid, fleet::trouble(trouble));
        Check::warning("workers", detail, "it tries again by itself; the others go on meanwhile")
    };
    worker.troubles.iter().map(check).collect()
}

/// Ages and pauses are told by the clocks of all hosts together.
fn clock(worker: &Heartbeat) -> Option<Check> {
    let ahead = worker.beat_at.duration_since(Timestamp::now());
    let detail = || format!("the clock of {}:{} is {} ahead of this host's", worker.host, worker.pid, length(ahead));
    (ahead > AHEAD).then(|| Check::warning("clock", detail(), "set both by NTP"))
}

/// What kind of server it is, and where.
fn place(url: &str) -> String {
    let kind = match url.split(':').next() {
        Some("amqp" | "amqps") => "RabbitMQ",
        Some("mongodb" | "mongodb+srv") => "MongoDB",
        _ => "SQLite",
    };
    format!("{kind} at {}", without_credentials(url))
}
