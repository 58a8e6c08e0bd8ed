//! The jobs that this process cannot run and others may: of another version's search, or without a sign-in.

mod round;
mod wait;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use model::Timestamp;
use model::fleet::Trouble;
use model::job::Envelope;
use queue::{KindStats, Queue};
use store::Store;

use crate::Scope;
use crate::beat;
use crate::newer::Newer;
use crate::tally::Tally;
use round::{Round, There};
use wait::{Seen, TRYING, Wait, Waits};

/// How long it is said that some jobs are left to others, after one was.
const LEFT: Duration = Duration::from_secs(60);

/// How long a process waits at most for the rate of one hand-back a second, where it notices nothing new.
const LONGEST: Duration = Duration::from_secs(3_600);

/// How often a process that waits looks whether there is something new.
const LOOK: Duration = Duration::from_secs(5);

/// Whether this process declines jobs of one kind. A job that is declined is handed back at once, behind all that wait. Where
/// that says something of the others too, and where nothing but such jobs was seen, the process takes none for a while that
/// grows with every try in a row.
pub(crate) struct Declines {
    pub(crate) kind: &'static str,
    tally: Arc<Tally>,
    queue: Arc<dyn Queue>,
    store: Arc<dyn Store>,
    waits: Waits,
    round: Mutex<Round>,
    newer: Mutex<Newer>,
}

impl Declines {
    /// None so far.
    pub(crate) fn new(kind: &'static str, queue: Arc<dyn Queue>, store: Arc<dyn Store>, tally: Arc<Tally>) -> Self {
        let (round, newer) = (Mutex::default(), Mutex::default());
        Self { kind, queue, store, tally, waits: Waits::none(), round, newer }
    }

    /// A job is declined.
    pub(crate) async fn declined(&self, job: &Envelope, scope: Scope, reason: &str) {
        let mut seen = Seen::default();
        if scope == Scope::Job {
            let Some(round) = self.pass(&job.id).await else { return self.look_behind(job, reason) };
            let beats = beat::workers_of(&*self.store, self.kind).await;
            // All that may decline them hand back no more than one a second together.
            let workers = beats.as_ref().map_or(1, |beats| beats.len().max(1) as u64);
            let quiet = Duration::from_secs(round.handed_back().saturating_mul(workers)).min(LONGEST);
            let ended = beats.map(|beats| beat::ended(&beats, &[self.kind]));
            seen = Seen { jobs: round.jobs(), there: round.there(), quiet, ended };
        }
        self.wait(job, scope, reason, seen);
    }

    /// Notes a job that is declined alone. The round, where it ends with that: nothing but such jobs is there.
    async fn pass(&self, id: &str) -> Option<Round> {
        let asked = {
            let mut round = lock(&self.round);
            if !round.note(id) {
                return None;
            }
            round.there
        };
        let there = match asked {
            Some(there) => there,
            None => self.there().await.unwrap_or_default(),
        };
        let mut round = lock(&self.round);
        if !round.has(id) {
            // Another slot ended the round meanwhile.
            return None;
        }
        round.there = Some(there);
        round.is_over().then(|| std::mem::take(&mut *round))
    }

    /// What the queue has of the kind; `None` where it cannot tell.
    async fn there(&self) -> Option<There> {
        let stats = self.queue.stats().await.ok()?;
        Some(stats.into_iter().find(|stats| stats.kind == self.kind).map_or_else(There::default, There::from))
    }

    fn look_behind(&self, job: &Envelope, reason: &str) {
        if !self.tally.is_in_trouble(Some(self.kind)) {
            tracing::warn!(kind = self.kind, job = job.key, "left to other workers: {reason}");
        }
        // Shortly after a wait nothing else was seen yet.
        self.trouble(job, reason, self.reason().is_none(), LEFT);
    }

    fn wait(&self, job: &Envelope, scope: Scope, reason: &str, seen: Seen) {
        let Some(wait) = self.waits.begin(scope, reason, seen) else { return };
        let (kind, job_key, wait_ms) = (self.kind, &job.key, wait.as_millis() as u64);
        tracing::warn!(
            kind,
            job = job_key,
            wait_ms,
            "left to other workers, none of these jobs is taken for a while: {reason}"
        );
        self.trouble(job, reason, false, wait + TRYING);
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
        if self.waits.clear() {
            self.tally.trouble_over(Some(self.kind));
        }
    }

    /// Why it takes no jobs now, or took none a moment ago; `None`: it does.
    pub(crate) fn reason(&self) -> Option<String> {
        self.waits.reason()
    }

    /// Whether a wait has just begun, so that the queue may not have all jobs back.
    pub(crate) fn are_handing_back(&self) -> bool {
        self.waits.has_just_begun()
    }

    /// Why all the jobs that are left of the kind cannot be run here; `None`: some may be.
    pub(crate) fn all_of(&self, left: &KindStats) -> Option<String> {
        let now = Instant::now();
        if left.running.unwrap_or(0) > 0 {
            return None;
        }
        let newer = lock(&self.newer);
        let all_newer = left.delayed <= newer.count(now);
        match self.waits.latest().filter(Wait::is_on) {
            Some(wait) => wait.is_of_all(left.ready, all_newer).then(|| wait.reason().to_owned()),
            None => (left.ready == 0 && all_newer).then(|| newer.reason().to_owned()),
        }
    }

    /// Whether none is to be taken now.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waits.is_on()
    }

    /// Waits until no job is to be taken.
    pub(crate) async fn begun(&self) {
        self.waits.begun().await;
    }

    /// Waits until jobs may be tried again.
    pub(crate) async fn over(&self) {
        let Some(wait) = self.waits.latest() else { return };
        tokio::select! {
            () = tokio::time::sleep_until(wait.until.into()) => {}
            () = self.something_new(&wait) => {
                self.waits.end();
                self.tally.trouble_lasts(self.kind, TRYING);
            }
            // One that ran here after all.
            () = self.waits.cleared() => {}
        }
    }

    /// Waits until there may be others than the jobs that were declined. A search of this process's own may begin meanwhile.
    async fn something_new(&self, wait: &Wait) {
        if wait.earliest >= wait.until {
            return std::future::pending().await;
        }
        tokio::time::sleep_until(wait.earliest.into()).await;
        // What is gone, and not by running, makes room for others that do not show in how many lie there.
        let mut fewest = wait.there();
        loop {
            let beats = beat::workers_of(&*self.store, self.kind).await;
            let ended = beats.map(|beats| beat::ended(&beats, &[self.kind]));
            let there = self.there().await.map(|there| there.all);
            if wait.is_outdated(fewest, there, ended, Instant::now()) {
                return;
            }
            fewest = fewest.min(there.unwrap_or(fewest));
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
