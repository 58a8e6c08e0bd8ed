//! Our side: the queue, and the whole runtime with a handler that does nothing.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use anyhow::ensure;
use async_trait::async_trait;
use host::Backends;
use model::job::{Envelope, TrackPitchesJob};
use model::settings::Settings;
use queue::Queue;
use runtime::{Context, Failure, Handler, Shutdown, Until};
use tempfile::TempDir;

/// Jobs at once.
pub const SLOTS: usize = 64;

/// Jobs that are handed to the queue at once.
pub const BATCH: usize = 1_000;

/// A queue, and an embedded store in a folder of its own that lives as long.
pub struct Doors {
    pub queue: Arc<dyn Queue>,
    pub backends: Backends,
    _folder: TempDir,
}

/// Opens the queue at `url`.
pub async fn backends(url: &str, management: Option<&str>) -> anyhow::Result<Doors> {
    let folder = tempfile::tempdir()?;
    let store = format!("sqlite:{}", folder.path().join("store.db").display());
    let settings = Settings {
        queue: url.to_owned(),
        queue_management_url: management.map(str::to_owned),
        store,
        ..Settings::default()
    };
    let backends = Backends::open(settings).await?;
    Ok(Doors { queue: backends.queue.clone(), backends, _folder: folder })
}

/// Publishes; jobs a second.
pub async fn publish(queue: &Arc<dyn Queue>, count: usize) -> anyhow::Result<f64> {
    let jobs = crate::jobs(count);
    let began = Instant::now();
    for batch in jobs.chunks(BATCH) {
        queue.publish(batch).await?;
    }
    Ok(count as f64 / began.elapsed().as_secs_f64())
}

/// Runs jobs that wait already; jobs a second.
pub async fn run(opening: Doors, count: usize) -> anyhow::Result<f64> {
    let clock = Arc::new(Clock::default());
    let shutdown = Shutdown::new();
    let noop = Noop { clock: clock.clone(), count, shutdown: shutdown.clone() };
    let counts = opening.backends.worker().with(noop, SLOTS).run(Until::Stopped, shutdown).await?;
    let done: u64 = counts.values().map(|counts| counts.done).sum();
    ensure!(done == count as u64, "{done} jobs ran well, not {count}");
    clock.rate()
}

/// When the first and the last job ran.
#[derive(Default)]
struct Clock {
    ran: AtomicUsize,
    first: OnceLock<Instant>,
    last: OnceLock<Instant>,
}

impl Clock {
    fn rate(&self) -> anyhow::Result<f64> {
        let (Some(first), Some(last)) = (self.first.get(), self.last.get()) else { anyhow::bail!("not all jobs ran") };
        Ok(self.ran.load(Ordering::Relaxed) as f64 / (*last - *first).as_secs_f64())
    }
}

/// Does nothing, and stops the worker after the last job.
struct Noop {
    clock: Arc<Clock>,
    count: usize,
    shutdown: Shutdown,
}

#[async_trait]
impl Handler for Noop {
    type Body = TrackPitchesJob;

    async fn run(&self, _: TrackPitchesJob, _: &Context) -> Result<Vec<Envelope>, Failure> {
        let ran = self.clock.ran.fetch_add(1, Ordering::Relaxed) + 1;
        if ran == 1 {
            let _ = self.clock.first.set(Instant::now());
        }
        if ran == self.count {
            let _ = self.clock.last.set(Instant::now());
            self.shutdown.stop();
        }
        Ok(Vec::new())
    }
}
