//! Reading the file of `spotifai enqueue file`, line by line.

use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use anyhow::bail;
use model::explain;
use model::job::{Envelope, Kind, MAX_MESSAGE_BYTES};
use tokio::sync::mpsc::Sender;

use super::searches::Searches;
use crate::args::EnqueueFileArgs;

/// Jobs published together.
const BATCH_JOBS: usize = 1_000;

/// Invalid lines reported individually.
const MAX_REPORTED_LINES: usize = 20;

/// The progress of reading, and of publishing.
#[derive(Default)]
pub struct EnqueueProgress {
    /// Bytes read.
    pub bytes_read: AtomicU64,
    /// Lines read.
    pub lines_read: AtomicU64,
    /// Jobs confirmed by the queue.
    pub jobs: AtomicU64,
    /// All jobs up to this line are confirmed.
    pub confirmed_line: AtomicU64,
}

/// Jobs from consecutive lines.
pub struct Batch {
    /// At most [`BATCH_JOBS`].
    pub jobs: Vec<Envelope>,
    /// The last line read.
    pub last_line: u64,
}

/// Turns lines into jobs, on its own thread.
pub struct Reader {
    kind: Kind,
    from_line: u64,
    keep_going: bool,
    searches: Searches,
    position: Arc<EnqueueProgress>,
    batches: Sender<Batch>,
}

/// Lines skipped because they were invalid.
#[derive(Default)]
pub struct RejectedLines {
    /// Their number.
    pub count: usize,
    /// Error messages for the first ones.
    pub lines: Vec<String>,
}

impl Reader {
    /// A reader with the options of the command.
    pub fn new(
        args: EnqueueFileArgs,
        searches: Searches,
        position: Arc<EnqueueProgress>,
        batches: Sender<Batch>,
    ) -> Self {
        let EnqueueFileArgs { kind, from_line, keep_going, .. } = args;
        Self { kind, from_line, keep_going, searches, position, batches }
    }

    /// Reads to the end, to the first invalid line, or until the receiver is gone. Jobs before an invalid line are sent.
    pub fn read(mut self, input: Box<dyn Read + Send>) -> anyhow::Result<RejectedLines> {
        let mut lines = LineReader { input: BufReader::with_capacity(1 << 16, input), number: 0, bytes: 0 };
        let (mut rejected, mut jobs) = (RejectedLines::default(), Vec::with_capacity(BATCH_JOBS));
        while let Some(line) = lines.next()? {
            self.position.bytes_read.store(lines.bytes, Relaxed);
            self.position.lines_read.store(lines.number, Relaxed);
            if lines.number < self.from_line {
                continue;
            }
            let job = match line.and_then(|line| self.job(&line)) {
                Ok(Some(job)) => self.searches.check(&job)?.map(|()| Some(job)),
                other => other,
            };
            match job {
                Ok(job) => jobs.extend(job),
                Err(why) if self.keep_going => rejected.note(lines.number, &why),
                Err(why) => {
                    self.send(jobs, lines.number - 1);
                    bail!("line {}: {why}", lines.number);
                }
            }
            if jobs.len() == BATCH_JOBS
                && !self.send(std::mem::replace(&mut jobs, Vec::with_capacity(BATCH_JOBS)), lines.number)
            {
                return Ok(rejected);
            }
        }
        self.send(jobs, lines.number);
        Ok(rejected)
    }

    /// The job of a line; `None` for an empty line.
    fn job(&self, line: &str) -> Result<Option<Envelope>, String> {
        match line.trim() {
            "" => Ok(None),
            line => self.kind.read(line).map(Some),
        }
    }

    /// Sends a batch. `false` if the publisher has stopped, which reports why itself.
    fn send(&self, jobs: Vec<Envelope>, last_line: u64) -> bool {
        self.batches.blocking_send(Batch { jobs, last_line }).is_ok()
    }
}

impl RejectedLines {
    fn note(&mut self, number: u64, why: &str) {
        self.count += 1;
        if self.lines.len() < MAX_REPORTED_LINES {
            self.lines.push(format!("line {number}: {why}"));
        }
    }
}

/// Reads lines without ever keeping more than the largest job in memory.
struct LineReader {
    input: BufReader<Box<dyn Read + Send>>,
    /// Number of the last line read; the first is 1.
    number: u64,
    /// Bytes read so far.
    bytes: u64,
}

impl LineReader {
    /// The next line or why it is invalid; `None` at the end.
    fn next(&mut self) -> std::io::Result<Option<Result<String, String>>> {
        let mut line = Vec::new();
        // One byte more than the limit, to tell a line of exactly that size from a longer one.
        let limit = MAX_MESSAGE_BYTES as u64 + 1;
        let bytes = self.input.by_ref().take(limit).read_until(b'\n', &mut line)? as u64;
        if bytes == 0 {
            return Ok(None);
        }
        self.number += 1;
        self.bytes += bytes;
        if bytes == limit && line.last() != Some(&b'\n') {
            self.skip_rest()?;
            return Ok(Some(Err(format!("too long: a job has at most {MAX_MESSAGE_BYTES} bytes"))));
        }
        // Also strips the byte order mark that spreadsheets write.
        Ok(Some(explain::utf8_text(&line).map(str::to_owned).map_err(str::to_owned)))
    }

    fn skip_rest(&mut self) -> std::io::Result<()> {
        loop {
            let buffer = self.input.fill_buf()?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let bytes = end.map_or(buffer.len(), |end| end + 1);
            self.input.consume(bytes);
            self.bytes += bytes as u64;
            if end.is_some() || bytes == 0 {
                return Ok(());
            }
        }
    }
}
