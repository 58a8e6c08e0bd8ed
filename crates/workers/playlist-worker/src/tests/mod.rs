//! The handlers against the embedded store and a Spotify on loopback: what they store and name, that they ask once, and
//! what becomes of each refusal.

mod audio;
mod failures;
mod metadata;
mod page;
#[expect(dead_code, reason = "shared with the client's own tests, which look closer at requests")]
#[path = "../../../../sources/spotify/tests/it/stand_in.rs"]
mod stand_in;
mod together;

use std::sync::Arc;

use host::{Registered, WorkerProgram};
use model::Timestamp;
use model::fleet::Capability;
use model::job::Envelope;
use model::settings::Settings;
use runtime::{Budgets, Context, Failure, Handler};
use spotify::Client;
use store::Store;

use self::stand_in::StandIn;
use crate::PlaylistWorker;

/// A stand-in, a store of its own, and what a handler may use.
struct Place {
    spotify: StandIn,
    store: Arc<dyn Store>,
    context: Context,
}

impl Place {
    async fn new() -> Self {
        let spotify = StandIn::start().await;
        let file = spotify.folder.path().join("test.db");
        let store = store::open(&format!("sqlite:{}", file.display())).await.unwrap();
        let mut settings = Settings::default();
        settings.spotify.rate = 1_000.0;
        let context = Context::new(Budgets::new(store.clone(), PlaylistWorker::budgets(&settings)));
        Self { spotify, store, context }
    }

    fn client(&self) -> Client {
        Client::new(&self.spotify.settings(), None).unwrap()
    }

    fn handler<H: Registered<Client>>(&self) -> H {
        H::new(&self.client(), self.store.clone())
    }

    /// Runs a job and returns its follow-ups, as (kind, key).
    async fn run<H: Handler>(&self, handler: &H, job: H::Body) -> Result<Vec<(String, String)>, Failure> {
        let jobs = handler.run(job, &self.context).await?;
        Ok(jobs.into_iter().map(|Envelope { kind, key, .. }| (kind, key)).collect())
    }

    /// How often anything at this path of the API was asked for.
    fn asked(&self, path: &str) -> usize {
        self.spotify.asked(&format!("/v1/{path}")).len()
    }

    /// What is noted of a capability: whether it is allowed, and what Spotify said.
    async fn capability(&self, name: &str) -> Option<(bool, String)> {
        self.store.capability(name).await.unwrap().map(|known| (known.allowed, known.detail))
    }

    /// Notes a refusal that is so many hours old.
    async fn refused_before(&self, name: &str, hours: i64) {
        let checked_at = Timestamp(Timestamp::now().0 - hours * 3_600_000);
        let capability = Capability { name: name.into(), allowed: false, detail: "no".into(), checked_at };
        self.store.save_capability(&capability).await.unwrap();
    }
}

/// An id that can be one of Spotify's, the same for the same number.
fn id(number: usize) -> String {
    format!("id{number:020}")
}

/// The playlist of these tests.
const PLAYLIST: &str = "p1000000000000000000id";

fn ids(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    numbers.into_iter().map(id).collect()
}

fn job(kind: &str, key: impl Into<String>) -> (String, String) {
    (kind.into(), key.into())
}
