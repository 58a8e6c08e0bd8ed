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

use std::sync::Arc;

use host::{Backends, Pods, Registered, Registration, WorkerProgram};
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

/// Jobs of each kind at once: while one waits for Spotify, another writes.
const SLOTS: usize = 4;

/// The program `playlist-worker`.
pub struct PlaylistWorker;

impl WorkerProgram for PlaylistWorker {
    const NAME: &'static str = "playlist-worker";
    const ABOUT: &'static str = "Collect playlists, audio features, audio analyses and artists from Spotify";
    const PODS: Pods = Pods { most: 1, jobs_each: 50, why: "One: see playlist-worker.yaml." };
    type Shared = Client;
    const HANDLERS: &'static [Registration<Client>] = &[
        Registration::of::<PlaylistPages>(),
        Registration::of::<Metadata>(),
        Registration::of::<AudioFeatures>(),
        Registration::of::<AudioAnalysis>(),
        Registration::of::<Artists>(),
    ];

    fn open(backends: &Backends) -> anyhow::Result<Client> {
        Ok(Client::new(&backends.settings.spotify, backends.settings.contact.as_deref())?)
    }

    /// One for each app: Spotify counts by that.
    fn budgets(settings: &Settings) -> Vec<Budget> {
        let app = settings.spotify.client_id.as_ref();
        let key = app.map_or_else(|| SPOTIFY_BUDGET.to_owned(), |app| format!("{SPOTIFY_BUDGET}@{app}"));
        let backoff = BackoffSettings { first: 10.0, cap: 600.0 };
        vec![Budget { name: SPOTIFY_BUDGET, key, rate: settings.spotify.rate, backoff }]
    }
}

/// What requests need that belong to no job.
fn context(backends: &Backends) -> Context {
    let store = backends.store.clone();
    Context::new(Arc::clone(&store), Budgets::new(store, PlaylistWorker::budgets(&backends.settings)))
}

/// Registers handlers that are made of a client.
macro_rules! of_client {
    ($($handler:ty => $new:expr;)*) => {$(
        impl Registered<Client> for $handler {
            fn new(client: &Client) -> Self {
                $new(client.clone())
            }

            fn slots() -> usize {
                SLOTS
            }
        }
    )*};
}

of_client! {
    PlaylistPages => |client| Self { client };
    Metadata => |client| Self { client };
    AudioFeatures => Self::new;
    AudioAnalysis => |client| Self { client };
    Artists => Self::new;
}
