//! The jobs that this process cannot run and others may: of another version's search, or without a sign-in.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use model::Timestamp;
use model::fleet::Trouble;
use model::job::Envelope;
use queue::KindStats;
use tokio::sync::watch;

use crate::backoff::Backoff;
use crate::beat;
use crate::newer::Newer;
use crate::tally::Tally;
use crate::{Home, Scope};

/// How long after its wait a kind that declined counts as still in trouble, unless a job runs: the next job to decline may
/// be under way.
const TRYING: Duration = Duration::from_secs(5);

/// How long it is said that some jobs are left to others, after one was.
const LEFT: Duration = Duration::from_secs(60);

/// How long a service may be out of reach before somebody who waits for its jobs is told: a router restarts in less.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a process waits at most for the rate of one hand-back a second: a search of its own may begin meanwhile.
const LONGEST: Duration = Duration::from_secs(300);

/// How long what a subscription held may be on its way back to the queue, after it was given up for a wait.
const ON_ITS_WAY: Duration = Duration::from_secs(1);

/// Whether this process declines jobs of one kind. A job that is declined is handed back at once, behind all that wait. Where
/// that says something of the others too, and where nothing but such jobs was seen, the process takes none for a while that
/// grows with every try in a row.
pub(crate) struct Declines {
    pub(crate) kind: &'static str,
    tally: Arc<Tally>,
    home: Home,
    row: watch::Sender<Option<Row>>,
    round: Mutex<Round>,
    newer: Mutex<Newer>,
}

/// Jobs that were declined alone since one ran, or since the latest wait.
#[derive(Debug, Default)]
struct Round {
    ids: HashSet<String>,
    /// Some of them came round again.
    handed_back: u64,
    /// How many lay there when the first one came again.
    ready: Option<u64>,
}

/// Waits that no job which ran came between.
#[derive(Debug, Clone)]
struct Row {
    length: u32,
    since: Instant,
    began: Instant,
    until: Instant,
    scope: Scope,
    /// How many jobs were seen and declined; of the other scopes all are.
    jobs: u64,
    reason: String,
}

impl Declines {
    /// None so far.
    pub(crate) fn new(kind: &'static str, home: Home, tally: Arc<Tally>) -> Self {
        let row = watch::Sender::new(None);
        Self { kind, home, tally, row, round: Mutex::default(), newer: Mutex::default() }
    }

    /// A job is declined.
    pub(crate) async fn declined(&self, job: &Envelope, scope: Scope, reason: &str) {
        let (mut jobs, mut least) = (0, Duration::ZERO);
        if scope == Scope::Job {
            let Some(round) = self.pass(&job.id).await else { return self.look_behind(job, reason) };
            jobs = round.ids.len() as u64;
            // All that may decline them hand back no more than one a second together.
            let workers = beat::workers_of(&*self.home.store, self.kind).await.max(1);
            least = Duration::from_secs(round.handed_back.saturating_mul(workers)).min(LONGEST);
        }
        self.wait(job, scope, reason, jobs, least);
    }

    /// Notes a job that is declined alone. The round, where it ends with that: nothing but such jobs is there.
    async fn pass(&self, id: &str) -> Option<Round> {
        let asked = {
            let mut round = lock(&self.round);
            round.handed_back += 1;
            if round.ids.insert(id.to_owned()) {
                return None;
            }
            round.ready
        };
        let ready = match asked {
            Some(ready) => ready,
            None => self.ready().await,
        };
        let mut round = lock(&self.round);
        if !round.ids.contains(id) {
            // Another slot ended the round meanwhile.
            return None;
        }
        round.ready = Some(ready);
        // Those in between may have been in the hands of others who handed them back too. They may be so for ever.
        let is_over = round.ids.len() as u64 >= ready || round.handed_back > 2 * ready + 1;
        is_over.then(|| std::mem::take(&mut *round))
    }

    /// How many jobs lie there; none where the queue cannot tell.
    async fn ready(&self) -> u64 {
        let stats = self.home.queue.stats().await.unwrap_or_default();
        stats.iter().find(|stats| stats.kind == self.kind).map_or(0, |stats| stats.ready)
    }

    fn look_behind(&self, job: &Envelope, reason: &str) {
        if !self.tally.is_in_trouble(Some(self.kind)) {
            tracing::warn!(kind = self.kind, job = job.key, "left to other workers: {reason}");
        }
        // Shortly after a wait nothing else was seen yet.
        self.trouble(job, reason, self.reason().is_none(), LEFT);
    }

    /// Those that were under way with the job are of the same try.
    fn wait(&self, job: &Envelope, scope: Scope, reason: &str, jobs: u64, least: Duration) {
        let now = Instant::now();
        self.row.send_if_modified(|row| {
            if row.as_ref().is_some_and(|row| now < row.until) {
                return false;
            }
            let (length, since) = row.as_ref().map_or((0, now), |row| (row.length, row.since));
            let wait = Backoff::DECLINES.wait(length).max(least);
            let (kind, job_key, wait_ms) = (self.kind, &job.key, wait.as_millis() as u64);
            tracing::warn!(
                kind,
                job = job_key,
                wait_ms,
                "left to other workers, none of these jobs is taken for a while: {reason}"
            );
            self.trouble(job, reason, false, wait + TRYING);
            let (length, until, reason) = (length + 1, now + wait, reason.to_owned());
            *row = Some(Row { length, since, began: now, until, scope, jobs, reason });
            true
        });
    }

    fn trouble(&self, job: &Envelope, reason: &str, partial: bool, lasts: Duration) {
        let now = Timestamp::now();
        self.tally.trouble(Trouble {
            kind: Some(self.kind.to_owned()),
            job: Some(job.key.clone()),
            partial,
            reason: reason.to_owned(),
            since: now,
            until: now + lasts,
        });
    }

    /// A job is left to newer workers, for as long as this says. Said once for as long as such jobs come: there may be a
    /// million of them.
    pub(crate) fn postponed(&self, reason: &str) -> Duration {
        let wait = lock(&self.newer).postpone(reason, Instant::now());
        if !self.tally.is_in_trouble(Some(self.kind)) {
            tracing::warn!(kind = self.kind, "handed back for a while: {reason}");
        }
        let (kind, reason, since) = (Some(self.kind.to_owned()), reason.to_owned(), Timestamp::now());
        self.tally.trouble(Trouble { kind, job: None, partial: true, reason, since, until: since + wait + wait });
        wait
    }

    /// A job ran to an end of its own.
    pub(crate) fn ran(&self) {
        *lock(&self.round) = Round::default();
        // Looked at first, because nearly every job follows one that ran.
        if self.row.borrow().is_some() && self.row.send_if_modified(|row| row.take().is_some()) {
            self.tally.trouble_over(Some(self.kind));
        }
    }

    /// Why it takes no jobs now, or took none a moment ago; `None`: it does.
    pub(crate) fn reason(&self) -> Option<String> {
        let row = self.row.borrow();
        row.as_ref().filter(|row| Instant::now() < row.until + TRYING).map(|row| row.reason.clone())
    }

    /// Whether a wait has just begun, so that the queue may not have all jobs back.
    pub(crate) fn are_handing_back(&self) -> bool {
        self.row.borrow().as_ref().is_some_and(|row| row.began.elapsed() < ON_ITS_WAY)
    }

    /// Why all the jobs that are left of the kind cannot be run here; `None`: some may be.
    pub(crate) fn all_of(&self, left: &KindStats) -> Option<String> {
        let now = Instant::now();
        if left.running.unwrap_or(0) > 0 {
            return None;
        }
        let newer = lock(&self.newer);
        let row = self.row.borrow();
        let waiting = row.as_ref().filter(|row| now < row.until);
        let (is_all, reason) = match waiting {
            Some(row) => (row.is_all_of(left.ready, left.delayed <= newer.count(now)), row.reason.as_str()),
            None => (left.ready == 0 && left.delayed <= newer.count(now), newer.reason()),
        };
        is_all.then(|| reason.to_owned())
    }

    /// Whether none is to be taken now.
    pub(crate) fn is_waiting(&self) -> bool {
        self.row.borrow().as_ref().is_some_and(|row| Instant::now() < row.until)
    }

    /// Waits until no job is to be taken.
    pub(crate) async fn begun(&self) {
        // It cannot fail: `self` holds the sender.
        let _ = self.row.subscribe().wait_for(|row| row.as_ref().is_some_and(|row| Instant::now() < row.until)).await;
    }

    /// Waits until jobs may be tried again.
    pub(crate) async fn over(&self) {
        let until = self.row.borrow().as_ref().map(|row| row.until);
        if let Some(until) = until {
            tokio::time::sleep_until(until.into()).await;
        }
    }
}

impl Row {
    /// Whether so many ready jobs cannot be run here, and delayed ones cannot where they are all newer.
    fn is_all_of(&self, ready: u64, all_newer: bool) -> bool {
        match self.scope {
            Scope::Job => ready <= self.jobs && all_newer,
            Scope::Process => true,
            Scope::Network => self.began.duration_since(self.since) >= PATIENCE,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
