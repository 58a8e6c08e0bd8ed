//! Memory of worker processes: the four programs idle, and a busy one over many jobs.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use model::job::{Envelope, TrackPitchesJob};
use runtime::{Context, Failure, Handler, Until};

use crate::broker::Broker;
use crate::ours;

const PROGRAMS: [&str; 4] = ["playlist-worker", "lastfm-worker", "pitch-worker", "grid-worker"];

/// How long a started worker idles before it is looked at: two of its five-second heartbeats.
const SETTLE: Duration = Duration::from_secs(10);

/// Jobs between two looks at the busy worker. The queue never holds more.
const STRETCH: usize = 100_000;

/// Starts the four programs, lets them idle and prints what they use.
pub async fn idle(broker: &Broker, store: Option<&str>, programs: &Path) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let embedded = format!("sqlite:{}", folder.path().join("store.db").display());
    let vhost = broker.vhost().await?;
    let store = store.map_or(embedded, |store| format!("{}/bench", store.trim_end_matches('/')));
    let mut running = Vec::new();
    for program in PROGRAMS {
        let mut command = Command::new(programs.join(program));
        command.env("SPOTIFAI_QUEUE", vhost.url()).env("SPOTIFAI_STORE", &store).env("SPOTIFAI_LOG", "warn");
        command.env("SPOTIFAI_QUEUE_MANAGEMENT_URL", broker.management());
        command.env("SPOTIFAI_CONTACT", "bench@example.org").env("SPOTIFAI_SPOTIFY_CLIENT_ID", "bench");
        let child = command.spawn().with_context(|| format!("cannot run {}", programs.join(program).display()))?;
        running.push((program, Killed(child)));
    }
    tokio::time::sleep(SETTLE).await;
    println!("\nIdle worker processes: MB (own + shared, own part of it)\n{:28}{:>10}{:>10}", "", "RSS", "PSS");
    for (program, Killed(child)) in &mut running {
        ensure!(child.try_wait()?.is_none(), "{program} ended by itself");
        let used = Used::by(child.id())?;
        println!("{program:28}{:>10.1}{:>10.1}", used.rss, used.pss);
    }
    drop(running);
    vhost.delete().await
}

/// Has one worker run `total` jobs and prints what it uses on the way.
pub async fn busy(broker: &Broker, total: usize) -> anyhow::Result<()> {
    let vhost = broker.vhost().await?;
    let queue = queue::open(vhost.url(), Some(broker.management())).await?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["busy", "--at", vhost.url(), "--total", &total.to_string()]).stdout(Stdio::piped());
    let mut child = Killed(command.spawn()?);
    let mut lines = BufReader::new(child.0.stdout.take().context("its output is piped")?).lines();
    println!("\nA busy worker process, 64 slots: MB\n{:28}{:>10}{:>10}", "jobs done", "RSS", "PSS");
    for done in (0..total).step_by(STRETCH) {
        let stretch = STRETCH.min(total - done);
        ours::publish(&queue, stretch).await?;
        let ran = tokio::task::block_in_place(|| lines.next()).context("the busy worker ended early")??;
        let used = Used::by(child.0.id())?;
        println!("{ran:28}{:>10.1}{:>10.1}", used.rss, used.pss);
    }
    drop(child);
    vhost.delete().await
}

/// The busy worker.
#[derive(Clone, clap::Args)]
pub struct Busy {
    /// Its queue.
    #[arg(long)]
    at: String,
    /// Jobs to run.
    #[arg(long)]
    total: usize,
}

impl Busy {
    /// Runs, and prints a line after each stretch.
    pub async fn run(self) -> anyhow::Result<()> {
        let opening = ours::backends(&self.at, None).await?;
        let handler = Counter { ran: AtomicUsize::new(0), total: self.total };
        opening.backends.worker().with(handler, ours::SLOTS).run(Until::Stopped, host::signals::on_signals()?).await?;
        Ok(())
    }
}

struct Counter {
    ran: AtomicUsize,
    total: usize,
}

#[async_trait]
impl Handler for Counter {
    type Body = TrackPitchesJob;

    async fn run(&self, _: TrackPitchesJob, _: &Context) -> Result<Vec<Envelope>, Failure> {
        let ran = self.ran.fetch_add(1, Ordering::Relaxed) + 1;
        if ran.is_multiple_of(STRETCH) || ran == self.total {
            println!("{ran}");
        }
        Ok(Vec::new())
    }
}

/// A child that does not outlive its measurement.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a process uses, in MB (10⁶ bytes).
struct Used {
    /// All its resident pages.
    rss: f64,
    /// The same, with pages that it shares with others divided by their number.
    pss: f64,
}

impl Used {
    fn by(process: u32) -> anyhow::Result<Self> {
        let file = format!("/proc/{process}/smaps_rollup");
        let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
        let megabytes = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).context("no such line")?;
            let kibibytes: f64 = line.trim().trim_end_matches(" kB").trim().parse()?;
            anyhow::Ok(kibibytes * 1024.0 / 1e6)
        };
        Ok(Self { rss: megabytes("Rss:")?, pss: megabytes("Pss:")? })
    }
}
