//! `spotifai enqueue file`: any number of jobs in a fixed amount of memory.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures::{StreamExt, TryStreamExt, stream};
use host::Backends;
use queue::Queue;
use runtime::Shutdown;
use tokio::sync::mpsc::{Receiver, channel};

use super::reader::{Batch, Position, Reader};
use super::searches::Searches;
use crate::args::EnqueueFileArgs;
use crate::error::{stopped, usage};
use crate::output::{say, tell, thousands};
use crate::progress::{self, Gauge};

/// How long after a signal those batches are waited for that are on their way: a queue may be blocked for hours.
const LAST_CONFIRMATIONS: Duration = Duration::from_secs(2);

/// Batches that wait for their confirmation at the same time.
const IN_FLIGHT: usize = 4;

/// Publishes the jobs of a file; where that ends early, it says with which line to go on.
pub async fn run(args: EnqueueFileArgs, backends: &Backends) -> anyhow::Result<()> {
    let shutdown = host::signals::on_signals()?;
    let (input, size) = open(&args.file)?;
    let (name, from_line) = (args.file.display().to_string(), args.from_line);
    let position = Arc::new(Position { safe_line: AtomicU64::new(from_line - 1), ..Position::default() });
    let (batches, received) = channel(1);
    let reader = Reader::new(args, Searches::new(backends.store.clone()), position.clone(), batches);
    let reading = tokio::task::spawn_blocking(move || reader.read(input));
    let (began, work) = (Instant::now(), publish(&backends.queue, received, &position, &shutdown));
    let published = progress::follow(|| async { Ok(vec![gauge(&position, size, began)]) }, work).await;
    let enqueued = format!("enqueued {} jobs", thousands(position.jobs.load(Relaxed) as usize));
    let go_on = || {
        let next = position.safe_line.load(Relaxed) + 1;
        format!("{enqueued}, all before line {next}: go on with --from-line {next}")
    };
    let read = match published {
        Err(error) => Err(error),
        // Not waited for: standard input may be silent for ever.
        Ok(End::Stopped) => return Err(stopped(format!("{name}: {}", go_on()))),
        Ok(End::Complete) => reading.await?,
    };
    let lines = position.lines_read.load(Relaxed);
    match read {
        Ok(_) if from_line > lines + 1 => {
            Err(usage(format!("{name} has {lines} lines: there is no line {from_line} to begin with")))
        }
        Ok(bad) if bad.count == 0 => say(&enqueued),
        Ok(bad) => {
            bad.lines.iter().for_each(|line| tell(&format!("spotifai: {name}: {line}")));
            bail!("{name}: {enqueued}, left out {} bad lines", thousands(bad.count))
        }
        Err(error) => bail!("{name}: {error:#}; {}", go_on()),
    }
}

/// The file, or standard input for `-`, and its size where it has one.
fn open(file: &Path) -> anyhow::Result<(Box<dyn Read + Send>, Option<u64>)> {
    if file.as_os_str() == "-" {
        return Ok((Box::new(std::io::stdin()), None));
    }
    let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let about = opened.metadata()?;
    if about.is_dir() {
        bail!("cannot read {}: it is a folder", file.display());
    }
    Ok((Box::new(opened), about.is_file().then_some(about.len())))
}

/// Why no more batches are published.
enum End {
    /// There are no more of them.
    Complete,
    /// A signal came.
    Stopped,
}

/// Publishes batches as they come, some at the same time.
async fn publish(
    queue: &Arc<dyn Queue>,
    batches: Receiver<Batch>,
    position: &Position,
    shutdown: &Shutdown,
) -> anyhow::Result<End> {
    let was_stopped = AtomicBool::new(false);
    let was_stopped = &was_stopped;
    let batches = stream::unfold(batches, |mut batches| async move {
        tokio::select! {
            biased;
            () = shutdown.stopped() => {
                was_stopped.store(true, Relaxed);
                None
            }
            batch = batches.recv() => batch.map(|batch: Batch| (batch, batches)),
        }
    });
    let safe = batches.map(|batch| async move { queue.publish(&batch.jobs).await.map(|()| batch) });
    // In the order of the lines, so that what is safe has no gap.
    let mut safe = pin!(safe.buffered(IN_FLIGHT));
    let mut too_late = pin!(async {
        shutdown.stopped().await;
        tokio::time::sleep(LAST_CONFIRMATIONS).await;
    });
    loop {
        let batch = tokio::select! {
            biased;
            batch = safe.try_next() => batch?,
            () = &mut too_late => return Ok(End::Stopped),
        };
        let Some(batch) = batch else { break };
        position.jobs.fetch_add(batch.jobs.len() as u64, Relaxed);
        position.safe_line.store(batch.last_line, Relaxed);
    }
    Ok(if was_stopped.load(Relaxed) { End::Stopped } else { End::Complete })
}

fn gauge(position: &Position, size: Option<u64>, began: Instant) -> Gauge {
    let jobs = position.jobs.load(Relaxed);
    let rate = jobs as f64 / began.elapsed().as_secs_f64().max(0.001);
    let note = format!("{} jobs, {}/s", thousands(jobs as usize), thousands(rate as usize));
    let bytes = position.bytes_read.load(Relaxed);
    // A file that grows meanwhile is read to its new end.
    Gauge { label: "bytes", done: bytes as usize, total: size.unwrap_or(bytes).max(bytes) as usize, note }
}
