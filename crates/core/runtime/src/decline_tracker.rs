//! The jobs that this process cannot run and others may: of another version's search, or without a sign-in.

mod scan;
mod wait;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use model::Timestamp;
use model::fleet::Trouble;
use model::job::Envelope;
use queue::{KindStats, Queue};
use store::Fleet;

use crate::Scope;
use crate::counters::Counters;
use crate::heartbeat::{ended_jobs, live_workers};
use crate::postponed::PostponedJobs;
use scan::{QueueDepth, Scan};
use wait::{DeclineWait, DeclineWaits, RETRY_WINDOW, ScanResult};

/// How long a single declined job counts as a trouble.
const TROUBLE_DURATION: Duration = Duration::from_secs(60);

/// The longest wait that keeps the rate of hand-backs down to one a second, unless something new is noticed.
const MAX_QUIET: Duration = Duration::from_secs(3_600);

/// How often a process that waits checks for something new.
const RECHECK_INTERVAL: Duration = Duration::from_secs(5);

/// Whether this process declines the jobs of one kind. A declined job is handed back at once, behind all that wait. If that
/// says something of the others too, and if a scan found nothing but such jobs, the process takes none for a while that grows
/// with every attempt in a row.
pub(crate) struct DeclineTracker {
    pub(crate) kind: &'static str,
    counters: Arc<Counters>,
    queue: Arc<dyn Queue>,
    fleet: Arc<dyn Fleet>,
    waits: DeclineWaits,
    scan: Mutex<Scan>,
    postponed: Mutex<PostponedJobs>,
}

impl DeclineTracker {
    /// Nothing was declined so far.
    pub(crate) fn new(
        kind: &'static str,
        queue: Arc<dyn Queue>,
        fleet: Arc<dyn Fleet>,
        counters: Arc<Counters>,
    ) -> Self {
        let (scan, postponed) = (Mutex::default(), Mutex::default());
        Self { kind, queue, fleet, counters, waits: DeclineWaits::new(), scan, postponed }
    }

    /// Records that a job is declined.
    pub(crate) async fn decline(&self, job: &Envelope, scope: Scope, reason: &str) {
        let mut result = ScanResult::default();
        if scope == Scope::Job {
            let Some(scan) = self.continue_scan(&job.id).await else { return self.report_one(job, reason) };
            let heartbeats = live_workers(&*self.fleet, self.kind).await;
            // All workers that may decline these jobs together hand back no more than one a second.
            let workers = heartbeats.as_ref().map_or(1, |heartbeats| heartbeats.len().max(1) as u64);
            let quiet = Duration::from_secs(scan.handed_back().saturating_mul(workers)).min(MAX_QUIET);
            let ended = heartbeats.map(|heartbeats| ended_jobs(&heartbeats, &[self.kind]));
            result = ScanResult { declined: scan.jobs(), total: scan.total(), quiet, ended };
        }
        self.start_wait(job, scope, reason, result);
    }

    /// Adds a job that is declined on its own to the scan. Returns the scan if it is complete: the queue holds nothing but
    /// such jobs.
    async fn continue_scan(&self, id: &str) -> Option<Scan> {
        let known_depth = {
            let mut scan = lock(&self.scan);
            if !scan.add(id) {
                return None;
            }
            scan.depth
        };
        let depth = match known_depth {
            Some(depth) => depth,
            None => self.queue_depth().await.unwrap_or_default(),
        };
        let mut scan = lock(&self.scan);
        if !scan.contains(id) {
            // Another slot has ended the scan meanwhile.
            return None;
        }
        scan.depth = Some(depth);
        scan.is_complete().then(|| std::mem::take(&mut *scan))
    }

    /// The jobs of the kind in the queue; `None` if it cannot tell.
    async fn queue_depth(&self) -> Option<QueueDepth> {
        let stats = self.queue.stats().await.ok()?;
        let of_kind = stats.into_iter().find(|stats| stats.kind == self.kind);
        Some(of_kind.map_or_else(QueueDepth::default, QueueDepth::from))
    }

    /// Reports a declined job; the jobs behind it are looked at next.
    fn report_one(&self, job: &Envelope, reason: &str) {
        if !self.counters.is_in_trouble(Some(self.kind)) {
            tracing::warn!(kind = self.kind, job = job.key, "left to other workers: {reason}");
        }
        // Shortly after a wait it is not known yet whether there are others.
        self.report_trouble(job, reason, self.reason().is_none(), TROUBLE_DURATION);
    }

    fn start_wait(&self, job: &Envelope, scope: Scope, reason: &str, result: ScanResult) {
        let Some(wait) = self.waits.start(scope, reason, result) else { return };
        let (kind, job_key, wait_ms) = (self.kind, &job.key, wait.as_millis() as u64);
        tracing::warn!(
            kind,
            job = job_key,
            wait_ms,
            "left to other workers; this process takes no {kind} jobs for a while: {reason}"
        );
        self.report_trouble(job, reason, false, wait + RETRY_WINDOW);
    }

    fn report_trouble(&self, job: &Envelope, reason: &str, partial: bool, duration: Duration) {
        let now = Timestamp::now();
        self.counters.trouble(Trouble {
            kind: Some(self.kind.to_owned()),
            job: Some(job.key.clone()),
            partial,
            reason: reason.to_owned(),
            since: now,
            until: now + duration,
        });
    }

    /// Records that a job is left to newer workers, and returns for how long. It is reported once for as long as such jobs
    /// come: there may be a million of them.
    pub(crate) fn postpone(&self, reason: &str) -> Duration {
        let delay = lock(&self.postponed).postpone(reason, Instant::now());
        if !self.counters.is_in_trouble(Some(self.kind)) {
            tracing::warn!(kind = self.kind, "left to newer workers for now: {reason}");
        }
        let (kind, reason, since) = (Some(self.kind.to_owned()), reason.to_owned(), Timestamp::now());
        self.counters.trouble(Trouble { kind, job: None, partial: true, reason, since, until: since + delay + delay });
        delay
    }

    /// Records that a job of the kind ran to its end here.
    pub(crate) fn record_run(&self) {
        *lock(&self.scan) = Scan::default();
        if self.waits.clear() {
            self.counters.end_trouble(Some(self.kind));
        }
    }

    /// Why it takes no jobs now, or took none until a moment ago; `None` if it does.
    pub(crate) fn reason(&self) -> Option<String> {
        self.waits.reason()
    }

    /// Whether a wait has just started, so that the queue may not have all jobs back yet.
    pub(crate) fn is_handing_back(&self) -> bool {
        self.waits.has_just_started()
    }

    /// Why none of these jobs of the kind can be run here; `None` if some may be.
    pub(crate) fn reason_for_all(&self, stats: &KindStats) -> Option<String> {
        let now = Instant::now();
        if stats.running.unwrap_or(0) > 0 {
            return None;
        }
        let postponed = lock(&self.postponed);
        let all_postponed = stats.delayed <= postponed.count(now);
        match self.waits.latest().filter(DeclineWait::is_active) {
            Some(wait) => wait.covers(stats.ready, all_postponed).then(|| wait.reason().to_owned()),
            None => (stats.ready == 0 && all_postponed).then(|| postponed.reason().to_owned()),
        }
    }

    /// Whether no jobs are to be taken now.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waits.is_active()
    }

    /// Waits until no jobs are to be taken.
    pub(crate) async fn until_waiting(&self) {
        self.waits.until_active().await;
    }

    /// Waits until jobs may be tried again.
    pub(crate) async fn until_over(&self) {
        let Some(wait) = self.waits.latest() else { return };
        tokio::select! {
            () = tokio::time::sleep_until(wait.until.into()) => {}
            () = self.until_something_new(&wait) => {
                self.waits.end();
                self.counters.shorten_trouble(self.kind, RETRY_WINDOW);
            }
            // A job did run here after all.
            () = self.waits.until_cleared() => {}
        }
    }

    /// Waits until the queue may hold other jobs than the declined ones. A search of this process's own version may start
    /// meanwhile.
    async fn until_something_new(&self, wait: &DeclineWait) {
        if wait.earliest >= wait.until {
            return std::future::pending().await;
        }
        tokio::time::sleep_until(wait.earliest.into()).await;
        // Jobs that were removed without running make room for others, which the total then does not show.
        let mut fewest = wait.total();
        loop {
            let heartbeats = live_workers(&*self.fleet, self.kind).await;
            let ended = heartbeats.map(|heartbeats| ended_jobs(&heartbeats, &[self.kind]));
            let total = self.queue_depth().await.map(|depth| depth.total);
            if wait.is_outdated(fewest, total, ended, Instant::now()) {
                return;
            }
            fewest = fewest.min(total.unwrap_or(fewest));
            tokio::time::sleep(RECHECK_INTERVAL).await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
