//! The events of a run.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// The size of a run and its events.
pub struct Plan {
    pub seed: u64,
    /// Tracks of the catalogue.
    pub tracks: usize,
    /// Requests a second to last.fm and to Spotify.
    pub rates: (f64, f64),
    /// Messages that are not jobs.
    pub garbage: usize,
    /// Events, each with the share (0 to 1) of the pages after which it happens, in order.
    pub events: Vec<(f64, Event)>,
    /// How long the run may take.
    pub limit: Duration,
}

/// An event that affects the servers or the network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    /// The broker is shut down and restarted.
    RestartBroker,
    /// The broker is killed and restarted.
    CrashBroker,
    /// The store is killed, and restarted after this time.
    StopStore(Duration),
    /// All connections to both servers are reset.
    Cut,
    /// Nothing passes to or from the servers for this time.
    Silence(Duration),
}

/// Messages per track: tags, analysis, pitches. Pages and batches add less than one.
const MESSAGES_PER_TRACK: usize = 3;

/// Share of last.fm's pages that are throttled.
pub const THROTTLED_SHARE: f64 = 0.1;

impl Plan {
    /// The run of under ten minutes.
    pub fn long(seed: u64) -> Self {
        let mut events = vec![
            (0.15, Event::RestartBroker),
            (0.35, Event::StopStore(Duration::from_secs(20))),
            (0.6, Event::CrashBroker),
            (0.8, Event::Silence(Duration::from_secs(3))),
        ];
        events.extend(cuts(seed, 12));
        Self::new(seed, 5_000, (40.0, 40.0), events, Duration::from_secs(600))
    }

    /// The run of under two minutes.
    pub fn short(seed: u64) -> Self {
        let mut events = vec![
            (0.2, Event::CrashBroker),
            (0.5, Event::StopStore(Duration::from_secs(5))),
            (0.8, Event::Silence(Duration::from_secs(1))),
        ];
        events.extend(cuts(seed, 3));
        Self::new(seed, 400, (20.0, 20.0), events, Duration::from_secs(120))
    }

    fn new(seed: u64, tracks: usize, rates: (f64, f64), mut events: Vec<(f64, Event)>, limit: Duration) -> Self {
        events.sort_by(|(share, _), (other, _)| share.total_cmp(other));
        Self { seed, tracks, rates, garbage: tracks * MESSAGES_PER_TRACK / 100, events, limit }
    }
}

/// Cuts at random moments of the run, except its very end.
fn cuts(seed: u64, count: usize) -> Vec<(f64, Event)> {
    let mut random = StdRng::seed_from_u64(seed);
    (0..count).map(|_| (random.random_range(0.02..0.95), Event::Cut)).collect()
}
