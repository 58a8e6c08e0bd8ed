//! The file of `spotifai enqueue file`, line by line.

use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use anyhow::bail;
use model::explain;
use model::job::{Envelope, Kind, MAX_MESSAGE_BYTES};
use tokio::sync::mpsc::Sender;

use super::searches::Searches;
use crate::args::EnqueueFileArgs;

/// Jobs that are published together.
const BATCH: usize = 1_000;

/// Bad lines that are told one by one.
const MOST_COMPLAINTS: usize = 20;

/// Where the reading stands, and what is safe in the queue.
#[derive(Default)]
pub struct Position {
    /// Bytes of the file that were read.
    pub bytes_read: AtomicU64,
    /// Lines of it.
    pub lines_read: AtomicU64,
    /// Jobs that are safe.
    pub jobs: AtomicU64,
    /// Every job up to this line is safe.
    pub safe_line: AtomicU64,
}

/// Jobs of lines that follow each other.
pub struct Batch {
    /// At most [`BATCH`].
    pub jobs: Vec<Envelope>,
    /// The line read last.
    pub last_line: u64,
}

/// Reads lines and makes jobs of them, in a thread of its own.
pub struct Reader {
    kind: Kind,
    from_line: u64,
    keep_going: bool,
    searches: Searches,
    position: Arc<Position>,
    batches: Sender<Batch>,
}

/// Lines that were left out.
#[derive(Default)]
pub struct Bad {
    /// How many.
    pub count: usize,
    /// What is wrong with the first ones.
    pub lines: Vec<String>,
}

impl Reader {
    /// A reader for the options, from the first line on.
    pub fn new(args: EnqueueFileArgs, searches: Searches, position: Arc<Position>, batches: Sender<Batch>) -> Self {
        let EnqueueFileArgs { kind, from_line, keep_going, .. } = args;
        Self { kind, from_line, keep_going, searches, position, batches }
    }

    /// To the end, to the first bad line, or until nobody takes the batches any more. The jobs before a bad line are sent.
    pub fn read(mut self, input: Box<dyn Read + Send>) -> anyhow::Result<Bad> {
        let mut lines = Lines { input: BufReader::with_capacity(1 << 16, input), number: 0, bytes: 0 };
        let (mut bad, mut jobs) = (Bad::default(), Vec::with_capacity(BATCH));
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
                Err(why) if self.keep_going => bad.note(lines.number, &why),
                Err(why) => {
                    self.send(jobs, lines.number - 1);
                    bail!("line {}: {why}", lines.number);
                }
            }
            if jobs.len() == BATCH && !self.send(std::mem::replace(&mut jobs, Vec::with_capacity(BATCH)), lines.number)
            {
                return Ok(bad);
            }
        }
        self.send(jobs, lines.number);
        Ok(bad)
    }

    /// The line's job; none for an empty one.
    fn job(&self, line: &str) -> Result<Option<Envelope>, String> {
        match line.trim() {
            "" => Ok(None),
            line => self.kind.read(line).map(Some),
        }
    }

    /// `false` when nobody takes it: the publisher has stopped, and says why.
    fn send(&self, jobs: Vec<Envelope>, last_line: u64) -> bool {
        self.batches.blocking_send(Batch { jobs, last_line }).is_ok()
    }
}

impl Bad {
    fn note(&mut self, number: u64, why: &str) {
        self.count += 1;
        if self.lines.len() < MOST_COMPLAINTS {
            self.lines.push(format!("line {number}: {why}"));
        }
    }
}

/// The lines of a file, none of which is kept in memory beyond the size of a job.
struct Lines {
    input: BufReader<Box<dyn Read + Send>>,
    /// Of the line read last; the first one is 1.
    number: u64,
    /// Read so far.
    bytes: u64,
}

impl Lines {
    /// The next line, or what is wrong with it; `None` at the end.
    fn next(&mut self) -> std::io::Result<Option<Result<String, String>>> {
        let mut line = Vec::new();
        // One byte more than fits, to tell a line that fits exactly from one that does not.
        let most = MAX_MESSAGE_BYTES as u64 + 1;
        let bytes = self.input.by_ref().take(most).read_until(b'\n', &mut line)? as u64;
        if bytes == 0 {
            return Ok(None);
        }
        self.number += 1;
        self.bytes += bytes;
        if bytes == most && line.last() != Some(&b'\n') {
            self.skip_rest()?;
            return Ok(Some(Err(format!("longer than any job, which has {MAX_MESSAGE_BYTES} bytes at most"))));
        }
        // Spreadsheets begin their files with a byte order mark.
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
