#![doc = include_str!("../README.md")]

mod handler;

use std::sync::Arc;
use std::time::Duration;

use host::{Backends, Pods, Registered, Registration, WorkerProgram};
use model::job::LASTFM_BUDGET;
use model::settings::Settings;
use runtime::Budget;

use crate::handler::FetchTags;

/// The program `lastfm-worker`.
pub struct LastfmWorker;

/// What its handlers share.
pub struct Shared {
    client: Arc<lastfm::Client>,
    long_pause: Duration,
}

impl WorkerProgram for LastfmWorker {
    const NAME: &'static str = "lastfm-worker";
    const ABOUT: &'static str = "Look up the tags of tracks on last.fm";
    const PODS: Pods = Pods {
        most: 1,
        jobs_each: 50,
        why: "last.fm counts by address, and all pods leave the cluster by one: a second pod would be no faster, and would be \
              one more\nthat can be throttled. More addresses: one Deployment and one SPOTIFAI_EGRESS each.",
    };
    type Shared = Shared;
    const HANDLERS: &'static [Registration<Shared>] = &[Registration::of::<FetchTags>()];

    fn open(backends: &Backends) -> anyhow::Result<Shared> {
        let settings = &backends.settings;
        let client = lastfm::Client::new(&settings.lastfm, settings.contact.as_deref())?;
        Ok(Shared { client: Arc::new(client), long_pause: Duration::try_from_secs_f64(settings.lastfm.backoff.cap)? })
    }

    /// One for each address: last.fm counts by that.
    fn budgets(settings: &Settings) -> Vec<Budget> {
        let key = format!("{LASTFM_BUDGET}@{}", settings.egress);
        vec![Budget { name: LASTFM_BUDGET, key, rate: settings.lastfm.rate, backoff: settings.lastfm.backoff }]
    }
}

impl Registered<Shared> for FetchTags {
    fn new(shared: &Shared) -> Self {
        Self { client: shared.client.clone(), long_pause: shared.long_pause }
    }

    /// While one writes what it found, the other asks. last.fm sees one request at a time either way.
    fn slots() -> usize {
        2
    }
}
