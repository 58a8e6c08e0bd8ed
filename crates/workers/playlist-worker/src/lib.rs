#![doc = include_str!("../README.md")]

mod analysis;
mod artists;
mod audio;
mod capability;
mod ids;
mod metadata;
mod page;
mod preflight;
mod request;
#[cfg(test)]
mod tests;

use host::{Backends, Registration, Scaling, WorkerProgram};
use model::job::SPOTIFY_BUDGET;
use model::settings::{BackoffSettings, Settings};
use runtime::{Budget, Budgets, Context};
use spotify::Client;

pub use capability::Refusals;
pub use preflight::{KNOWN_TRACK, ask_for_audio, read_first_pages};

use crate::analysis::AudioAnalysis;
use crate::artists::Artists;
use crate::audio::AudioFeatures;
use crate::metadata::Metadata;
use crate::page::PlaylistPages;

/// The program `playlist-worker`.
pub struct PlaylistWorker;

impl WorkerProgram for PlaylistWorker {
    const NAME: &'static str = "playlist-worker";
    const DESCRIPTION: &'static str = "Collect playlists, audio features, audio analyses and artists from Spotify";
    const SCALING: Scaling = Scaling { max_pods: 1, jobs_per_pod: 50, limit_reason: "One: see playlist-worker.yaml." };
    type Shared = Client;
    const HANDLERS: &'static [Registration<Client>] = &[
        Registration::of::<PlaylistPages>(),
        Registration::of::<Metadata>(),
        Registration::of::<AudioFeatures>(),
        Registration::of::<AudioAnalysis>(),
        Registration::of::<Artists>(),
    ];

    fn shared(backends: &Backends) -> anyhow::Result<Client> {
        Ok(Client::new(&backends.settings.spotify, backends.settings.contact.as_deref())?)
    }

    /// One for each app, since Spotify counts requests by app.
    fn budgets(settings: &Settings) -> Vec<Budget> {
        let app = settings.spotify.client_id.as_ref();
        let key = app.map_or_else(|| SPOTIFY_BUDGET.to_owned(), |app| format!("{SPOTIFY_BUDGET}@{app}"));
        let backoff = BackoffSettings { first: 10.0, cap: 600.0 };
        vec![Budget { name: SPOTIFY_BUDGET, key, rate: settings.spotify.rate, backoff }]
    }
}

/// The context of requests that are not part of a job.
fn context(backends: &Backends) -> Context {
    Context::new(Budgets::new(backends.store.clone(), PlaylistWorker::budgets(&backends.settings)))
}
