//! The workers, as far as their heartbeats tell.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use model::Timestamp;
use model::fleet::{Heartbeat, Trouble};
use queue::KindStats;

use crate::output::age;

/// A worker that did not beat for so long is late: an idle one beats every five seconds.
const LATE: Duration = Duration::from_secs(12);

/// A worker that did not beat for so long is taken for gone.
const LOST: Duration = Duration::from_secs(30);

/// How far back rates look.
const WINDOW: Duration = Duration::from_secs(30);

/// What a worker's last beat says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Jobs are under way.
    Working,
    /// Nothing to do.
    Idle,
    /// It should have beaten again by now.
    Late,
    /// It stopped, or died.
    Gone,
}

/// The state of a worker.
pub fn state(beat: &Heartbeat) -> State {
    match Timestamp::now().duration_since(beat.beat_at) {
        // The last beat of a worker that stopped names no kinds.
        _ if beat.kinds.is_empty() => State::Gone,
        silent if silent >= LOST => State::Gone,
        silent if silent >= LATE => State::Late,
        _ if beat.running.is_empty() => State::Idle,
        _ => State::Working,
    }
}

/// Those that are not gone.
pub fn alive(mut beats: Vec<Heartbeat>) -> Vec<Heartbeat> {
    beats.retain(|beat| state(beat) != State::Gone);
    beats
}

/// Whether a worker takes jobs of a kind now: it consumes the kind and nothing keeps it from its jobs.
pub fn takes(beat: &Heartbeat, kind: &str) -> bool {
    let is_in_trouble = |trouble: &Trouble| !trouble.partial && trouble.kind.as_deref().is_none_or(|of| of == kind);
    beat.kinds.iter().any(|taken| taken == kind) && !beat.troubles.iter().any(is_in_trouble)
}

/// What keeps a worker from its jobs, and since when.
pub fn trouble(trouble: &Trouble) -> String {
    let what = match &trouble.kind {
        Some(kind) if trouble.partial => format!("leaves some {kind} to others"),
        Some(kind) => format!("takes no {kind}"),
        None => "takes no jobs".to_owned(),
    };
    format!("{what} for {}: {}", age(trouble.since), trouble.reason)
}

/// Where the queue cannot tell how many jobs run, the workers can.
pub fn fill_running(stats: &mut [KindStats], alive: &[Heartbeat]) {
    for stats in stats.iter_mut().filter(|stats| stats.running.is_none()) {
        let running = alive.iter().flat_map(|beat| &beat.running).filter(|(kind, ..)| *kind == stats.kind);
        stats.running = Some(running.count() as u64);
    }
}

/// Rates of finished jobs, from what workers count in their heartbeats.
#[derive(Default)]
pub struct Rates {
    looks: VecDeque<(Instant, BTreeMap<String, Heartbeat>)>,
}

impl Rates {
    /// Takes note of the workers that are alive now.
    pub fn look(&mut self, alive: &[Heartbeat]) {
        let by_id = alive.iter().map(|beat| (beat.id.clone(), beat.clone())).collect();
        self.looks.push_back((Instant::now(), by_id));
        while self.looks.front().is_some_and(|(at, _)| at.elapsed() > WINDOW) {
            self.looks.pop_front();
        }
    }

    /// Jobs of a kind that were done a second between the first and the last look; where none was although some wait, since
    /// the start of the workers. `None` where no worker takes the kind.
    pub fn of(&self, kind: &str, some_wait: bool) -> Option<f64> {
        let (_, first) = self.looks.front()?;
        let (_, last) = self.looks.back()?;
        let of_kind = || last.values().filter(|beat| beat.kinds.iter().any(|taken| taken == kind));
        of_kind().next()?;
        let before = |beat: &Heartbeat| first.get(&beat.id).cloned().unwrap_or_else(|| at_its_start(beat));
        let lately: f64 = of_kind().map(|beat| rate(kind, &before(beat), beat)).sum();
        let ever = || of_kind().map(|beat| rate(kind, &at_its_start(beat), beat)).sum();
        Some(if lately > 0.0 || !some_wait { lately } else { ever() })
    }
}

/// Seconds until that many jobs are done at this rate.
pub fn eta(left: u64, rate: Option<f64>) -> Option<u64> {
    match rate {
        _ if left == 0 => Some(0),
        Some(rate) if rate > 0.0 => Some((left as f64 / rate).ceil() as u64),
        _ => None,
    }
}

/// Done a second between two beats of a worker; 0 where they are the same.
fn rate(kind: &str, earlier: &Heartbeat, later: &Heartbeat) -> f64 {
    let done = |beat: &Heartbeat| beat.counts.get(kind).map_or(0, |counts| counts.done);
    let seconds = later.beat_at.duration_since(earlier.beat_at).as_secs_f64();
    if seconds > 0.0 { done(later).saturating_sub(done(earlier)) as f64 / seconds } else { 0.0 }
}

fn at_its_start(beat: &Heartbeat) -> Heartbeat {
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
    fn a_rate_is_of_the_time_between_two_looks() {
        let mut rates = Rates::default();
        assert_eq!(rates.of("track.tags", true), None, "nobody was looked at");
        rates.look(&[beat(100, 10)]);
        assert_eq!(rates.of("track.tags", true), Some(10.0), "one look: since the start");
        assert_eq!(rates.of("track.tags", false), Some(0.0), "nothing to do");
        rates.look(&[beat(104, 12)]);
        assert_eq!(rates.of("track.tags", true), Some(2.0));
        assert_eq!(rates.of("track.pitches", true), None, "nobody takes these");
    }

    #[test]
    fn where_the_queue_cannot_count_running_jobs_the_workers_do() {
        let stats = |running| KindStats { kind: "track.tags".into(), running, ..KindStats::default() };
        let mut all = [stats(None), stats(Some(7))];
        fill_running(&mut all, &[beat(0, 0), beat(0, 0)]);
        assert_eq!(all.map(|stats| stats.running), [Some(2), Some(7)]);
    }
}
