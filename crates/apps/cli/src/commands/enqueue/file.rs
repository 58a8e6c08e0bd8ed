//! `spotifai enqueue file`: any number of jobs, in constant memory.

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

use super::reader::{Batch, EnqueueProgress, Reader};
use super::searches::Searches;
use crate::args::EnqueueFileArgs;
use crate::error::{stopped, usage};
use crate::output::{counted, eprint_line, print_line, thousands};
use crate::progress::{self, Gauge};

/// How long to wait for outstanding confirmations after a signal: a queue may be blocked for hours.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(2);

/// Batches that await confirmation at the same time.
const MAX_IN_FLIGHT_BATCHES: usize = 4;

/// Publishes the jobs in a file. If that ends early, the message names the line to continue from.
pub async fn run(args: EnqueueFileArgs, backends: &Backends) -> anyhow::Result<()> {
    let shutdown = host::signals::on_signals()?;
    let (input, size) = open(&args.file)?;
    let (name, from_line) = (args.file.display().to_string(), args.from_line);
    let position =
        Arc::new(EnqueueProgress { confirmed_line: AtomicU64::new(from_line - 1), ..EnqueueProgress::default() });
    let (batches, received) = channel(1);
    let reader = Reader::new(args, Searches::new(backends.store.clone()), position.clone(), batches);
    let reading = tokio::task::spawn_blocking(move || reader.read(input));
    let (started, work) = (Instant::now(), publish(&backends.queue, received, &position, &shutdown));
    let published = progress::follow(|| async { Ok(vec![gauge(&position, size, started)]) }, work).await;
    let enqueued = format!("enqueued {}", counted(position.jobs.load(Relaxed) as usize, "job"));
    let how_to_resume = || {
        let next = position.confirmed_line.load(Relaxed) + 1;
        format!("{enqueued}, everything before line {next}; resume with --from-line {next}")
    };
    let read = match published {
        Err(error) => Err(error),
        // The reader is not awaited: standard input may never end.
        Ok(PublishEnd::Stopped) => return Err(stopped(format!("{name}: {}", how_to_resume()))),
        Ok(PublishEnd::Complete) => reading.await?,
    };
    let lines = position.lines_read.load(Relaxed);
    match read {
        Ok(_) if from_line > lines + 1 => {
            Err(usage(format!("{name} has only {}; cannot start at line {from_line}", counted(lines as usize, "line"))))
        }
        Ok(bad) if bad.count == 0 => print_line(&enqueued),
        Ok(bad) => {
            bad.lines.iter().for_each(|line| eprint_line(&format!("spotifai: {name}: {line}")));
            bail!("{name}: {enqueued}, skipped {}", counted(bad.count, "line"))
        }
        Err(error) => bail!("{name}: {error:#}; {}", how_to_resume()),
    }
}

/// The file, or standard input for `-`, with its size if known.
fn open(file: &Path) -> anyhow::Result<(Box<dyn Read + Send>, Option<u64>)> {
    if file.as_os_str() == "-" {
        return Ok((Box::new(std::io::stdin()), None));
    }
    let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let metadata = opened.metadata()?;
    if metadata.is_dir() {
        bail!("cannot read {}: it is a folder", file.display());
    }
    Ok((Box::new(opened), metadata.is_file().then_some(metadata.len())))
}

/// Why publishing ended.
enum PublishEnd {
    /// All batches were published.
    Complete,
    /// A signal came.
    Stopped,
}

/// Publishes batches as they arrive, several at a time.
async fn publish(
    queue: &Arc<dyn Queue>,
    batches: Receiver<Batch>,
    position: &EnqueueProgress,
    shutdown: &Shutdown,
) -> anyhow::Result<PublishEnd> {
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
    let confirmed = batches.map(|batch| async move { queue.publish(&batch.jobs).await.map(|()| batch) });
    // In line order, so that the confirmed lines have no gaps.
    let mut confirmed = pin!(confirmed.buffered(MAX_IN_FLIGHT_BATCHES));
    let mut timed_out = pin!(async {
        shutdown.stopped().await;
        tokio::time::sleep(CONFIRM_TIMEOUT).await;
    });
    loop {
        let batch = tokio::select! {
            biased;
            batch = confirmed.try_next() => batch?,
            () = &mut timed_out => return Ok(PublishEnd::Stopped),
        };
        let Some(batch) = batch else { break };
        position.jobs.fetch_add(batch.jobs.len() as u64, Relaxed);
        position.confirmed_line.store(batch.last_line, Relaxed);
    }
    Ok(if was_stopped.load(Relaxed) { PublishEnd::Stopped } else { PublishEnd::Complete })
}

fn gauge(position: &EnqueueProgress, size: Option<u64>, started: Instant) -> Gauge {
    let jobs = position.jobs.load(Relaxed);
    let rate = jobs as f64 / started.elapsed().as_secs_f64().max(0.001);
    let note = format!("{}, {}/s", counted(jobs as usize, "job"), thousands(rate as usize));
    let bytes = position.bytes_read.load(Relaxed);
    // The file may grow while it is read.
    Gauge { label: "bytes", done: bytes as usize, total: size.unwrap_or(bytes).max(bytes) as usize, note }
}
