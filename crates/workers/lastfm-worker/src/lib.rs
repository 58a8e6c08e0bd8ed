#![doc = include_str!("../README.md")]

mod handler;

use std::sync::Arc;
use std::time::Duration;

use host::{Backends, Registered, Registration, Scaling, WorkerProgram};
use model::job::LASTFM_BUDGET;
use model::settings::Settings;
use runtime::Budget;
use store::Store;

use crate::handler::FetchTags;

/// The program `lastfm-worker`.
pub struct LastfmWorker;

/// What its handlers share.
pub struct LastfmShared {
    client: Arc<lastfm::Client>,
    long_pause: Duration,
}

impl WorkerProgram for LastfmWorker {
    const NAME: &'static str = "lastfm-worker";
    const DESCRIPTION: &'static str = "Look up the tags of tracks on last.fm";
    const SCALING: Scaling = Scaling {
        max_pods: 1,
        jobs_per_pod: 50,
        limit_reason:
            "last.fm limits requests by address, and all pods share one outgoing address: a second pod would be no \
                       faster, only one more
to be throttled. For more addresses: one Deployment and one SPOTIFAI_EGRESS for each.",
    };
    type Shared = LastfmShared;
    const HANDLERS: &'static [Registration<LastfmShared>] = &[Registration::of::<FetchTags>()];

    fn shared(backends: &Backends) -> anyhow::Result<LastfmShared> {
        let settings = &backends.settings;
        let client = lastfm::Client::new(&settings.lastfm, settings.contact.as_deref())?;
        Ok(LastfmShared {
            client: Arc::new(client),
            long_pause: Duration::try_from_secs_f64(settings.lastfm.backoff.cap)?,
        })
    }

    /// One for each outgoing address, since last.fm counts requests by address.
    fn budgets(settings: &Settings) -> Vec<Budget> {
        let key = format!("{LASTFM_BUDGET}@{}", settings.egress);
        vec![Budget { name: LASTFM_BUDGET, key, rate: settings.lastfm.rate, backoff: settings.lastfm.backoff }]
    }
}

impl Registered<LastfmShared> for FetchTags {
    fn new(shared: &LastfmShared, store: Arc<dyn Store>) -> Self {
        let LastfmShared { client, long_pause } = shared;
        Self { client: client.clone(), long_pause: *long_pause, tracks: store.clone(), tags: store }
    }

    /// One asks while the other writes what it found. The budget spaces the requests either way.
    fn slots() -> usize {
        2
    }
}
