//! The state of the workers, judged by their heartbeats.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use model::Timestamp;
use model::fleet::{Heartbeat, Trouble};
use queue::KindStats;

use crate::output::age;

/// Without a heartbeat for this long a worker is late: idle workers send one every five seconds, so two are missing.
const LATE_AFTER: Duration = Duration::from_secs(12);

/// Without a heartbeat for this long a worker counts as gone: six are missing.
const GONE_AFTER: Duration = Duration::from_secs(30);

/// The period over which rates are measured.
const RATE_WINDOW: Duration = Duration::from_secs(30);

/// The state of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkerState {
    /// Running jobs.
    Working,
    /// Waiting for jobs.
    Idle,
    /// Its heartbeat is overdue.
    Late,
    /// Stopped or dead.
    Gone,
}

/// Judges a worker by its last heartbeat.
pub fn state(beat: &Heartbeat) -> WorkerState {
    match Timestamp::now().duration_since(beat.beat_at) {
        // A worker that stops sends a last heartbeat without kinds.
        _ if beat.kinds.is_empty() => WorkerState::Gone,
        silent if silent >= GONE_AFTER => WorkerState::Gone,
        silent if silent >= LATE_AFTER => WorkerState::Late,
        _ if beat.running.is_empty() => WorkerState::Idle,
        _ => WorkerState::Working,
    }
}

/// The workers that are not gone.
pub fn alive(mut beats: Vec<Heartbeat>) -> Vec<Heartbeat> {
    beats.retain(|beat| state(beat) != WorkerState::Gone);
    beats
}

/// Whether a worker currently takes jobs of a kind: it consumes the kind and nothing prevents it.
pub fn takes(beat: &Heartbeat, kind: &str) -> bool {
    let is_blocking =
        |trouble: &Trouble| !trouble.partial && trouble.kind.as_deref().is_none_or(|affected| affected == kind);
    beat.kinds.iter().any(|taken| taken == kind) && !beat.troubles.iter().any(is_blocking)
}

/// Describes what keeps a worker from its jobs, and for how long.
pub fn trouble(trouble: &Trouble) -> String {
    let effect = match &trouble.kind {
        Some(kind) if trouble.partial => format!("leaving some {kind} jobs to others"),
        Some(kind) => format!("taking no {kind} jobs"),
        None => "taking no jobs".to_owned(),
    };
    format!("{effect} for {}: {}", age(trouble.since), trouble.reason)
}

/// Fills in running jobs from the heartbeats if the queue cannot count them.
pub fn fill_running(stats: &mut [KindStats], alive: &[Heartbeat]) {
    for stats in stats.iter_mut().filter(|stats| stats.running.is_none()) {
        let running = alive.iter().flat_map(|beat| &beat.running).filter(|(kind, ..)| *kind == stats.kind);
        stats.running = Some(running.count() as u64);
    }
}

/// Rates of finished jobs, from the counters in heartbeats.
#[derive(Default)]
pub struct Rates {
    samples: VecDeque<(Instant, BTreeMap<String, Heartbeat>)>,
}

impl Rates {
    /// Records the heartbeats of the live workers.
    pub fn sample(&mut self, alive: &[Heartbeat]) {
        let by_id = alive.iter().map(|beat| (beat.id.clone(), beat.clone())).collect();
        self.samples.push_back((Instant::now(), by_id));
        while self.samples.front().is_some_and(|(at, _)| at.elapsed() > RATE_WINDOW) {
            self.samples.pop_front();
        }
    }

    /// Jobs of a kind finished per second, between the first and the last sample. If none finished although jobs are waiting,
    /// since the workers started. `None` if no worker takes the kind.
    pub fn per_second(&self, kind: &str, jobs_wait: bool) -> Option<f64> {
        let (_, first) = self.samples.front()?;
        let (_, last) = self.samples.back()?;
        let consumers = || last.values().filter(|beat| beat.kinds.iter().any(|taken| taken == kind));
        consumers().next()?;
        let before = |beat: &Heartbeat| first.get(&beat.id).cloned().unwrap_or_else(|| at_start(beat));
        let recent: f64 = consumers().map(|beat| rate(kind, &before(beat), beat)).sum();
        let overall = || consumers().map(|beat| rate(kind, &at_start(beat), beat)).sum();
        Some(if recent > 0.0 || !jobs_wait { recent } else { overall() })
    }
}

/// Seconds until the remaining jobs are done at this rate.
pub fn eta(left: u64, rate: Option<f64>) -> Option<u64> {
    match rate {
        _ if left == 0 => Some(0),
        Some(rate) if rate > 0.0 => Some((left as f64 / rate).ceil() as u64),
        _ => None,
    }
}

/// Jobs finished per second between two heartbeats of a worker; 0 if they are the same.
fn rate(kind: &str, earlier: &Heartbeat, later: &Heartbeat) -> f64 {
    let done = |beat: &Heartbeat| beat.counts.get(kind).map_or(0, |counts| counts.done);
    let seconds = later.beat_at.duration_since(earlier.beat_at).as_secs_f64();
    if seconds > 0.0 { done(later).saturating_sub(done(earlier)) as f64 / seconds } else { 0.0 }
}

fn at_start(beat: &Heartbeat) -> Heartbeat {
    Heartbeat { counts: BTreeMap::new(), beat_at: beat.started_at, ..beat.clone() }
}

#[cfg(test)]
mod tests {
    use model::fleet::JobCounts;

    use super::*;

    fn beat(done: u64, at_seconds: i64) -> Heartbeat {
        let started_at = Timestamp(0);
        Heartbeat {
            id: "w".into(),
            host: "h".into(),
            pid: 1,
            kinds: vec!["track.tags".into()],
            running: vec![("track.tags".into(), "k".into(), started_at)],
            counts: BTreeMap::from([("track.tags".into(), JobCounts { done, ..JobCounts::default() })]),
            troubles: Vec::new(),
            started_at,
            beat_at: started_at + Duration::from_secs(at_seconds as u64),
        }
    }

    #[test]
    fn rates_cover_the_time_between_samples() {
        let mut rates = Rates::default();
        assert_eq!(rates.per_second("track.tags", true), None, "no sample yet");
        rates.sample(&[beat(100, 10)]);
        assert_eq!(rates.per_second("track.tags", true), Some(10.0), "one sample: since the start");
        assert_eq!(rates.per_second("track.tags", false), Some(0.0), "no jobs waiting");
        rates.sample(&[beat(104, 12)]);
        assert_eq!(rates.per_second("track.tags", true), Some(2.0));
        assert_eq!(rates.per_second("track.pitches", true), None, "no worker takes this kind");
    }

    #[test]
    fn running_jobs_are_counted_from_heartbeats_if_the_queue_cannot() {
        let stats = |running| KindStats { kind: "track.tags".into(), running, ..KindStats::default() };
        let mut stats = [stats(None), stats(Some(7))];
        fill_running(&mut stats, &[beat(0, 0), beat(0, 0)]);
        assert_eq!(stats.map(|stats| stats.running), [Some(2), Some(7)]);
    }
}
